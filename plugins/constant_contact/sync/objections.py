"""The register of objections: heard from the CRM, the vendor and the ledger, and compared.

What is done follows from comparing states: the CRM's contacts as last seen, the register, and the
mirror. A change that the CRM tells of adds who made it and why; it may be missed, late or out of
order, and a contact that objects is found all the same.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import psycopg

from constant_contact.errors import ChangesRefused
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts_in

Answer = Literal["may", "must not be mailed", "must not exist"]

_REASONS: Final = {
    "erasure": "The person was erased.",
    "asked": "The contact asked not to be mailed.",
    "vendor_contact": "The contact unsubscribed at Constant Contact.",
    "vendor_account": "The account unsubscribed the contact at Constant Contact.",
    "click": "The contact unsubscribed by a link in a mail at {at}.",
    "flag": "Do Not Email is set in the CRM for this address.",
}


class Gate(NamedTuple):
    """What the gate answers, and why.

    Attributes:
        source: Of the objection that weighs most; None: there is none.
        objected_at: When it was said.
        contact_id: The CRM contact that it came from, if one is known.
    """

    answer: Answer
    source: str | None
    objected_at: datetime | None
    contact_id: str | None

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        if self.source is None or self.objected_at is None:
            return "No objection stands."
        at = f"{self.objected_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return _REASONS[self.source].format(at=at)


def ask_gate(
    connection: psycopg.Connection[Any],
    *,
    contact_id: str | None = None,
    constant_contact_id: str | None = None,
    address: str | None = None,
) -> Gate:
    """Ask whether a contact may be emailed, by the keys that are known.

    Args:
        connection: Of the CRM.
        contact_id: The CRM contact.
        constant_contact_id: The vendor's contact; its address counts then.
        address: The address that would be mailed, if there is no such contact.
    """
    keys = {
        "contact_id": contact_id,
        "constant_contact_id": constant_contact_id,
        "address": address,
    }
    found = database.row(connection, "consent/gate", keys) or {}
    return Gate(found["answer"], found["source"], found["objected_at"], found["contact_id"])


def look_and_hear(crm: Database, contact_ids: Collection[str] | None = None) -> None:
    """Look at the CRM's contacts, and hear at once what objects there.

    Args:
        crm: Where `ctct_link` and the register are.
        contact_ids: Of these CRM contacts only; None: all.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        see_contacts_in(connection, crm, contact_ids)
        update_register(connection, contact_ids)


def update_register(
    connection: psycopg.Connection[Any], contact_ids: Collection[str] | None = None
) -> None:
    """Bring the register up to what the CRM and the mirror say.

    Args:
        connection: In the transaction that looked at the CRM.
        contact_ids: Of these CRM contacts only, and nothing new of the vendor's; None: all.
    """
    ids = None if contact_ids is None else list(contact_ids)
    database.run(connection, "consent/resolve_changes")
    database.run(connection, "consent/hear_changes", {"contact_ids": None})
    if ids is None:
        database.run(connection, "consent/lift_returned")
        hear_vendor(connection)
    database.run(connection, "consent/hear_flags", {"contact_ids": ids})
    if ids is None:
        database.run(connection, "consent/hear_merged")


def hear_vendor(
    connection: psycopg.Connection[Any], constant_contact_id: str | None = None
) -> None:
    """Bring the register up to what the mirror says, of one contact or of all."""
    which = {"constant_contact_id": constant_contact_id}
    if constant_contact_id is not None:
        database.run(connection, "consent/hear_clicks", which | {"position": 0})
    database.run(connection, "consent/lift_opted_in", which)
    database.run(connection, "consent/hear_vendor", which)


def find_mailable(
    connection: psycopg.Connection[Any], contact_ids: Collection[str] | None = None
) -> int:
    """Queue an opt-out of each contact that objects by the CRM and may still be mailed.

    Args:
        connection: After `update_register`.
        contact_ids: Of these CRM contacts only; None: all.

    Returns:
        How many were queued.
    """
    ids = None if contact_ids is None else list(contact_ids)
    found = database.run(connection, "consent/find_mailable", {"contact_ids": ids})
    if ids is None and database.row(connection, "consent/end_cut_over"):
        _cut_over(connection, found)
    return found


def _cut_over(connection: psycopg.Connection[Any], found: int) -> None:
    """Ask a person about what the first comparison of all after an upgrade found."""
    if found:
        detail = (
            "The first comparison after an upgrade found contacts that object in the CRM and may "
            "still be mailed at Constant Contact. They are unsubscribed when a person approves "
            "this; what the CRM changes meanwhile goes out as before."
        )
        database.run(connection, "consent/hold_cut_over", {"detail": detail})
    detail = (
        "Contacts with Do Not Email in the CRM were unsubscribed at Constant Contact by the "
        "account, without an opt-out of ours on record. Approve if Do Not Email was why: clearing "
        "it lets them be mailed again. Else a person decides about each that is cleared."
    )
    database.run(connection, "objections/hold_older", {"detail": detail})


def find_taken_back(connection: psycopg.Connection[Any]) -> int:
    """Queue an opt-in of each contact that only an opt-out of ours keeps out, which nothing holds.

    Whether it is opted in the gate decides when the change is carried, as of any opt-in.

    Args:
        connection: After `update_register` of all; not where the CRM was seen for the first time.

    Returns:
        How many were queued.
    """
    found = [row["change_id"] for row in database.rows(connection, "consent/find_taken_back")]
    if database.row(connection, "consent/end_cut_over_of_opt_ins") and found:
        detail = (
            "The first comparison after an upgrade found contacts that are unsubscribed at "
            "Constant Contact by an opt-out of ours, without any objection. They may be "
            "mailed again when a person approves this; what the CRM changes meanwhile goes out as "
            "before."
        )
        held = {"detail": detail, "change_ids": found}
        database.run(connection, "consent/hold_taken_back", held)
    return len(found)


def standing_objections(
    connection: psycopg.Connection[Any], keys: Mapping[str, str | None]
) -> dict[str, bool]:
    """Which objections stand: `is_asked`, `is_own`, `is_flagged`, `is_erased`."""
    return database.row(connection, "consent/standing_objections", keys) or {}


def lift(crm: Database, objection_id: int, *, evidence: str, by: str) -> None:
    """Lift an objection as a person decided; nothing is sent by that.

    Raises:
        ChangesRefused: It stands no more, or it is none that a person may lift.
    """
    decided = {"objection_id": objection_id, "evidence": evidence, "lifted_by": by}
    if not crm.run("consent/lift", decided):
        raise ChangesRefused(
            f"objection {objection_id} is not lifted: it was lifted before, or Do Not Email is "
            "set in the CRM (clear it there), or only the contact can take it back at Constant "
            "Contact, or it is an erasure"
        )
