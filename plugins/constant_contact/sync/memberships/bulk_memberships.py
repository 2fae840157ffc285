"""Bulk creation of memberships: a list, and who is to be on it. No API call.

It only writes requests; the job of memberships carries them. What it foretells comes from the same
SQL that routes them then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg

from constant_contact.errors import SettingError
from constant_contact.store import database, state
from constant_contact.store.accounts import account_in
from constant_contact.store.database import Database
from constant_contact.store.seam import Seam, SeamFile
from constant_contact.sync.memberships import routes
from constant_contact.sync.objections import look_and_hear
from constant_contact.sync.report import Report


@dataclass(frozen=True)
class Chosen:
    """Which CRM contacts: by one of these.

    Attributes:
        contact_ids: Of the CRM.
        selection: The name of a selection.
    """

    contact_ids: Sequence[str] = ()
    selection: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which CRM contacts: a selection, narrowed by all the other fields.

    Attributes:
        contact_ids: Of the CRM; or else
        selection: the name of a selection; or else all there are.
        search: Part of a name or of an address.
        on_list: Is on this list, as the mirror has it.
        not_on_list: Is not on this one.
        is_mailable: Said no on neither side.
    """

    contact_ids: Sequence[str] = ()
    selection: str = ""
    search: str = ""
    on_list: str = ""
    not_on_list: str = ""
    is_mailable: bool = False


@dataclass
class BulkMembershipsReport(Report):
    """What was asked for, and what will become of it as things stand.

    Attributes:
        chosen: CRM contacts.
        unknown: Ids that the CRM does not have.
        carried: Contacts that a call is made for.
        unchanged: Contacts that need no change.
        refused: Contacts that cannot be put there, by the reason.
        requested: Requests written; none in a dry run.
        overruled: Contacts left as they are, since something else was wanted later.
    """

    chosen: int = 0
    unknown: int = 0
    carried: int = 0
    unchanged: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    requested: int = 0
    overruled: int = 0


def request_memberships(
    crm: Database,
    list_id: str,
    chosen: Chosen,
    *,
    action: Literal["add", "remove"] = "add",
    dry_run: bool = False,
    asked_at: datetime | None = None,
) -> BulkMembershipsReport:
    """Request that the chosen contacts are put on a list, or taken off it.

    They count as wanted at `asked_at`, which may be long ago; None: now.

    Raises:
        SettingError: There is no such list or selection, or not one way of choosing.
    """
    look_and_hear(crm)
    with crm.transaction() as connection:
        check_list(connection, list_id)
        contact_ids = _contact_ids(connection, chosen, crm.seam)
        report = preview(connection, list_id, action, contact_ids)
        if not dry_run:
            requests = {"contact_id": contact_ids, "list_id": list_id, "action": action}
            asked_at = asked_at or state.database_now(connection)
            write_requests(connection, requests, asked_at, report)
    return report


def write_requests(
    connection: psycopg.Connection[Any],
    requests: dict[str, Any],
    asked_at: datetime,
    report: BulkMembershipsReport,
) -> None:
    """Write requests, as old as the wish is, and tell in the report what came of it.

    Args:
        connection: In the transaction that looked at them.
        requests: contact_id (list), list_id and action.
        asked_at: When it was wanted: what was wanted later stands.
        report: Of the same transaction.
    """
    params = requests | {"asked_at": asked_at}
    report.requested = database.run(connection, "memberships/request_memberships", params)
    left = database.row(connection, "memberships/count_overruled", requests) or {}
    report.overruled = left["overruled"]


def preview(
    connection: psycopg.Connection[Any], list_id: str, action: str, contact_ids: Sequence[str]
) -> BulkMembershipsReport:
    """What would become of these requests as things stand; writes nothing."""
    params = {"contact_id": list(contact_ids), "list_id": list_id, "action": action}
    known = routes.want(connection, params)
    routes.route(connection)
    report = BulkMembershipsReport(chosen=known, unknown=len(set(contact_ids)) - known)
    for row in database.rows(connection, "memberships/count_routes"):
        match row["route"]:
            case "rejected" | "failed":
                report.refused[row["detail"]] = row["contacts"]
            case "done":
                report.unchanged += row["contacts"]
            case _:
                report.carried += row["contacts"]
    return report


def check_list(connection: psycopg.Connection[Any], list_id: str) -> None:
    """Refuse a list that is not there.

    Raises:
        SettingError: The mirror does not know it, or it was deleted.
    """
    if database.rows(connection, "memberships/dead_lists", {"list_ids": [list_id]}):
        raise SettingError(
            "param list_id",
            f"{list_id!r} is no list of Constant Contact; ctct_list has them, and "
            f"{account_in(connection).dag_id('lists')} learns of new ones",
        )


def _contact_ids(connection: psycopg.Connection[Any], chosen: Chosen, seam: Seam) -> list[str]:
    if bool(chosen.contact_ids) == bool(chosen.selection):
        raise SettingError("params contact_ids and selection", "give exactly one of the two")
    if chosen.contact_ids:
        return list(dict.fromkeys(chosen.contact_ids))
    return _selected(connection, seam.selection(chosen.selection))


def find(connection: psycopg.Connection[Any], wanted: Wanted, seam: Seam) -> list[str]:
    """The ids of the contacts wanted; ids that the CRM does not have are left out.

    Raises:
        SettingError: There is no such selection.
    """
    among: Sequence[str] | None = list(wanted.contact_ids) or None
    if among is None and wanted.selection:
        among = _selected(connection, seam.selection(wanted.selection))
    params = {
        "search": wanted.search.strip(),
        "contact_id": among,
        "on_list": wanted.on_list,
        "not_on_list": wanted.not_on_list,
        "is_mailable": wanted.is_mailable,
    }
    found = database.rows(connection, "links/search_contacts", params)
    return [row["contact_id"] for row in found]


def _selected(connection: psycopg.Connection[Any], selection: SeamFile) -> list[str]:
    return [contact_id for (contact_id,) in connection.execute(selection.text)]
