"""How a command of this folder ends early: one line, and a status that says which kind it was."""

import sys
from collections.abc import Callable

FAILED = 1
USAGE = 2
# sysexits' EX_TEMPFAIL: nothing is wrong, the work goes on later
LATER = 75
INTERRUPTED = 130


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
    sys.exit(status)
