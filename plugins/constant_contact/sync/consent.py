"""The consent rules: what a change of Do Not Email means for a contact as the vendor has it.

Nobody who said no is mailed because of us: a change that sets the flag always goes out; one that
clears it goes out only if the opt-out was the account's own and nobody objects.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import psycopg

from constant_contact.api import vendor
from constant_contact.api.records import moment, text
from constant_contact.calls import Call
from constant_contact.store import database

ASKED = (
    "The contact asked not to be mailed. Only the contact can undo that: ask for a confirmation, "
    "or set Do Not Email again."
)

_ASKED_UNLINKED = (
    "The contact asked not to be mailed, and is not linked to Constant Contact. This waits until "
    "it is; set Do Not Email again if its wish stands."
)

# EmailAddress.permission_to_send while the contact has not answered a confirmation mail.
_UNCONFIRMED = "pending_confirmation"

# Whom the vendor did not mail before we unsubscribed them is not made mailable by taking that back:
# not who is pending_confirmation, temp_hold, not_set, or something that nobody knows yet.
_MAILED = {"implicit", "explicit"}

# What else EmailAddress.permission_to_send may be of who has not opted out; None: it is not told.
_NOT_OUT = _MAILED | {"not_set", "temp_hold", None}

# ContactPutRequest: a PUT nulls each of these that it leaves out; sub-resources it keeps.
_SCALARS = (
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "birthday_month",
    "birthday_day",
    "anniversary",
)


class Outcome(NamedTuple):
    """What became of one change; `kind` is a field of the report.

    `before` and `after` are the contact as the vendor had it and as it answered, if it was asked.
    """

    kind: Literal["unsubscribed", "resubscribed", "unchanged", "superseded", "held", "failed"]
    detail: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def status(self) -> str:
        """The status of the outbox row."""
        return self.kind if self.kind in {"superseded", "held", "failed"} else "done"


def may_be_mailed(current: Mapping[str, Any]) -> bool:
    """Whether the vendor has an address of a living contact that is not unsubscribed.

    While a confirmation is asked for, nobody is mailed either.
    """
    email = current.get("email_address")
    return (
        not current.get("deleted_at")
        and isinstance(email, dict)
        and bool(email.get("address"))
        and email.get("permission_to_send") not in {"unsubscribed", _UNCONFIRMED}
    )


def is_not_out(current: Mapping[str, Any]) -> bool:
    """Whether a contact is shown as one that has not opted out.

    A permission that the contract does not name may be an opt-out by another name.
    """
    return may_be_mailed(current) and permission(current) in _NOT_OUT


def decide(current: Mapping[str, Any], change: Mapping[str, Any]) -> Outcome:
    """What must happen, by what the vendor has now."""
    email = current.get("email_address")
    if current.get("deleted_at"):
        # A PUT would bring a deleted contact back.
        return Outcome("unchanged", "Deleted at Constant Contact: there is nobody to mail.")
    if not isinstance(email, dict) or not email.get("address"):
        return Outcome("unchanged", "Has no email address at Constant Contact.")
    is_out = email.get("permission_to_send") == "unsubscribed"
    source = email.get("opt_out_source")
    if change["do_not_email"]:
        if is_out and (source == "Contact" or not change["requested_by_contact"]):
            return Outcome("unchanged", "Was unsubscribed at Constant Contact already.")
        return Outcome("unsubscribed", "Unsubscribed at Constant Contact.")
    if email.get("permission_to_send") == _UNCONFIRMED:
        return Outcome("held", "Constant Contact has asked the contact and waits for its answer.")
    if not is_out:
        return Outcome("unchanged", "Was not unsubscribed at Constant Contact.")
    if source != "Account":
        return Outcome(
            "held",
            "The contact unsubscribed at Constant Contact. Only the contact can undo that: ask for "
            "a confirmation, or set Do Not Email again.",
        )
    return Outcome("resubscribed", "Permission is back to implicit at Constant Contact.")


def objection(
    connection: psycopg.Connection[Any], change: Mapping[str, Any], current: Mapping[str, Any]
) -> Outcome | None:
    """Why this contact must not be mailed after all, as the CRM stands at this moment."""
    objections = database.row(
        connection,
        "opt_outs/objections",
        {
            "contact_id": change["contact_id"],
            "constant_contact_id": change["constant_contact_id"],
        },
    )
    match objections:
        case {"is_erased": True}:
            return Outcome("superseded", "The person was erased.")
        case {"flag_is_set": True}:
            return Outcome("superseded", "Do Not Email is set in the CRM by now.")
        case {"other_contact_says_no": True}:
            return Outcome(
                "held",
                "Another CRM contact with the same address has Do Not Email set. Clear it there "
                "too if both agree.",
            )
        case {"asked_at": datetime() as asked_at} if not _opted_in_since(current, asked_at):
            return Outcome("held", ASKED)
        case _:
            return None


def objection_unlinked(
    connection: psycopg.Connection[Any], change: Mapping[str, Any]
) -> Outcome | None:
    """Why a contact that is not linked must not be mailed, should it be linked later."""
    asked = objection(connection, change, {})
    return asked._replace(detail=_ASKED_UNLINKED) if asked and asked.kind == "held" else asked


def was_mailed(current: Mapping[str, Any]) -> bool:
    """Whether a contact whom an opt-out is about to reach could be mailed at all."""
    return permission(current) in _MAILED


def unmailed_before(
    connection: psycopg.Connection[Any], change: Mapping[str, Any]
) -> Outcome | None:
    """Why taking back our own opt-out would mail somebody who was not mailed before it."""
    key = {"constant_contact_id": change["constant_contact_id"]}
    taken = database.row(connection, "opt_outs/permission_taken", key)
    if taken is None or taken["permission_before"] in _MAILED:
        return None
    return Outcome(
        "held",
        "Could not be mailed at Constant Contact before it was unsubscribed "
        f"({taken['permission_before'] or 'no permission'}). Ask for a confirmation, or set Do Not "
        "Email again.",
    )


def at_address(
    connection: psycopg.Connection[Any], change: Mapping[str, Any], current: Mapping[str, Any]
) -> Outcome | None:
    """Why the address that would be mailed is of somebody who said no, linked or not."""
    email = current.get("email_address")
    who = {
        "contact_id": change["contact_id"],
        "constant_contact_id": change["constant_contact_id"],
        "address": text(email.get("address")) if isinstance(email, dict) else None,
    }
    objections = database.row(connection, "opt_outs/address_objections", who) or {}
    if objections["flag_is_set"]:
        return Outcome(
            "held",
            "Another CRM contact has this address and Do Not Email set. If both agree, clear it "
            "there; then set Do Not Email here and clear it again.",
        )
    return Outcome("held", ASKED) if objections["has_asked"] else None


def clicked_out(
    connection: psycopg.Connection[Any], change: Mapping[str, Any], current: Mapping[str, Any]
) -> Outcome | None:
    """Why an opt-out that the vendor calls the account's own is the contact's as well.

    Whoever is unsubscribed already and then follows the link in a mail says no by themselves.
    """
    key = {"constant_contact_id": change["constant_contact_id"]}
    clicked_at = (database.row(connection, "opt_outs/clicked", key) or {})["clicked_at"]
    if clicked_at is None or _opted_in_at(current, after=clicked_at):
        return None
    at = f"{clicked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Outcome(
        "held",
        f"The contact unsubscribed by a link in a mail at {at}. Only "
        "the contact can undo that: ask for a confirmation, or set Do Not Email again.",
    )


def _opted_in_since(current: Mapping[str, Any], asked_at: datetime) -> bool:
    """Whether the contact opted in at Constant Contact, by itself, after it asked to be left."""
    return permission(current) != "unsubscribed" and _opted_in_at(current, after=asked_at)


def _opted_in_at(current: Mapping[str, Any], *, after: datetime) -> bool:
    """Whether the newest opt-in is the contact's own, and newer than that."""
    email = current.get("email_address")
    if not isinstance(email, dict) or email.get("opt_in_source") != "Contact":
        return False
    opted_in_at = moment(email.get("opt_in_date"))
    return opted_in_at is not None and opted_in_at > after


def merged(
    current: Mapping[str, Any], change: Mapping[str, Any], *, unsubscribe: bool, by_contact: bool
) -> dict[str, Any]:
    """The PUT body: all that a PUT would null, as it is, with the permission changed."""
    email: dict[str, Any] = {"address": current["email_address"]["address"]}
    if unsubscribe:
        reason = change["reason"] or "Do Not Email is set in the CRM"
        email["permission_to_send"] = "unsubscribed"
        email["opt_out_reason"] = reason[: vendor.OPT_OUT_REASON_CHARS]
    else:
        email["permission_to_send"] = "implicit"
    kept = {name: current[name] for name in _SCALARS if current.get(name) is not None}
    return kept | {
        "email_address": email,
        "update_source": "Contact" if unsubscribe and by_contact else "Account",
    }


def keep(
    connection: psycopg.Connection[Any],
    change: Mapping[str, Any],
    outcome: Outcome,
    call: Call | None,
) -> None:
    """Add a decision to the record, in the transaction that made it.

    Args:
        connection: With that transaction.
        change: A row of the outbox.
        outcome: What was decided.
        call: The last call made for it; None if none was.
    """
    before, after = _shown(outcome.before), _shown(outcome.after)
    database.run(
        connection,
        "opt_outs/add_consent",
        {
            "change_id": change["change_id"],
            "decision": outcome.kind,
            "detail": outcome.detail,
            "constant_contact_id": change["constant_contact_id"],
            "permission_before": before[0],
            "opt_out_source_before": before[1],
            "permission_after": after[0],
            "opt_out_source_after": after[1],
            "call_method": call and call.method,
            "called_at": call and call.called_at,
            "call_status": call and call.status,
            "request_id": call and call.request_id,
        },
    )


def permission(contact: Mapping[str, Any]) -> str | None:
    """The permission of a contact as the vendor showed it."""
    return _shown(contact)[0]


def _shown(contact: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Permission and opt-out source of a contact as the vendor showed it."""
    email = (contact or {}).get("email_address")
    if not isinstance(email, dict):
        return None, None
    return email.get("permission_to_send"), email.get("opt_out_source")
