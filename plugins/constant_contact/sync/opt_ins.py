"""Held opt-ins: the contact said no, the CRM now says yes, and a person decides what is done.

Nothing here opts anybody in. A person may have the vendor send its confirmation mail, once ever to
a contact, and only the contact's own answer to it counts; or the wish is dismissed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import (
    ChangesRefused,
    Conflict,
    ConstantContactError,
    Rejected,
    WriteUncertain,
)
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.reports import Report

_SENT = (
    "Constant Contact has sent its confirmation mail. When the contact confirms, this change is "
    "done by itself; until then nobody is mailed."
)


@dataclass
class OptInsReport(Report):
    """What was done about one held opt-in."""

    confirmations: int = 0
    dismissed: int = 0


def ask_confirmation(
    client: Client, crm: Database, *, change_id: int, list_ids: Sequence[str], by: str
) -> OptInsReport:
    """Have the vendor ask the contact whether it wants mail again (resubscribeContact).

    Args:
        client: Of the account.
        crm: Where the outbox is.
        change_id: A held change that clears the flag.
        list_ids: The lists to join on confirmation; the vendor wants at least one.
        by: The person who asks for it.

    Raises:
        ChangesRefused: The change does not wait, the CRM says no by now, the mail was sent before,
            or the vendor refuses it.
        WriteUncertain: No answer; whether the mail was sent is not known, so it is not sent again.
        Later, Fatal: As for any call; nothing was sent.
    """
    if not list_ids:
        raise ChangesRefused("name at least one list in list_ids: Constant Contact asks for it")
    with crm.transaction() as connection:
        change = _held(connection, change_id)
        contact = change["constant_contact_id"]
        if contact is None or change["do_not_email"]:
            raise ChangesRefused(
                f"change {change_id}: the contact is not linked, or has Do Not Email set by now"
            )
        claim = {"constant_contact_id": contact, "change_id": change_id, "asked_by": by}
        if database.row(connection, "opt_ins/begin_confirmation", claim) is None:
            raise ChangesRefused(_sent_before(connection, contact))
    try:
        client.put(f"/contacts/resubscribe/{contact}", {"list_ids": list(list_ids)})
    except WriteUncertain as error:
        detail = "Whether the confirmation mail was sent is not known; it is not sent twice."
        _decided(crm, change_id, "held", detail, "confirmation_uncertain", by)
        raise WriteUncertain(f"{error}. {detail}") from None
    except Conflict as error:
        _answered(crm, contact, f"{error}")
        raise ChangesRefused(f"change {change_id}: the mail was sent before: {error}") from None
    except ConstantContactError as error:
        # Nothing was sent: another try is allowed.
        with crm.transaction() as connection:
            database.run(
                connection, "opt_ins/withdraw_confirmation", {"constant_contact_id": contact}
            )
        if isinstance(error, Rejected):
            raise ChangesRefused(f"change {change_id}: Constant Contact refused: {error}") from None
        raise
    _answered(crm, contact, "sent")
    _decided(crm, change_id, "held", _SENT, "confirmation_asked", by)
    return OptInsReport(confirmations=1)


def dismiss(crm: Database, *, change_id: int, by: str) -> OptInsReport:
    """Leave the contact unsubscribed; no API call.

    Raises:
        ChangesRefused: The change does not wait.
    """
    with crm.transaction() as connection:
        _held(connection, change_id)
    detail = "Dismissed by a person: the contact stays unsubscribed at Constant Contact."
    _decided(crm, change_id, "done", detail, "dismissed", by)
    return OptInsReport(dismissed=1)


def _held(connection: psycopg.Connection[Any], change_id: int) -> dict[str, Any]:
    change = database.row(connection, "crm/held_opt_in", {"change_id": change_id})
    if change is None:
        raise ChangesRefused(
            f"change {change_id} is no opt-in that is held: see crm_opt_out_change, where status "
            "is held and do_not_email is false"
        )
    return change


def _sent_before(connection: psycopg.Connection[Any], contact: str) -> str:
    key = {"constant_contact_id": contact}
    sent = database.row(connection, "opt_ins/confirmation", key) or {}
    return (
        f"the confirmation mail of contact {contact} was asked for at "
        f"{sent['asked_at']:%Y-%m-%d %H:%M} by {sent['asked_by']}; Constant Contact sends it once "
        "ever"
    )


def _answered(crm: Database, contact: str, answer: str) -> None:
    with crm.transaction() as connection:
        database.run(
            connection,
            "opt_ins/end_confirmation",
            {"constant_contact_id": contact, "answer": answer},
        )


def _decided(  # noqa: PLR0917 - one a parameter of the statement
    crm: Database, change_id: int, status: str, detail: str, decision: str, by: str
) -> None:
    with crm.transaction() as connection:
        database.run(
            connection,
            "crm/decide_opt_in",
            {
                "change_id": change_id,
                "status": status,
                "detail": detail,
                "decision": decision,
                "decided_by": by,
            },
        )
