"""Retention: what is kept of calls, choices and checks does not grow for ever. No API call."""

from dataclasses import dataclass

from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.report import Report

# So that no transaction is long; the next one begins at once.
_CALLS_A_TIME = 20_000


@dataclass
class RetentionReport(Report):
    """What was forgotten."""

    calls_forgotten: int = 0
    bulk_activities_forgotten: int = 0
    choices_forgotten: int = 0
    checks_forgotten: int = 0


def forget_calls(crm: Database, *, days: int) -> RetentionReport:
    """Delete what is older than `days`: calls, what they changed of memberships, choices, checks.

    A choice that was not requested is kept for a day; the last check is kept.
    """
    report = RetentionReport()
    with crm.transaction() as connection:
        report.bulk_activities_forgotten = database.run(
            connection, "memberships/forget_old", {"days": days}
        )
        report.choices_forgotten = database.run(connection, "choices/forget", {"days": days})
        report.checks_forgotten = database.run(connection, "check/forget", {"days": days})
    while True:
        forgotten = crm.run("api/forget_calls", {"days": days, "most": _CALLS_A_TIME})
        report.calls_forgotten += forgotten
        if forgotten < _CALLS_A_TIME:
            return report
