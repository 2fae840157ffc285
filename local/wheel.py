"""`make wheel`: the package as a wheel; the same bytes from the same sources.

Built from a copy, so that nothing an earlier build left here gets in. The time in it is that of
SOURCE_DATE_EPOCH, or of the last commit.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local.paths import LOCAL, ROOT
from local.stop import Stop, command

_SOURCES = ("pyproject.toml", "README.md", "plugins/constant_contact", "include/sql")


def main() -> int:
    """Says which file it is, and its digest."""
    built = build(LOCAL / "dist")
    print(f"{built}\nsha256 {hashlib.sha256(built.read_bytes()).hexdigest()}")
    return 0


def build(target: Path) -> Path:
    """Build into a folder.

    Raises:
        Stop: It cannot be built.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for source in _SOURCES:
            _copy(ROOT / source, copy / source)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
             "--wheel-dir", target, copy],
            env={**os.environ, "SOURCE_DATE_EPOCH": _epoch()},
            # the modes of the wheel's own files
            umask=0o022,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    if done.returncode:
        raise Stop(f"the wheel was not built: {done.stderr.strip()}")
    (built,) = target.glob("airflow_provider_constant_contact-*.whl")
    return built


def _copy(source: Path, target: Path) -> None:
    """Copy without caches, with modes that no umask changes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _epoch() -> str:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # without git: the first moment that a zip file can hold
    return done.stdout.strip() or "315532800"


if __name__ == "__main__":
    command(main)
