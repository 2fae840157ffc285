"""Held opt-ins: the contact said no, the CRM now says yes, and a person decides what is done.

Nothing here opts anybody in. A person may have the vendor send its confirmation mail, once ever to
a contact, and only the contact's own answer to it counts; or the wish is dismissed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.calls import Call
from constant_contact.errors import (
    ChangesRefused,
    ConstantContactError,
    Rejected,
    WriteUncertain,
)
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.objections import standing_objections, update_register
from constant_contact.sync.report import Report

_SENT = (
    "Constant Contact has sent its confirmation mail. When the contact confirms, this change is "
    "done by itself; until then it is not mailed."
)
_UNKNOWN = "Whether the confirmation mail was sent is not known; it is not sent twice."


@dataclass
class OptInsReport(Report):
    """What was done about one held opt-in."""

    confirmations: int = 0
    dismissed: int = 0


def ask_confirmation(
    client: Client, crm: Database, *, change_id: int, list_ids: Sequence[str], by: str
) -> OptInsReport:
    """Have the vendor ask the contact whether it wants mail again (resubscribeContact).

    The mail is claimed and committed before it is asked for; then the contact is ours, and the CRM
    is asked once more, until the vendor has answered. The vendor wants a list at least.

    Raises:
        ChangesRefused: The change does not wait, Do Not Email is set since, the mail was asked for
            before, or the vendor refuses it.
        WriteUncertain: No answer; whether the mail was sent is not known, so it is not sent again.
        Later, Fatal: As for any call; nothing was sent.
    """
    if not list_ids:
        raise ChangesRefused("name at least one list in list_ids: Constant Contact asks for it")
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        see_contacts_in(connection, crm)
        update_register(connection)
    with crm.transaction() as connection:
        contact = _askable(connection, change_id)
        claim = {"constant_contact_id": contact, "change_id": change_id, "asked_by": by}
        if database.row(connection, "opt_ins/begin_confirmation", claim) is None:
            raise ChangesRefused(_asked_before(connection, contact))
    sent: Call | None = None
    try:
        with crm.transaction() as connection:
            # The change before its contact, as carrying and erasing do.
            _held(connection, change_id)
            database.row(connection, "opt_outs/lock_contact", {"constant_contact_id": contact})
            if _askable(connection, change_id) != contact:
                raise ChangesRefused(f"change {change_id}: its link has moved; look at it again")
            client.put(f"/contacts/resubscribe/{contact}", {"list_ids": list(list_ids)})
            sent = client.last_call
    except WriteUncertain as error:
        with crm.transaction() as connection:
            _decide(
                connection, change_id, "held", _UNKNOWN, "confirmation_uncertain", by,
                client.last_call,
            )  # fmt: skip
        raise WriteUncertain(f"{error}. {_UNKNOWN}") from None
    except ConstantContactError as error:
        # A connection that was lost while the vendor answered took the locks, not the mail.
        if sent is None:
            raise _not_sent(client, crm, claim, error) from None
    with crm.transaction() as connection:
        said = {"constant_contact_id": contact, "answer": "sent"}
        database.run(connection, "opt_ins/end_confirmation", said)
        _decide(connection, change_id, "held", _SENT, "confirmation_asked", by, sent)
    return OptInsReport(confirmations=1)


def _not_sent(
    client: Client, crm: Database, claim: dict[str, Any], error: ConstantContactError
) -> ConstantContactError:
    """Allow another try; return what is to be raised."""
    crm.run("opt_ins/withdraw_confirmation", claim)
    if not isinstance(error, Rejected):
        return error
    change_id, by = claim["change_id"], claim["asked_by"]
    detail = f"Constant Contact refused to send its confirmation mail: {error}"
    with crm.transaction() as connection:
        _decide(connection, change_id, "held", detail, "confirmation_refused", by, client.last_call)
    return ChangesRefused(f"change {change_id}: {detail}")


def check_askable(crm: Database, *, change_id: int) -> None:
    """Say now why the vendor would not be asked for its mail; `ask_confirmation` looks again.

    Raises:
        ChangesRefused: The change does not wait, Do Not Email is set since, or the mail was asked
            for before.
    """
    with crm.transaction() as connection:
        contact = _askable(connection, change_id)
        if database.row(connection, "opt_ins/confirmation", {"constant_contact_id": contact}):
            raise ChangesRefused(_asked_before(connection, contact))


def dismiss(crm: Database, *, change_id: int, by: str) -> OptInsReport:
    """Leave the contact unsubscribed; no API call.

    Raises:
        ChangesRefused: The change does not wait, or the contact is not linked: once it is, nothing
            would keep it unsubscribed.
    """
    detail = "Dismissed by a person: the contact stays unsubscribed at Constant Contact."
    with crm.transaction() as connection:
        if _held(connection, change_id)["constant_contact_id"] is None:
            raise ChangesRefused(
                f"change {change_id}: the contact is not linked, so nothing there stays as it is; "
                "set Do Not Email again if its wish stands"
            )
        _decide(connection, change_id, "done", detail, "dismissed", by, None)
    return OptInsReport(dismissed=1)


def _held(connection: psycopg.Connection[Any], change_id: int) -> dict[str, Any]:
    change = database.row(connection, "opt_ins/held_opt_in", {"change_id": change_id})
    if change is None:
        raise ChangesRefused(
            f"change {change_id} is no opt-in that is held: see crm_opt_out_change, where status "
            "is held and do_not_email is false"
        )
    return change


def _askable(connection: psycopg.Connection[Any], change_id: int) -> str:
    """The vendor's contact of a held opt-in that no objection in the CRM stands against."""
    change = _held(connection, change_id)
    contact: str | None = change["constant_contact_id"]
    if contact is None:
        raise ChangesRefused(f"change {change_id}: the contact is not linked")
    keys = {
        "contact_id": change["contact_id"],
        "constant_contact_id": contact,
        "address": None,
    }
    standing = standing_objections(connection, keys)
    if change["do_not_email"] or standing["is_flagged"] or standing["is_erased"]:
        raise ChangesRefused(
            f"change {change_id}: Do Not Email is set, of this contact or of another one with the "
            "same address; clear it there too if both agree"
        )
    return contact


def _asked_before(connection: psycopg.Connection[Any], contact: str) -> str:
    key = {"constant_contact_id": contact}
    asked = database.row(connection, "opt_ins/confirmation", key) or {}
    return (
        f"the confirmation mail of contact {contact} was asked for at "
        f"{asked['asked_at']:%Y-%m-%d %H:%M} (ctct_confirmation has the user); Constant Contact "
        "sends it once ever"
    )


def _decide(  # noqa: PLR0917 - the columns of the record
    connection: psycopg.Connection[Any],
    change_id: int,
    status: str,
    detail: str,
    decision: str,
    by: str,
    call: Call | None,
) -> None:
    database.run(
        connection,
        "opt_ins/decide_opt_in",
        {
            "change_id": change_id,
            "status": status,
            "detail": detail,
            "decision": decision,
            "decided_by": by,
            "call_method": call and call.method,
            "called_at": call and call.called_at,
            "call_status": call and call.status,
            "request_id": call and call.request_id,
        },
    )
