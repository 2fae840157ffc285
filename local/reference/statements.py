"""Which statements of include/sql/crm changed since a release: adopters may have edited them.

`released/<version>.txt` has a digest of each as it was; `python -m local.reference.statements`
prints today's, for the next release.
"""

import hashlib
import textwrap
from collections.abc import Collection
from pathlib import Path

from local.paths import ROOT

_RELEASED = Path(__file__).parent / "released"


def today() -> dict[str, str]:
    """Each statement's digest."""
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in (ROOT / "include" / "sql" / "crm").glob("*.sql")
    }


def since(version: str) -> str:
    """What changed since a release, as a list in Markdown."""
    lines = (_RELEASED / f"{version}.txt").read_text(encoding="utf-8").splitlines()
    then = {name: digest for digest, name in map(str.split, lines)}
    now = today()
    changed = {name for name in then.keys() & now.keys() if then[name] != now[name]}
    return (
        _item("Changed", changed)
        + _item("New", now.keys() - then.keys())
        + _item("Gone", then.keys() - now.keys())
    )


def _item(kind: str, names: Collection[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in sorted(names)) or "none"
    return textwrap.fill(f"- {kind}: {listed}", 105, subsequent_indent="  ") + "\n"


if __name__ == "__main__":
    print("\n".join(f"{digest}  {name}" for name, digest in sorted(today().items())))
