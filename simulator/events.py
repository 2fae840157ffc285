"""Engagement events: one stream per campaign activity and type, stored by column."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Event:
    """One event of a stream.

    `detail`: a click's number of its link, a bounce's number of its code, an opt-out's reason;
    -1 is none. `arrived_ms`: when the vendor learned of it; statistics that lag go by it.
    """

    contact: int
    at_ms: int
    arrived_ms: int
    device: int = 0
    detail: int = -1


@dataclass(frozen=True)
class Counts:
    """Counts of one stream."""

    total: int
    unique: int
    by_device: list[int]
    unique_by_detail: dict[int, int]


class Stream:
    """Columns in ascending order of time; readers turn them round.

    Arrays are never changed in place, so a bulk load may hand in slices of one big array.
    """

    def __init__(self) -> None:
        self.contact: NDArray[np.int32] = np.zeros(0, np.int32)
        self.at_ms: NDArray[np.int64] = np.zeros(0, np.int64)
        self.arrived_ms: NDArray[np.int64] = np.zeros(0, np.int64)
        self.device: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.detail: NDArray[np.int32] = np.zeros(0, np.int32)
        self._newest_arrival_ms = 0
        self._counts: Counts | None = None
        self._last_of_each: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.contact)

    def replace(
        self,
        contact: NDArray[np.int32],
        at_ms: NDArray[np.int64],
        arrived_ms: NDArray[np.int64],
        device: NDArray[np.uint8],
        detail: NDArray[np.int32],
    ) -> None:
        """Take these columns, already in ascending order of time."""
        self.contact, self.at_ms, self.arrived_ms = contact, at_ms, arrived_ms
        self.device, self.detail = device, detail
        self._newest_arrival_ms = int(arrived_ms.max()) if len(arrived_ms) else 0
        self._counts = self._last_of_each = None

    def add(self, events: Sequence[Event]) -> None:
        """Put events where their time says, after those of the same millisecond."""
        if not events:
            return
        at_ms = np.concatenate([self.at_ms, np.array([e.at_ms for e in events], np.int64)])
        order = np.argsort(at_ms, kind="stable")

        def joined(name: str, old: NDArray[np.generic]) -> NDArray[np.generic]:
            new = np.array([getattr(e, name) for e in events], old.dtype)
            return np.concatenate([old, new])[order]

        self.replace(
            joined("contact", self.contact),  # type: ignore[arg-type]
            at_ms[order],
            joined("arrived_ms", self.arrived_ms),  # type: ignore[arg-type]
            joined("device", self.device),  # type: ignore[arg-type]
            joined("detail", self.detail),  # type: ignore[arg-type]
        )

    def last_of_each(self) -> NDArray[np.intp]:
        """Positions of the newest event of every contact, in ascending order of time."""
        if self._last_of_each is None:
            _, back = np.unique(self.contact[::-1], return_index=True)
            self._last_of_each = np.sort(len(self.contact) - 1 - back)
        return self._last_of_each

    def counts(self, arrived_until_ms: int | None = None) -> Counts:
        """Counts of all events, or of those that had arrived at an instant."""
        if arrived_until_ms is None or arrived_until_ms >= self._newest_arrival_ms:
            if self._counts is None:
                self._counts = _count(self.contact, self.device, self.detail)
            return self._counts
        seen = self.arrived_ms <= arrived_until_ms
        return _count(self.contact[seen], self.device[seen], self.detail[seen])


def _count(
    contact: NDArray[np.int32], device: NDArray[np.uint8], detail: NDArray[np.int32]
) -> Counts:
    kinds = np.unique(detail).tolist()
    return Counts(
        total=len(contact),
        unique=len(np.unique(contact)),
        by_device=np.bincount(device, minlength=len(DEVICES)).tolist(),
        unique_by_detail={kind: len(np.unique(contact[detail == kind])) for kind in kinds},
    )
