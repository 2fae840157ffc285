"""`python -I -S local/isolate.py PROGRAM ARG…`: runs a program without the shell's settings.

`make` starts everything through this. A caller's `PYTHONPATH`, `PGHOST`, `PIP_USER`, `TZ` or
`AIRFLOW_HOME` changes nothing here, and neither does the next one that comes up:
what is not named below is not passed on. `-I` keeps the caller's from this interpreter, too, and
`-S` what it would read in the caller's locale.

Imports nothing of ours: it runs with an interpreter in which nothing is installed.
"""

import os
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

#: Names and patterns of what is passed on.
KEPT: Final = (
    # who runs it, where programs are, and libraries that the interpreter itself may need
    "HOME", "USER", "LOGNAME", "PATH", "LD_LIBRARY_PATH",
    # the terminal
    "TERM", "COLORTERM", "NO_COLOR", "COLUMNS",
    # the browser that `make authorize` opens
    "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    # the way to the vendor and to the package index, as administrators set it
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    # where packages come from (see local/install.py)
    "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT",
    "PIP_DEFAULT_TIMEOUT", "PIP_CACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    # Airflow's settings, connections and variables; not its home (see local/environment.py)
    "AIRFLOW__*", "AIRFLOW_CONN_*", "AIRFLOW_VAR_*",
    # what our own targets read
    "ACCOUNT", "CI", "JUDGE_PYTHON", "RUN_CONF", "RUN_DAG", "RUN_DATE", "SCREENSHOTS",
    "SOURCE_DATE_EPOCH", "TEST_ODD_SERVER", "TEST_POSTGRES_URL",
)  # fmt: skip
_THIS_MACHINE: Final = "localhost,127.0.0.1"


def isolated(caller: Mapping[str, str]) -> dict[str, str]:
    """What is kept of the caller's environment; no proxy stands before this machine itself."""
    kept = {
        name: value
        for name, value in caller.items()
        if any(fnmatchcase(name, pattern) for pattern in KEPT)
        and not (name.lower().endswith("_proxy") and _is_unknown(value))
    }
    # programs differ in which of the two they read
    no_proxy = kept.get("no_proxy") or kept.get("NO_PROXY") or ""
    # Airflow's tasks end at [::1], and read ::1
    no_proxy = no_proxy.replace("[", "").replace("]", "")
    value = f"{no_proxy},{_THIS_MACHINE}" if no_proxy else _THIS_MACHINE
    return {**kept, "no_proxy": value, "NO_PROXY": value}


def _is_unknown(proxy: str) -> bool:
    """Whether its scheme is none that pip and Airflow know, which end at SOCKS before any call."""
    scheme, found, _ = proxy.lower().partition("://")
    return bool(found) and scheme not in ("http", "https")


def main() -> None:
    """Becomes the program."""
    program, *arguments = sys.argv[1:]
    os.execvpe(program, [program, *arguments], isolated(os.environ))  # noqa: S606


if __name__ == "__main__":
    main()
