"""Engagement events: one stream per campaign activity and type, stored by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: What each is of all made-up events; what sends cannot take goes to opens.
SHARES = {
    "sends": 0.62,
    "opens": 0.31,
    "clicks": 0.05,
    "forwards": 0.003,
    "optouts": 0.004,
    "bounces": 0.013,
}
TYPES = tuple(SHARES)
DEVICES = ("", "computer", "mobile", "tablet", "other")
BOUNCE_CODES = ("B", "D", "F", "S", "V", "X", "Z")


class Event(NamedTuple):
    """One event of a stream.

    `detail`: a click's number of its link, a bounce's number of its code, an opt-out's reason;
    -1 is none. `arrived_ms`: when the vendor learned of it; statistics that lag go by it.
    """

    contact: int
    at_ms: int
    arrived_ms: int
    device: int = 0
    detail: int = -1


#: The columns of many events, named as those of one.
COLUMNS = np.dtype(
    list(zip(Event._fields, (np.int32, np.int64, np.int64, np.uint8, np.int32), strict=True))
)
Rows = NDArray[np.void]


@dataclass(frozen=True)
class Counts:
    """Counts of one stream."""

    total: int
    unique: int
    by_device: list[int]
    unique_by_detail: dict[int, int]


class Stream:
    """Events in ascending order of time; readers turn them round.

    Rows are never changed in place, so a bulk load may hand in slices of one big array.
    """

    def __init__(self) -> None:
        self.replace(np.zeros(0, COLUMNS))

    def __len__(self) -> int:
        return len(self.rows)

    def replace(self, rows: Rows) -> None:
        """Take these rows, already in ascending order of time."""
        self.rows = rows
        self._newest_arrival_ms = int(rows["arrived_ms"].max(initial=0))
        self._counts: Counts | None = None
        self._last_of_each: NDArray[np.intp] | None = None

    def add(self, events: Sequence[Event]) -> None:
        """Put events where their time says, after those of the same millisecond."""
        rows = np.concatenate([self.rows, np.array(events, COLUMNS)])
        self.replace(rows[np.argsort(rows["at_ms"], kind="stable")])

    def last_of_each(self) -> NDArray[np.intp]:
        """Positions of the newest event of every contact, in ascending order of time."""
        if self._last_of_each is None:
            _, back = np.unique(self.rows["contact"][::-1], return_index=True)
            self._last_of_each = np.sort(len(self.rows) - 1 - back)
        return self._last_of_each

    def counts(self, arrived_until_ms: int | None = None) -> Counts:
        """Counts of all events, or of those that had arrived at an instant."""
        if arrived_until_ms is None or arrived_until_ms >= self._newest_arrival_ms:
            if self._counts is None:
                self._counts = _count(self.rows)
            return self._counts
        return _count(self.rows[self.rows["arrived_ms"] <= arrived_until_ms])


def _count(rows: Rows) -> Counts:
    contact, detail = rows["contact"], rows["detail"]
    kinds = np.unique(detail).tolist()
    return Counts(
        total=len(rows),
        unique=len(np.unique(contact)),
        by_device=np.bincount(rows["device"], minlength=len(DEVICES)).tolist(),
        unique_by_detail={kind: len(np.unique(contact[detail == kind])) for kind in kinds},
    )
