"""How many calls a key may make in a second and in a day."""

import time
from collections import deque

from simulator.clock import DAY_MS


class SlidingSecond:
    """At most `rate` admitted calls in any second of real time; refused ones leave no mark."""

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def admit(self, rate: float) -> bool:
        """Whether one more call fits now; if so it is counted."""
        if rate <= 0:
            return True
        # A rate below one is spread: 0.5 is one call in two seconds.
        span_s, calls = (1.0, int(rate)) if rate >= 1 else (1.0 / rate, 1)
        now = time.monotonic()
        while self._admitted and self._admitted[0] <= now - span_s:
            self._admitted.popleft()
        if len(self._admitted) >= calls:
            return False
        self._admitted.append(now)
        return True


class DayQuota:
    """Calls of the current UTC day of the simulator's clock. Refused calls count too."""

    def __init__(self) -> None:
        self.day = -1
        self.used = 0

    def count(self, now_ms: int) -> int:
        """Count a call; returns how many the day has had."""
        day = now_ms // DAY_MS
        if day != self.day:
            self.day, self.used = day, 0
        self.used += 1
        return self.used
