"""How a command of this folder ends early: one line, and a status that says which kind it was."""

import errno
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


def full_disk(folder: Path) -> str:
    """What to say when hardly anything can be written there; nothing while there is room."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if (free := shutil.disk_usage(there).free) > _HARDLY_ANYTHING:
        return ""
    return (
        f"the disk of {folder} is full ({free / 2**20:.0f} MB free): the databases, the logs and"
        " the account take 300 MB there"
    )


def command(main: Callable[[], int]) -> None:
    """Runs a command's main function and leaves the process with its status."""
    try:
        status = main()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        if full := full_disk(LOCAL):
            # whatever it was that failed of it: a server, a log, a table
            print(full, file=sys.stderr)
            status = FAILED
        elif isinstance(error, Stop):
            print(error, file=sys.stderr)
            status = error.status
        elif isinstance(error, OSError) and error.errno in _CANNOT_WRITE and error.filename:
            # a clone that another user made: no fault of ours to be traced
            print(
                f"cannot write {error.filename}: {error.strerror}; commands keep what they need"
                " below .local of this repository",
                file=sys.stderr,
            )
            status = FAILED
        else:
            raise
    sys.exit(status)
