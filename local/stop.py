"""How a command of this folder ends early: one line, and a status that says which kind it was."""

import errno
import sys
from collections.abc import Callable
from typing import Final

FAILED = 1
USAGE = 2
# sysexits' EX_TEMPFAIL: nothing is wrong, the work goes on later
LATER = 75
INTERRUPTED = 130
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


def command(main: Callable[[], int]) -> None:
    """Runs a command's main function and leaves the process with its status."""
    try:
        status = main()
    except Stop as stop:
        print(stop, file=sys.stderr)
        status = stop.status
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError as error:
        if error.errno not in _CANNOT_WRITE or error.filename is None:
            raise
        # a clone that another user made, or a full disk: no fault of ours to be traced
        print(
            f"cannot write {error.filename}: {error.strerror}; commands keep what they need below"
            " .local of this repository",
            file=sys.stderr,
        )
        status = FAILED
    sys.exit(status)
