"""`python -m local.keeper KIND FOLDER`: stops a shared service when its last user was killed.

A user that ends in order stops the service itself; this process is for `kill -9`.
"""

import sys
from pathlib import Path

from local.postgres import LocalPostgres
from local.sharing import Shared
from local.simulator import SharedSimulator

KINDS: dict[str, type[Shared]] = {
    service.kind: service for service in (LocalPostgres, SharedSimulator)
}


def main() -> None:
    """Returns when the service is stopped, or at once when it has a keeper already."""
    kind, folder = sys.argv[1:]
    KINDS[kind](Path(folder)).stop_when_unused()


if __name__ == "__main__":
    main()
