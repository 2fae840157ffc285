"""Erasure: a person who asks to be forgotten is, and is never written to again.

What goes: the address, what the person did (the ledger's events stay without a contact), the
interactions, the requests and choices, the reasons, the id in the call log. What stays: that the
flag was changed and what was decided about it, without an address, and a digest of the address, so
that the person is not created again. What the CRM contact had before, addresses and links, is the
person's too, unless another contact of the CRM has it now.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import (
    BulkPending,
    ChangesRefused,
    NotFound,
    ServerFault,
    SettingError,
)
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.consent import rules, single
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.erasure")
_LOOK_AGAIN = timedelta(minutes=2)


@dataclass
class ErasureReport(Report):
    """What was erased, and how many addresses are refused from now on."""

    contacts: int = 0
    interactions: int = 0
    events: int = 0
    memberships: int = 0
    calls: int = 0
    addresses_suppressed: int = 0


def person(
    crm: Database, *, contact_id: str | None, constant_contact_id: str | None
) -> dict[str, Any]:
    """Whom an erasure is about, as `erasure/erased_person` says.

    Raises:
        SettingError: No contact, or other CRM contacts as well.
    """
    asked = {"contact_id": contact_id, "constant_contact_id": constant_contact_id}
    if (contact_id is None) == (constant_contact_id is None):
        raise SettingError("params contact_id, constant_contact_id", "give one of them")
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        see_contacts_in(connection, crm)
        found = database.row(connection, "erasure/erased_person", asked) or {}
    if contact_id is not None and found["others"]:
        raise SettingError(
            "param contact_id",
            f"{contact_id} shares an address or a link with {', '.join(found['others'])}: give "
            "them another address and clear their links, or erase all by constant_contact_id",
        )
    if not found["is_known"]:
        asked_for = contact_id or constant_contact_id
        raise SettingError(
            "params contact_id, constant_contact_id", f"nothing is known of {asked_for}"
        )
    if found["taken_by"]:
        _log.warning(
            "What the person had before, and %s of the CRM has now, stays; erase that contact too "
            "if it is the same person",
            ", ".join(found["taken_by"]),
        )
    return found


def erase(client: Client, crm: Database, found: dict[str, Any], *, by: str) -> ErasureReport:
    """Erase what `person` found, in one transaction; one call for each of the vendor's contacts.

    Raises:
        BulkPending: A call that carries the person is on its way, or is being planned.
        ChangesRefused: The vendor may still mail the person.
    """
    with crm.session() as session:
        # No list membership is planned or sent meanwhile.
        if not (database.row(session, "memberships/try_lock") or {})["is_ours"]:
            raise _on_the_way(session)
        try:
            with crm.transaction() as connection:
                on_the_way = database.row(connection, "erasure/is_on_the_way", found) or {}
                if on_the_way["is_on_the_way"]:
                    raise _on_the_way(connection)
                return _erase(client, connection, found | {"erased_by": by})
        finally:
            # A busy server ends a session moments after it is closed.
            if not session.closed:
                database.row(session, "memberships/unlock")


def erase_calls(crm: Database) -> int:
    """Take the ids of the erased from the log of calls: minutes, which delay no other job.

    Returns:
        How many calls had one.
    """
    erased = crm.rows("erasure/in_log")
    calls = 0
    for each in erased:
        calls += crm.run("erasure/erase_calls", each)
    return calls


def _erase(
    client: Client, connection: psycopg.Connection[Any], params: dict[str, Any]
) -> ErasureReport:
    report = ErasureReport(contacts=len(params["contact_ids"]))
    # The change before its contact, as carrying does: an opt-in under way is waited for.
    database.run(connection, "erasure/erase_reasons", params)
    for each in params["constant_contact_ids"]:
        database.row(connection, "opt_outs/lock_contact", {"constant_contact_id": each})
        _refuse_if_mailable(client, each)
    # Before the requests: a run that writes those of a choice is waited for.
    database.run(connection, "erasure/erase_choices", params)
    database.run(connection, "erasure/erase_objections", params)
    database.run(connection, "erasure/add_objections", params)
    report.addresses_suppressed = len(params["email_digests"])
    report.memberships = database.run(connection, "erasure/erase_memberships", params)
    database.run(connection, "erasure/erase_bulk_rows", params)
    # Neither a projection nor a page that was read before brings anything back.
    database.row(connection, "engagement/lock_interactions")
    database.row(connection, "engagement/lock_projection")
    database.run(connection, "erasure/lock_mirror")
    database.run(connection, "erasure/add_erased", params)
    report.interactions = database.run(connection, "erasure/erase_interactions", params)
    database.run(connection, "erasure/forget_links", params)
    database.run(connection, "erasure/erase_links", params)
    # Last: clearing links keeps them there.
    database.run(connection, "erasure/erase_former_keys", params)
    database.run(connection, "erasure/erase_contact", params)
    report.events = database.run(connection, "erasure/erase_events", params)
    return report


def _refuse_if_mailable(client: Client, constant_contact_id: str) -> None:
    """Ask the vendor; afterwards no call names this contact."""
    path = f"/contacts/{constant_contact_id}"
    try:
        current = client.get(path)
    except NotFound:
        return
    if single.matching_contact(constant_contact_id, current) is None:
        raise ServerFault(f"GET {path} answered with no such contact")
    if rules.may_be_mailed(current):
        raise ChangesRefused(
            f"Constant Contact may still mail contact {constant_contact_id}: set Do Not Email in "
            "the CRM and let it be carried, or delete the contact there; then erase"
        )


def _on_the_way(connection: psycopg.Connection[Any]) -> BulkPending:
    return BulkPending(
        "a call for list memberships is on its way; the person is erased after it",
        state.database_now(connection) + _LOOK_AGAIN,
    )
