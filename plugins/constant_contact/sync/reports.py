"""What a job tells of its run: into the log, and to Airflow as the task's return value."""

from collections.abc import Mapping
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
        return in_words(self.as_dict())


def in_words(figures: Mapping[str, Any]) -> str:
    """A report's figures in one line, those that are nothing left out."""
    return ", ".join(_in_words(name, value) for name, value in figures.items() if value) or (
        "nothing to do"
    )


def _in_words(name: str, value: Any) -> str:
    named = name.replace("_", " ")
    if isinstance(value, bool):
        return named
    if isinstance(value, Mapping):
        return f"{named} ({in_words(value)})"
    return f"{named} {value:,}" if isinstance(value, int) else f"{named} {value}"
