"""The licences of everything that requirements.txt installs, by each package's own metadata.

`python -m local.licences` fails on one that is not allowed.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata

from local.paths import ROOT
from local.stop import Stop, command

# Words of licences under which a package may be used and passed on beside software of any other.
_ALLOWED = re.compile(
    r"\b(0BSD|Apache|Artistic|BSD|CC0|CNRI|ISC|LGPL|Lesser|MIT|MPL|Mozilla|PSF|Python Software|"
    r"Unlicense|Zlib)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"\b(AGPL|Affero|Commercial|Proprietary|SSPL)\b", re.IGNORECASE)
# Whose metadata says nothing, with what was read instead.
_READ = {"axe-playwright-python": "MIT", "openlineage-sql": "Apache-2.0"}
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==[^ ]+ (;.*)?\\?$", re.MULTILINE)


def locked(*, everywhere: bool) -> list[str]:
    """The packages of the lock.

    Args:
        everywhere: Only those that every interpreter and system gets.
    """
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [name for name, marker in _PINNED.findall(text) if not (everywhere and marker)]


def licence(name: str) -> str:
    """What a package's metadata says, in one line; "" if it says nothing."""
    if name in _READ:
        return _READ[name]
    found = metadata(name)
    classified = [
        each.rpartition(" :: ")[2]
        for each in found.get_all("Classifier", [])
        if each.startswith("License :: ") and each != "License :: OSI Approved"
    ]
    (expression,) = found.get_all("License-Expression") or [""]
    said = str((found.get_all("License") or [""])[0]).strip()
    return str(expression) or "; ".join(classified) or said.partition("\n")[0]


def is_allowed(text: str) -> bool:
    """Whether one of the licences that a text offers is allowed, and none of it refused."""
    return bool(_ALLOWED.search(text)) and not _REFUSED.search(text)


def main() -> int:
    """Names every package whose licence is not allowed."""
    names = locked(everywhere=False)
    told = {}
    for name in names:
        try:
            told[name] = licence(name)
        except PackageNotFoundError:
            # Of another interpreter or system.
            continue
    if refused := [f"{n} ({t or 'says nothing'})" for n, t in told.items() if not is_allowed(t)]:
        raise Stop(
            f"licences that local/licences.py does not allow: {', '.join(refused)}; read them, "
            "and allow them there or do without the package"
        )
    print(f"{len(told)} packages, all under licences that are allowed")
    return 0


if __name__ == "__main__":
    command(main)
