"""The one clock of the simulator, and how instants are read and written.

Instants are integers: milliseconds since the Unix epoch, UTC. 0 stands for "never".
"""

import time
from datetime import UTC, datetime
from email.utils import format_datetime

import numpy as np
from numpy.typing import NDArray

DAY_MS = 86_400_000


class Clock:
    """Real time by default; can be set, frozen and advanced."""

    def __init__(self) -> None:
        self._base_ms = time.time_ns() // 1_000_000
        self._since_ns = time.monotonic_ns()
        self.frozen = False

    def now_ms(self) -> int:
        """The present instant."""
        if self.frozen:
            return self._base_ms
        return self._base_ms + (time.monotonic_ns() - self._since_ns) // 1_000_000

    def set(
        self, *, now_ms: int | None = None, frozen: bool | None = None, advance_s: float = 0.0
    ) -> None:
        """Move the clock; each argument left out keeps what is."""
        base = self.now_ms() if now_ms is None else now_ms
        self._base_ms = base + round(advance_s * 1000)
        self._since_ns = time.monotonic_ns()
        if frozen is not None:
            self.frozen = frozen

    def http_date(self) -> str:
        """Now, as the Date header writes it."""
        moment = datetime.fromtimestamp(self.now_ms() // 1000, UTC)
        return format_datetime(moment, usegmt=True)


def parse_instant(text: str) -> int:
    """ISO-8601 with an offset, without one (UTC), or a bare date."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def instant(value: object, default: int = 0) -> int:
    """What the control API accepts as an instant: ISO text, milliseconds, or nothing."""
    if value is None:
        return default
    if isinstance(value, (int, float)):
        return int(value)
    return parse_instant(str(value))


def iso(at_ms: int) -> str:
    """As the vendor writes instants: UTC, milliseconds."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def iso_date(at_ms: int) -> str:
    """The UTC day of an instant."""
    return iso(at_ms)[:10]


def iso_many(at_ms: NDArray[np.int64]) -> list[str]:
    """`iso` for a column at once."""
    texts: list[str] = np.datetime_as_string(
        at_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC"
    ).tolist()
    return texts
