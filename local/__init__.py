"""The project on one machine: a PostgreSQL, the simulator and Airflow, without containers."""

import sys
from types import TracebackType


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # Ctrl-C while a command still imports what it needs: nothing is there to be traced
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _end
