"""`python -m local.install FOLDER LOCK [--new]`: makes an environment from a lock.

First half of every target: .venv, from requirements.txt and this repository.

uv installs in seconds what pip does in minutes. pip brings it from the registry, pinned by hash
as everything is; where it cannot be had, or fails, pip does it all.

Runs with the interpreter that the environment is made with, in which nothing may be installed.
"""

import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from local.locks import is_locked, locked
from local.paths import LOCAL, ROOT
from local.stop import Stop, command

_VENV: Final = ROOT / ".venv"
_BIN: Final = _VENV / "bin"
_RUNNING: Final = LOCAL / "install.lock"
# the lock is whole: to resolve it again, pip would want a hash of whatever is newest
_LOCK: Final = ("--require-hashes", "--no-deps", "-r")
_UV_LOCK: Final = (*_LOCK, "local/requirements-uv.txt")
_OURSELVES: Final = ("--no-deps", "--no-build-isolation", "-e", ".")

#: pip's settings of where packages come from, and what uv calls each. What else a pip.conf
#: holds (`user`, `target`, `no-binary`) is meant for other environments than this.
SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_INDEX",),
    "no-index": ("UV_NO_INDEX",),
    "find-links": ("UV_FIND_LINKS",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "retries": ("UV_HTTP_RETRIES",),
    "cache-dir": (),
}
# The first four are read by the shell with which initdb and pg_ctl start the server; venv refuses
# the colon, Airflow's configuration the percent sign.
_NOT_IN_A_PATH: Final = re.compile(r'["$`\\:%\n]')


class _DiskFull(Stop):
    """pip would meet the same."""


def main() -> int:
    """Returns when the environment has what its lock says."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder, lock, *options = sys.argv[1:]
    _check_folder()
    if is_locked(_RUNNING):
        print("another command installs here: waiting for it", flush=True)
    before = _made_at(ROOT / folder)
    with locked(_RUNNING):
        if _made_at(ROOT / folder) == before:
            _make(ROOT / folder, lock, is_new="--new" in options)
    return 0


def _made_at(folder: Path) -> int | None:
    ready = folder / ".ready"
    return ready.stat().st_mtime_ns if ready.exists() else None


def _make(folder: Path, lock: str, *, is_new: bool) -> None:
    ready, python = folder / ".ready", folder / "bin" / "python"
    # without the mark it was never finished: an interrupted pip leaves half of a package
    if is_new or not ready.exists() or not os.access(python, os.X_OK):
        _make_venv(folder)
    ready.unlink(missing_ok=True)
    print(f"installing {lock} (seconds, or as long as it takes to arrive)", flush=True)
    if folder == _VENV:
        _remove_ourselves()
        _install(python, (*_LOCK, lock), _OURSELVES)
    else:
        _install(python, (*_LOCK, lock))
    ready.touch()


def pip_environment(settings: Mapping[str, str], caller: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip: of its settings those in `SETTINGS`, and no file."""
    return {
        **{name: value for name, value in caller.items() if not name.startswith("PIP_")},
        **{f"PIP_{key.replace('-', '_').upper()}": value for key, value in settings.items()},
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def uv_environment(settings: Mapping[str, str], caller: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv that has it take packages from where pip would."""
    translated = {
        name: ",".join(value.split()) if name == "UV_FIND_LINKS" else " ".join(value.split())
        for key, value in settings.items()
        for name in SETTINGS[key]
    }
    return {
        **caller,
        # as pip: the certificates that this machine trusts, and any index may have it
        "UV_SYSTEM_CERTS": "1",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        **({} if _uv_may_cache(caller) else {"UV_NO_CACHE": "1"}),
        **translated,
        "UV_NO_CONFIG": "1",
    }


def pip_settings(listed: str) -> dict[str, str]:
    """The settings in `SETTINGS`, from what `pip config list` prints; the later section wins.

    Its order is pip's own: `global`, then `install`, then the environment (`:env:`).
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in sections and key in SETTINGS:
            sections[section][key] = str(ast.literal_eval(value))
    return sections["global"] | sections["install"] | sections[":env:"]


def _uv_may_cache(caller: Mapping[str, str]) -> bool:
    home = caller.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~"), ".cache")  # noqa: PTH111
    cache = Path(caller.get("UV_CACHE_DIR") or Path(home, "uv"))
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
    return os.access(cache, os.W_OK | os.X_OK)


def _check_folder() -> None:
    if odd := _NOT_IN_A_PATH.search(str(ROOT)):
        raise Stop(
            f"the path of this folder holds {odd[0]!r}, which not every program here can read:"
            " clone the repository where the path has none"
        )
    if not os.access(ROOT, os.W_OK | os.X_OK):
        raise Stop(f"{ROOT} cannot be written: clone the repository where it can")


def _make_venv(folder: Path) -> None:
    print(f"making {folder.relative_to(ROOT)} with {sys.executable}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _run([sys.executable, "-I", "-m", "venv", "--clear", folder], os.environ)
    except Stop:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _remove_ourselves() -> None:
    """Or this package, installed earlier by another name, would be there twice for Airflow."""
    # as setuptools leaves it, which built this package up to 0.2.0
    for built in (ROOT / "plugins").glob("*.egg-info"):
        shutil.rmtree(built)
    for source in _VENV.glob("lib/*/site-packages/*.dist-info/direct_url.json"):
        if "dir_info" in source.read_text(encoding="utf-8"):
            name = source.parent.name.partition("-")[0]
            pip = pip_environment({}, os.environ)
            _run([_BIN / "python", "-m", "pip", "uninstall", "--quiet", "--yes", name], pip)


def _install(python: Path, *steps: Sequence[str]) -> None:
    settings = pip_settings(_run([python, "-m", "pip", "config", "list"], os.environ))
    pip = pip_environment(settings, os.environ)
    try:
        _run([_BIN / "python", "-m", "pip", "install", *_UV_LOCK], pip)
        uv = uv_environment(settings, os.environ)
        for step in steps:
            _run([_BIN / "uv", "pip", "install", "--quiet", "--python", python, *step], uv)
    except _DiskFull:
        raise
    except Stop as stop:
        print(f"{stop}\npip installs it all instead, in minutes", flush=True)
        _install_with_pip(python, steps, pip)


def _install_with_pip(python: Path, steps: Sequence[Sequence[str]], pip: Mapping[str, str]) -> None:
    try:
        for step in steps:
            _run([python, "-m", "pip", "install", *step], pip)
    except _DiskFull:
        raise
    except Stop as stop:
        raise Stop(
            f"{stop}; if that is the way to the package index: see to the network, the proxy"
            " (http, not SOCKS) and what `pip config list` says, then try again"
        ) from None


def _run(command_line: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    """What a program prints.

    Raises:
        Stop: it failed; with what it said last, on one line.
    """
    done = subprocess.run(
        command_line, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if not done.returncode:
        return done.stdout
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    errors = [number for number, line in enumerate(said) if line.lower().startswith("error")]
    reason = " ".join(" ".join(said[errors[-1] if errors else 0 :]).split())
    if "No space left on device" in reason or "Disk quota exceeded" in reason:
        raise _DiskFull(reason)
    # a page of hashes says no more than its beginning
    raise Stop(f"{Path(command_line[0]).name} failed: {textwrap.shorten(reason, 400)}")


if __name__ == "__main__":
    command(main)
