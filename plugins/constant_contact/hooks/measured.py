"""The call log, and beside it what a task tells of its calls: a count, metrics, traces."""

import threading
from collections import deque
from datetime import timedelta
from typing import Final

from airflow.sdk.configuration import conf
from opentelemetry import trace

from constant_contact.calls import Call, CallLog

# Of a first load, the last ones: what is measured must not be the task's memory.
MOST_CALLS: Final = 20_000
_METRICS: Final = ("statsd_on", "statsd_datadog_enabled", "otel_on")


def metrics_are_on() -> bool:
    """Whether Airflow sends metrics anywhere."""
    return any(conf.getboolean("metrics", option, fallback=False) for option in _METRICS)


class Tally:
    """How many calls of the day a task made, in several threads; a token's is not one of them.

    Attributes:
        calls: All of them.
        failed: Those of them that got an error or no reply.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.failed = 0
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Count one call."""
        with self._lock:
            self.calls += 1
            self.failed += call.error_message is not None


class MeasuredCallLog:
    """Hands each call on to the log, keeps it to be counted, and makes it a span of the task's."""

    def __init__(self, log: CallLog, calls: deque[Call], tally: Tally | None = None) -> None:
        self._log = log
        self._calls = calls
        self._tally = tally
        self._tracer = trace.get_tracer("constant_contact")
        # Calls are made in threads, which do not know the task's span.
        self._parent = trace.set_span_in_context(trace.get_current_span())
        self._is_counted = metrics_are_on()
        self._is_traced = conf.getboolean("traces", "otel_on", fallback=False)

    def add(self, call: Call) -> None:
        """Take one call; never blocks and never raises."""
        self._log.add(call)
        if self._tally is not None:
            self._tally.add(call)
        if self._is_counted:
            self._calls.append(call)
        if self._is_traced:
            self._trace(call)

    def _trace(self, call: Call) -> None:
        ended_at = call.called_at + timedelta(milliseconds=call.duration_ms)
        span = self._tracer.start_span(
            f"{call.method} {call.path}",
            self._parent,
            kind=trace.SpanKind.CLIENT,
            start_time=int(call.called_at.timestamp() * 1e9),
        )
        span.set_attribute("http.request.method", call.method)
        span.set_attribute("constant_contact.waited_ms", call.waited_ms)
        if call.status is not None:
            span.set_attribute("http.response.status_code", call.status)
        if call.request_id:
            span.set_attribute("constant_contact.request_id", call.request_id)
        if call.error_key or call.status is None:
            span.set_status(trace.StatusCode.ERROR, call.error_key or "no answer")
        span.end(int(ended_at.timestamp() * 1e9))
