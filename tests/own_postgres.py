"""The PostgreSQL that the tests share: its files in memory, where there is room for them.

A test makes and removes hundreds of files, and each costs a file system on a disk several times
what it costs one in memory.
"""

import hashlib
import os
import shutil
from pathlib import Path

import psutil

from local.paths import LOCAL
from local.postgres import LocalPostgres

_MEMORY = Path("/dev/shm")
# the files of a whole run, with a reserve
_NEEDED_BYTES = 4 << 30


class OwnPostgres(LocalPostgres):
    """For as long as a run lasts; its data go with its last user."""

    def __init__(self) -> None:
        super().__init__(_in_memory() if _has_room() else LOCAL / "tests")

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.data)


def _in_memory() -> Path:
    digest = hashlib.sha256(os.fsencode(LOCAL)).hexdigest()[:12]
    return _MEMORY / f"tests-{os.geteuid()}-{digest}"


def _has_room() -> bool:
    """Not only below the limit of the file system, which may be more than there is."""
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return False
    free = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    folder = _in_memory()
    return free > _NEEDED_BYTES or (folder / "data").exists()
