"""How one DAG run went."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class DagReport:
    """One run.

    Attributes:
        tasks: Return value of each task, by its id: the figures of its job.
        calls: Of the API, by the call log.
    """

    night: str
    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: int = 0
    writes: int = 0
