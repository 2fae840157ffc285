"""The log of what was called."""

import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass
class Entry:
    """One call."""

    number: int
    #: The machine's time in UTC, whatever the simulated clock says: the API's day ends by it.
    real_time: str
    monotonic_s: float
    method: str
    path: str
    query: str
    #: The path with placeholders; '' when no route has it.
    template: str = ""
    status: int = 0
    throttled: bool = False
    fault: str = ""
    ms: float = 0.0


class CallLog:
    """Calls of the vendor's API and of its token endpoint; the control API is not in it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._next = 1

    def clear(self) -> None:
        """Forget all calls; numbers go on."""
        self.entries.clear()

    def start(self, method: str, path: str, query: str) -> Entry:
        """Note a call as it arrives; what came of it is filled in later."""
        now = datetime.now(UTC).isoformat()
        entry = Entry(self._next, now, time.monotonic(), method, path, query)
        self._next += 1
        self.entries.append(entry)
        return entry

    def api_entries(self) -> list[Entry]:
        """Calls that count toward the limits: those under /v3."""
        return [each for each in self.entries if each.path.startswith("/v3/")]

    def max_in_one_second(self) -> int:
        """The most arrivals in any second, refused ones too."""
        times = [each.monotonic_s for each in self.api_entries()]
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def summary(self) -> list[dict[str, Any]]:
        """Counts by method, template and status."""
        counts = Counter(
            (each.method, each.template or each.path, each.status) for each in self.entries
        )
        return [
            {"method": method, "template": template, "status": status, "count": count}
            for (method, template, status), count in sorted(counts.items())
        ]

    def since(self, number: int) -> list[dict[str, Any]]:
        """Calls with a number above this one. Status 0: never answered."""
        return [asdict(each) for each in self.entries if each.number > number]
