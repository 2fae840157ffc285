"""The table of the calls that each fault wasted."""

from collections.abc import Callable
from itertools import chain

import pytest

Wasted = Callable[[str, str, int], None]
# Calls beyond the undisturbed runs, as a report's property: fault, job, number.
_WASTED = "wasted calls"


@pytest.fixture
def wasted(record_property: Callable[[str, object], None]) -> Wasted:
    """Keeps how many calls a fault cost a job, for the table."""
    return lambda fault, job, calls: record_property(_WASTED, (fault, job, calls))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests may have run in other processes: what they kept comes with their reports."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    table: dict[str, dict[str, int]] = {}
    for name, kept in chain.from_iterable(each.user_properties for each in reports):
        if name == _WASTED:
            fault, job, calls = kept
            row = table.setdefault(fault, {})
            row[job] = max(calls, row.get(job, calls))
    if not table:
        return
    jobs = sorted({job for row in table.values() for job in row})
    terminalreporter.section("calls wasted by each fault, beyond the same runs without it")
    terminalreporter.line(f"{'':28}" + "".join(f"{job[:11]:>12}" for job in jobs))
    for fault, row in sorted(table.items()):
        cells = "".join(f"{row.get(job, '-'):>12}" for job in jobs)
        terminalreporter.line(f"{fault:28}{cells}")
