"""One process at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Waits for the lock on a file; the kernel frees it when its process is killed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_locked(file: Path) -> bool:
    """Whether a living process holds it; makes no file."""
    try:
        with file.open("r+b") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
