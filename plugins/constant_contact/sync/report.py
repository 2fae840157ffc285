"""What a job tells of its run: into the log, and to Airflow as the task's return value."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from constant_contact.redact import redact

# The most of an unknown name that a log line has.
NAME_CHARS: Final = 40


@dataclass
class Report:
    """The figures of one job; each job has its own fields."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """The figures in one line, those that are nothing left out."""
        return in_words(self.as_dict())


def by_value(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many have each value that the contract does not name, such as `{"role follow_up": 3}`.

    Args:
        rows: With `noun`, `value` and `count`.
    """
    return {f"{row['noun']} {redact(row['value'], NAME_CHARS)}": row["count"] for row in rows}


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
