"""`python -I local/as_nobody.py PROGRAM -D DATA ARG…`: as root, becomes that program of `nobody`.

PostgreSQL refuses to run as root. The user who owns nothing may not enter the folders that only
root may, as root's home is in most containers; so one of root's capabilities stays: to pass by
the permissions of files. Opening the way to the repository for everybody is what that spares us.
Where root itself lacks that capability the folders have to be open.
"""

import ctypes
import os
import pwd
import sys
from typing import Final

#: The one account on every Unix that owns nothing.
NAME: Final = "nobody"

_DAC_OVERRIDE: Final = 1
_SETPCAP: Final = 8
_PR_GET_SECUREBITS: Final = 27
_PR_SET_SECUREBITS: Final = 28
# without it access(2) forgets capabilities where the user was changed, and PostgreSQL asks that
_NO_SETUID_FIXUP: Final = 1 << 2
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_VERSION_3: Final = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    # numbers below 32, then the others
    _fields_ = tuple(
        (f"{name}_{half}", ctypes.c_uint32)
        for half in (0, 1)
        for name in ("effective", "permitted", "inheritable")
    )


def main() -> None:
    """Becomes the program, or says why it cannot."""
    program, _, data, *_ = command = sys.argv[1:]
    account = pwd.getpwnam(NAME)
    is_keeping = sys.platform == "linux" and _prepare_to_keep()
    try:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    except OSError as error:
        sys.exit(
            f"PostgreSQL does not run as root, and this root may not become {NAME}"
            f" ({error.strerror}): run this as an ordinary user"
        )
    if is_keeping:
        _keep()
    for path, mode in ((program, os.X_OK), (data, os.W_OK | os.X_OK)):
        if not os.access(path, mode):
            sys.exit(
                f"PostgreSQL does not run as root, and {NAME} may not enter the way to {path}: run"
                " this as an ordinary user, or in a folder that everybody may enter"
            )
    os.execv(program, command)  # noqa: S606


def _prepare_to_keep() -> bool:
    """Has capabilities outlive the change of the user; whether it can."""
    libc = ctypes.CDLL(None)
    sets = _Sets()
    libc.capget(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets))
    needed = 1 << _DAC_OVERRIDE | 1 << _SETPCAP
    if sets.permitted_0 & needed != needed:
        return False
    bits = libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0)
    return bool(libc.prctl(_PR_SET_SECUREBITS, bits | _NO_SETUID_FIXUP, 0, 0, 0) == 0)


def _keep() -> None:
    """Drops all capabilities but the one, which the program inherits."""
    libc = ctypes.CDLL(None)
    one = 1 << _DAC_OVERRIDE
    sets = _Sets(effective_0=one, permitted_0=one, inheritable_0=one)
    libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets))
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main()
