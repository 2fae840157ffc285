"""Lists: all of them, every time; an account has at most 1,000."""

import logging
from dataclasses import dataclass

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import ListRecord, parse_list, parse_rows
from constant_contact.errors import other_account
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.paging import restarting
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.lists")


@dataclass
class ListsReport(Report):
    """What the mirror has after a run.

    Attributes:
        uncounted: Lists of which the vendor tells no number of members, such as segments; they are
            mirrored, and not compared.
    """

    read: int = 0
    newly_deleted: int = 0
    active: int = 0
    deleted: int = 0
    malformed: int = 0
    uncounted: int = 0


def sync_lists(client: Client, crm: Database) -> ListsReport:
    """Mirror every list with its membership count; mark those that are gone.

    getLists, with `status=all`: deleted ones are told apart from those that were never there.
    """
    report = ListsReport()
    params = {"limit": vendor.LISTS_PER_PAGE, "include_membership_count": "all", "status": "all"}
    with crm.transaction() as connection:
        started_at = state.database_now(connection)
        before = database.row(connection, "lists/count") or {}
    records: dict[str, ListRecord] = {}
    is_told = True
    for page in restarting(lambda: client.pages("/contact_lists", params)):
        is_told = is_told and isinstance(page.payload.get("lists"), list)
        parsed, malformed = parse_rows(page.rows("lists"), parse_list)
        report.malformed += malformed
        records |= {record.list_id: record for record in parsed}
    report.read = len(records)
    report.uncounted = sum(
        record.membership_count is None and record.deleted_at is None for record in records.values()
    )
    with crm.transaction() as connection:
        found = database.row(connection, "lists/known", {"list_ids": list(records)}) or {}
        if records and found["mirrored"] and not found["known"]:
            raise other_account(client.conn_id, "lists")
        if found["mirrored"] and not records:
            # With status=all deleted ones are listed too.
            _log.warning("Constant Contact lists no list; that is not believed")
            is_told = False
        columns = database.columns(ListRecord, list(records.values()))
        database.run(connection, "lists/upsert_page", columns | {"mirrored_at": started_at})
        if is_told:
            # A page without the collection says of no list that it is gone.
            database.run(connection, "lists/mark_missing", {"mirrored_at": started_at})
        after = database.row(connection, "lists/count") or {}
    report.active, report.deleted = after["active"], after["deleted"]
    report.newly_deleted = max(0, report.deleted - before["deleted"])
    return report
