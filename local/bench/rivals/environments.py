"""The environments of those rivals that do not belong into ours."""

import subprocess
import sys
from pathlib import Path

from local.paths import LOCAL

SDK, DLT = "vendor's SDK", "dlt"
SDK_PYTHON = LOCAL / "judge" / "bin" / "python"
_DLT = LOCAL / "bench-dlt"
_DLT_LOCK = Path(__file__).parent.parent / "requirements-dlt.txt"


class Missing(Exception):
    """A rival is not here; the message says what to do."""


def sdk_python() -> Path:
    """The interpreter that has the vendor's SDK.

    Raises:
        Missing: `make judge` was not run.
    """
    if not SDK_PYTHON.exists():
        raise Missing("the vendor's SDK is not here; make judge installs it")
    return SDK_PYTHON


def dlt_python() -> Path:
    """The interpreter that has dlt; installs it when missing.

    Raises:
        Missing: It cannot be installed.
    """
    python, ready = _DLT / "bin" / "python", _DLT / ".ready"
    if ready.exists() and ready.read_bytes() == _DLT_LOCK.read_bytes():
        return python
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(_DLT)],
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(_DLT_LOCK)],
    )
    for step in steps:
        done = subprocess.run(step, check=False, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise Missing(f"dlt could not be installed into {_DLT}: {said[-1]}")
    # what was installed, so that another lock is installed anew
    ready.write_bytes(_DLT_LOCK.read_bytes())
    return python


def here() -> tuple[set[str], list[str]]:
    """Which of the rivals can run, and why the others are skipped."""
    found, notes = set(), []
    for name, python in ((SDK, sdk_python), (DLT, dlt_python)):
        try:
            python()
        except Missing as missing:
            notes.append(f"{name} was skipped: {missing}")
        else:
            found.add(name)
    return found, notes
