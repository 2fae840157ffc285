"""Where a local server's Unix socket lies."""

import hashlib
import os
from pathlib import Path

# sun_path holds 108 bytes on Linux, 104 on macOS, with the closing zero
_MAX_SOCKET_PATH_BYTES = 103


def socket_folder(folder: Path, kind: str, socket_name: str) -> Path:
    """Beside the server's data, or in the temporary folder where that path cannot be used."""
    beside = folder / "socket"
    is_short = len(os.fsencode(beside / socket_name)) <= _MAX_SOCKET_PATH_BYTES
    # PostgreSQL takes a comma for the end of a path
    if is_short and "," not in str(beside):
        return beside
    # not tempfile.gettempdir(): two terminals may differ in TMPDIR and must meet
    return Path("/tmp") / f"{kind}-{os.geteuid()}-{digest_of(folder)}"  # noqa: S108


def digest_of(folder: Path) -> str:
    """What the socket folder of a server's folder ends with, for every user."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
