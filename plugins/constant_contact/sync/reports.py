"""What a job tells of its run: into the log, and to Airflow as the task's return value."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Report:
    """The figures of one job; each job has its own fields."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """The figures in one line, those that are nothing left out."""
        shown = [
            f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in self.as_dict().items()
            if value
        ]
        return ", ".join(shown) or "nothing to do"
