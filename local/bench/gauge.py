"""Time, CPU and memory of a measurement, which has a process to itself.

Nothing but the standard library: the environments of the rivals have no more in common with ours.
"""

import resource
import time
from pathlib import Path
from typing import Any, Self

_MB = 1 << 20


class Gauge:
    """Around the measured part; imports and preparations stay outside."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_s = 0.0

    def __enter__(self) -> Self:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_s = time.process_time() - self._cpu_started

    def figures(self) -> dict[str, Any]:
        """Seconds and CPU seconds of the part, and the process's peak memory up to now."""
        return {"seconds": self.seconds, "cpu_s": self.cpu_s, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most resident memory this process ever had."""
    try:
        # not ru_maxrss: that one survives exec, so a child would inherit its parent's peak
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / _MB
    except FileNotFoundError:
        pass
    # macOS counts bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
