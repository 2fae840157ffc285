"""Which way each request for a membership goes, and the calls that go that way; all by SQL."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

import psycopg

from constant_contact.api import vendor
from constant_contact.store import database
from constant_contact.store.crm_contacts import spell_ids
from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.objections import update_register

MOST_TRIES = 3
# One by one takes a call each; the rest wait for the next round.
MOST_CREATIONS = 100
# An import costs, beside its own call, about two looks at it and two readings that learn the ids.
_IMPORT_CALLS = 4
# Two readings bring the mirror up to now before anything is sent; all jobs are polled by one call.
_ROUND_CALLS = 3
_MANY: Final = 1_000
# `{"email": "", "first_name": "", "last_name": ""}, ` and quotation marks counted once more.
_FIXED_BYTES = 64


class Waiting(NamedTuple):
    """What there is to route."""

    requests: int
    unknown_lists: int


def forget_and_count(connection: psycopg.Connection[Any]) -> Waiting:
    """Forget what was planned and never sent; count what waits then."""
    database.run(connection, "memberships/forget_planned")
    wanted = want(connection)
    unknown = database.row(connection, "memberships/unknown_lists") or {}
    return Waiting(wanted, unknown["unknown"])


def plan(
    connection: psycopg.Connection[Any],
    crm: Database,
    hold: Callable[[psycopg.Connection[Any]], int],
) -> Counter[str]:
    """Route what is pending, keep the answers that need no call, plan the calls.

    Args:
        connection: Of the CRM.
        crm: The same: its contacts are looked at if a request is about one that is new.
        hold: The circuit breaker; it weighs at least what is planned here, since it looks later.

    Returns:
        How many requests go which way; those `held` go none.
    """
    want(connection)
    if unseen := database.rows(connection, "memberships/unseen_contacts"):
        contact_ids = [row["contact_id"] for row in unseen]
        see_contacts_in(connection, crm, contact_ids)
        update_register(connection, contact_ids)
        if _spell_requests(connection, crm, contact_ids):
            want(connection)
    held = hold(connection)
    if held:
        database.run(connection, "memberships/drop_held")
    route(connection)
    routed: Counter[str] = Counter(held=held)
    for row in database.rows(connection, "memberships/count_routes"):
        routed[row["route"]] += row["requests"]
    database.run(connection, "memberships/settle_memberships")
    database.run(
        connection,
        "memberships/plan_changes",
        {"most_contacts": vendor.CONTACTS_PER_CHANGE, "most_lists": vendor.LISTS_PER_CHANGE},
    )
    database.run(connection, "memberships/plan_creations", {"most": MOST_CREATIONS})
    database.run(
        connection,
        "memberships/plan_imports",
        {
            "most_bytes": vendor.IMPORT_BYTES,
            "least_bytes": -(-vendor.IMPORT_BYTES // vendor.IMPORT_CONTACTS),
            "fixed_bytes": _FIXED_BYTES,
        },
    )
    if routed.total() >= _MANY:
        # A call that was just planned is in no statistics: it would be taken for one row.
        database.analyze(connection, "ctct_bulk_activity_row")
    return routed


def begin_call(crm: Database, bulk_id: int) -> dict[str, Any] | None:
    """Keep that a call is about to be sent, to the contacts that it is still right for.

    The CRM is looked at once more: what it says now counts.

    Returns:
        The call; None if it is right for no contact any more.
    """
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        concerned = database.rows(
            connection, "memberships/concerned_contacts", {"bulk_id": bulk_id}
        )
        contact_ids = [row["contact_id"] for row in concerned]
        see_contacts_in(connection, crm, contact_ids)
        update_register(connection, contact_ids)
        database.run(connection, "memberships/drop_changed_requests", {"bulk_id": bulk_id})
        call = database.row(connection, "memberships/begin_sending", {"bulk_id": bulk_id})
    return call if call and call["contacts"] else None


def estimate_calls(connection: psycopg.Connection[Any]) -> int:
    """About how many calls the routed requests need, all of them for one list."""
    limits = {
        "most_contacts": vendor.CONTACTS_PER_CHANGE,
        "most_bytes": vendor.IMPORT_BYTES,
        "import_calls": _IMPORT_CALLS,
        "fixed_bytes": _FIXED_BYTES,
    }
    calls = int((database.row(connection, "memberships/estimate_calls", limits) or {})["calls"])
    return calls + _ROUND_CALLS if calls else 0


def route(connection: psycopg.Connection[Any]) -> None:
    """Route each row of `wanted_membership`, into `routed_membership`."""
    database.run(
        connection,
        "memberships/route_memberships",
        {
            "most_lists": vendor.LISTS_PER_CONTACT,
            "email_chars": vendor.EMAIL_CHARS,
            "import_email_chars": vendor.IMPORT_EMAIL_CHARS,
            "name_chars": vendor.NAME_CHARS,
            "most_tries": MOST_TRIES,
        },
    )
    database.analyze(connection, "routed_membership")
    database.run(connection, "memberships/create_few", {"import_calls": _IMPORT_CALLS})


def want(connection: psycopg.Connection[Any], chosen: dict[str, Any] | None = None) -> int:
    """Stage what is to be routed, to the transaction's end; return how many requests it is.

    Args:
        connection: Of the CRM.
        chosen: contact_id (list), list_id and action of requests that are not written yet;
            None: all requests that are pending.
    """
    database.stage(connection, "memberships/stage_wanted", "wanted_membership", [])
    database.run(connection, "memberships/stage_routed")
    name = "memberships/want_chosen" if chosen else "memberships/want_memberships"
    wanted = database.run(connection, name, chosen)
    database.analyze(connection, "wanted_membership")
    return wanted


def _spell_requests(
    connection: psycopg.Connection[Any], crm: Database, contact_ids: Collection[str]
) -> bool:
    """Give requests the id of contacts.sql, as `spell_changes` does; return whether any had not."""
    spelled = spell_ids(connection, crm, contact_ids)
    for written, contact_id in spelled.items():
        key = {"written": written, "contact_id": contact_id}
        database.run(connection, "memberships/drop_overtaken", key)
        database.run(connection, "memberships/spell_contact", key)
    return bool(spelled)
