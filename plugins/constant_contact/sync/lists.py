"""Lists: all of them, every time; an account has at most 1,000."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import ListRecord, number, parse_list
from constant_contact.errors import other_account
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.paging import restarting
from constant_contact.sync.report import Report
from constant_contact.sync.set_aside import SetAside

_log = logging.getLogger("constant_contact.lists")


@dataclass
class ListsReport(Report):
    """What the mirror has after a run.

    Attributes:
        uncounted: Lists of which the vendor tells no number of members, such as segments; they are
            mirrored, and not compared.
        set_aside: Lists that met an unexpected error; the next run tries them again.
    """

    read: int = 0
    newly_deleted: int = 0
    active: int = 0
    deleted: int = 0
    malformed: int = 0
    uncounted: int = 0
    set_aside: int = 0


def sync_lists(client: Client, crm: Database) -> ListsReport:
    """Mirror every list with its membership count; mark those that are gone.

    getLists, with `status=all`: so a deleted one differs from one that was never there.
    """
    report = ListsReport()
    params = {
        "limit": vendor.LISTS_PER_PAGE,
        "include_membership_count": "all",
        "include_count": "true",
        "status": "all",
    }
    with crm.transaction() as connection:
        started_at = state.database_now(connection)
        before = database.row(connection, "lists/count") or {}
    aside = SetAside(crm, "list")
    records: dict[str, ListRecord] = {}
    is_told = True
    counted = 0
    for page in restarting(lambda: client.pages("/contact_lists", params)):
        is_told = is_told and isinstance(page.payload.get("lists"), list)
        parsed, malformed = aside.parse(page.rows("lists"), parse_list)
        report.malformed += malformed
        counted = max(counted, number(page.payload.get("lists_count")) or 0)
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
        if len(records) + report.malformed < counted:
            _log.warning(
                "GET /contact_lists: %d lists came on its pages, and Constant Contact counts %d: "
                "those that did not come count as there. If it stays so, run the check",
                len(records),
                counted,
            )
            is_told = False

        def store(some: Sequence[ListRecord]) -> None:
            columns = database.columns(ListRecord, some)
            database.run(connection, "lists/upsert_page", columns | {"mirrored_at": started_at})

        aside.store(connection, list(records.values()), store)
        if is_told and not aside.met:
            # A page without the collection, or lists that are counted and did not come, say of no
            # list that it is gone; nor is one that is set aside.
            database.run(connection, "lists/mark_missing", {"mirrored_at": started_at})
        after = database.row(connection, "lists/count") or {}
    report.set_aside = aside.log_standing()
    report.active, report.deleted = after["active"], after["deleted"]
    report.newly_deleted = max(0, report.deleted - before["deleted"])
    return report
