"""How a command of this folder ends early: one line, and a status that says which kind it was."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.paths import LOCAL

FAILED = 1
USAGE = 2
# sysexits' EX_TEMPFAIL: nothing is wrong, the work goes on later
LATER = 75
INTERRUPTED = 130
_HARDLY_ANYTHING: Final = 16 * 2**20  # bytes: one segment of PostgreSQL's log
_CANNOT_WRITE: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


class Stop(Exception):
    """Ends the command; the message is all the user sees, so it says what to do next."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def one_line(error: BaseException) -> str:
    """What an exception says, on one line and never empty."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


def full_disk(folder: Path, error: BaseException) -> str:
    """What to say when that is why something failed, whatever it was; else nothing."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    # who failed may have cleared away what it had written
    if free > _HARDLY_ANYTHING and os.strerror(errno.ENOSPC) not in str(error):
        return ""
    return (
        f"{os.strerror(errno.ENOSPC)} for {folder} ({free / 2**20:.0f} MB free): .venv takes"
        " 800 MB, .local 300 MB and more"
    )


def command(main: Callable[[], int]) -> None:
    """Runs a command's main function and leaves the process with its status."""
    try:
        status = main()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _CANNOT_WRITE and error.filename:
            # a clone that another user made, or a full disk: no fault of ours to be traced
            print(
                f"cannot write {error.filename}: {error.strerror}; commands keep what they need"
                " below .venv and .local of this repository: where another user made these, have"
                " that user remove them",
                file=sys.stderr,
            )
            status = FAILED
        elif full := full_disk(LOCAL, error):
            print(full, file=sys.stderr)
            status = FAILED
        elif isinstance(error, Stop):
            print(error, file=sys.stderr)
            status = error.status
        else:
            raise
    sys.exit(status)
