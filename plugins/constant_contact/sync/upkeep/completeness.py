"""Completeness: what is stored, held against what the vendor counts.

Campaigns and lists are compared with what the night has read already; the contacts cost one call.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import number
from constant_contact.errors import BudgetSpent, Forbidden, Rejected, Retriable
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.upkeep import findings
from constant_contact.sync.upkeep.findings import FindingsReport

_log = logging.getLogger("constant_contact.completeness")
# What happened in the last hours may not be counted, or not be listed, yet.
_IN_FLIGHT: Final = timedelta(hours=6)
# getContactsCounts: by its property the permission.
_COUNTED: Final = {
    "explicit": "explicit",
    "implicit": "implicit",
    "pending": "pending_confirmation",
    "unsubscribed": "unsubscribed",
}


def compare_campaigns(crm: Database, report: FindingsReport) -> None:
    """Hold the ledger's contacts of each campaign and type against the summary report.

    The summary is as the task `campaigns` mirrored it. The ledger is counted again where it
    changed.
    """
    database.recount(crm)
    with crm.transaction() as connection:
        database.row(connection, "completeness/lock")
        checked_at = state.database_now(connection)
        changed = database.rows(connection, "completeness/changed_ledger")
        columns = {
            name: [row[name] for row in changed]
            for name in ("campaign_id", "activity_type", "events")
        }
        stream_ids = [stream_id for row in changed for stream_id in row["stream_ids"]]
        database.run(connection, "completeness/count_ledger", columns | {"stream_ids": stream_ids})
        # A click takes the judgement of an open away: whatever type changed.
        database.run(connection, "completeness/count_automatic", columns)
        lacking = database.rows(
            connection,
            "completeness/lacking_campaigns",
            {"ab_test_type_code": vendor.AB_TEST_TYPE_CODE, "in_flight": _IN_FLIGHT},
        )
        compared = database.row(connection, "completeness/count_compared") or {}
        found = [
            {**row, "subject_id": row["campaign_id"], "kind": row["activity_type"]}
            for row in lacking
            if not row["is_partly_read"] and not row["is_in_flight"]
        ]
        report.settled += findings.store_findings(connection, "campaign", found, checked_at)
    partly_read = sum(row["is_partly_read"] for row in lacking)
    report.compared += compared["compared"]
    report.partly_read += partly_read
    report.in_flight += len(lacking) - len(found) - partly_read
    findings.log_findings(crm, "campaign", report)


def compare_contacts(client: Client, crm: Database, report: FindingsReport) -> None:
    """Hold the mirror's contacts by permission, and its lists' members, against the vendor's.

    One call. Where the vendor does not give its counts, findings stay as they are.
    """
    database.recount(crm)
    with crm.transaction() as connection:
        in_flight = {"in_flight": _IN_FLIGHT}
        ours = database.rows(connection, "completeness/count_contacts", in_flight)
        carried = database.row(connection, "completeness/count_carried", in_flight) or {}
        full_pass_at = state.load(connection, "contacts").full_pass_at
    recent = sum(row["recent"] for row in ours) + carried["carried"]
    _compare_permissions(client, crm, ours, recent, report)
    with crm.transaction() as connection:
        checked_at = state.database_now(connection)
        database.run(connection, "completeness/count_lists", {"counted_at": checked_at})
        compared = database.rows(
            connection,
            "completeness/differing_lists",
            in_flight | {"recent": recent + carried["erased"], "full_pass_at": full_pass_at},
        )
        found = [row for row in compared if row["is_found"]]
        # A list that is not compared now has no finding.
        report.settled += findings.store_findings(connection, "list", found, checked_at)
    report.compared += len(compared)
    findings.log_findings(crm, "list", report)


def _compare_permissions(
    client: Client, crm: Database, ours: list[dict[str, Any]], recent: int, report: FindingsReport
) -> None:
    try:
        by_vendor = client.get("/contacts/counts")
    except (Rejected, Forbidden, Retriable, BudgetSpent) as error:
        _log.warning("the contacts are not compared with Constant Contact's counts: %s", error)
        by_vendor = {}
    counts = {
        kind: count
        for kind in (*_COUNTED, "total")
        if (count := number(by_vendor.get(kind))) is not None
    }
    if counts:
        fitting = min(_readings(ours), key=lambda each: _distance(each, counts))
        found = [
            {
                "subject_id": "",
                "kind": kind,
                "vendor_count": count,
                "our_count": fitting[kind],
                "reason": None,
                "detail": None,
            }
            for kind, count in counts.items()
            if abs(count - fitting[kind]) > recent
        ]
        with crm.transaction() as connection:
            checked_at = state.database_now(connection)
            report.settled += findings.store_findings(connection, "contacts", found, checked_at)
        report.compared += len(counts)
    findings.log_findings(crm, "contacts", report)


def _readings(ours: list[dict[str, Any]]) -> Iterator[dict[str, int]]:
    """The mirror's counts in each way that the vendor may mean its own.

    The contract does not say whether deleted contacts count, nor whether the total has those of
    other permissions than the four that it counts.
    """
    for is_deleted_counted in (False, True):
        by_permission = {
            row["permission"]: row["living"] + (row["deleted"] if is_deleted_counted else 0)
            for row in ours
        }
        named = {kind: by_permission.get(name, 0) for kind, name in _COUNTED.items()}
        yield named | {"total": sum(by_permission.values())}
        yield named | {"total": sum(named.values())}


def _distance(ours: Mapping[str, int], counts: Mapping[str, int]) -> int:
    return sum(abs(count - ours[kind]) for kind, count in counts.items())
