"""Findings: where what is stored is not what the vendor counts, in words, until it is."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.completeness")
_NAMED: Final = 20

_REREAD: Final = "trigger activities with reread; if it stays, show both counts to its support"
_SUPPORT: Final = "show both counts to its support"
# By `ctct_finding.reason`: why, with its detail, and what to do.
_CAMPAIGN: Final[dict[str | None, tuple[str, str]]] = {
    "ab_test": (
        "it is an A/B test, of which the API reports nothing",
        "look at it in Constant Contact",
    ),
    "automated": (
        "it is an automated email, of which the API reports nothing",
        "look at it in Constant Contact",
    ),
    "removed": (
        "it was deleted at Constant Contact, which does not report it any more",
        "restore it there, or leave it",
    ),
    "no_activities": (
        "Constant Contact shows no activity of it that may have reports",
        "see the log of the task campaigns, and show it to its support",
    ),
    "refused": ("Constant Contact refuses a report: {detail}", "show the answer to its support"),
    "unexpected": ("a report met an unexpected error: {detail}", "report it if it stays"),
    "malformed": ("{detail} rows of its reports have no contact or no time", _SUPPORT),
    "purged": (
        "its reports list {detail} fewer than they count, and as many contacts were purged since",
        "nothing: their events are gone at Constant Contact",
    ),
    "shortfall": ("its reports list {detail} fewer than they count", _REREAD),
    "unread": ("its reports were not read, as the statistics count nothing in them", _REREAD),
    "not_shown": (
        "the ledger has all that its activities report: another may be counted that is not shown",
        _SUPPORT,
    ),
    "not_listed": ("the summary report does not have it any more", _SUPPORT),
    None: ("why is not known", _REREAD),
}
_CONTACTS: Final = (
    "why is not known",
    "the next run reads all contacts; if it stays, show both counts to its support",
)
_LIST: Final = (
    "why is not known",
    "run lists, then contacts with full; if it stays, show both counts to its support",
)
# What the vendor counts, and where ours are.
_OURS: Final = {"campaign": "the ledger", "contacts": "the mirror", "list": "the mirror"}


@dataclass
class FindingsReport(Report):
    """What a comparison found.

    Attributes:
        compared: Counts of the vendor that were compared.
        findings: Those that differ, by more than what may be on its way.
        difference: By how many in all.
        reasons: Findings by reason.
        in_flight: Those that differ by what may be on its way.
        partly_read: Those of reports that are not read back to the beginning.
        settled: Findings of before that agree now.
    """

    compared: int = 0
    findings: int = 0
    difference: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    partly_read: int = 0
    settled: int = 0


def store_findings(
    connection: psycopg.Connection[Any],
    noun: str,
    found: Sequence[Mapping[str, Any]],
    checked_at: datetime,
) -> int:
    """Store a comparison's findings; forget those of before that agree now.

    Args:
        connection: Of the comparison's transaction.
        noun: campaign, contacts or list.
        found: With `subject_id`, `kind`, `vendor_count`, `our_count`, `reason` and `detail`.
        checked_at: When it was compared.

    Returns:
        How many agree now.
    """
    names = ("subject_id", "kind", "vendor_count", "our_count", "reason", "detail")
    columns = {name: [row[name] for row in found] for name in names}
    when = {"noun": noun, "checked_at": checked_at}
    database.run(connection, "completeness/keep_findings", columns | when)
    settled = database.rows(connection, "completeness/drop_findings", when)
    for row in settled[:_NAMED]:
        _log.info("%s: the counts agree again", _named(noun, row))
    return len(settled)


def log_findings(crm: Database, noun: str, report: FindingsReport) -> None:
    """Name the findings in the log, and count them in the report."""
    rows = crm.rows("completeness/findings", {"noun": noun})
    for row in rows[:_NAMED]:
        _log.warning("%s", sentence(row))
    if len(rows) > _NAMED:
        _log.warning("%d more findings: ctct_finding", len(rows) - _NAMED)
    report.findings += len(rows)
    report.difference += sum(abs(row["vendor_count"] - row["our_count"]) for row in rows)
    reasons = Counter(report.reasons) + Counter(row["reason"] or "unknown" for row in rows)
    report.reasons = dict(sorted(reasons.items()))


def sentence(row: Mapping[str, Any]) -> str:
    """What differs, why, and what to do, in one line."""
    why, what_to_do = reason(row)
    return (
        f"{_named(row['noun'], row)}: Constant Contact counts {row['vendor_count']:,}, "
        f"{_OURS[row['noun']]} has {row['our_count']:,}: {why}; {what_to_do}"
    )


def reason(row: Mapping[str, Any]) -> tuple[str, str]:
    """Why a finding differs, and what to do."""
    if row["noun"] != "campaign":
        return _CONTACTS if row["noun"] == "contacts" else _LIST
    why, what_to_do = _CAMPAIGN.get(row["reason"], _CAMPAIGN[None])
    return why.format(detail=row["detail"]), what_to_do


def _named(noun: str, row: Mapping[str, Any]) -> str:
    kind = row["kind"].replace("_", "-")
    if noun == "contacts":
        return f"contacts, {kind}"
    return f"{noun} {row['subject_id']}{f', {kind}s' if kind else ''}"
