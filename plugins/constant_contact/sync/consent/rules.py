"""The consent rules: what a change of Do Not Email means for a contact as the vendor has it.

Nobody who said no is mailed because of us: a change that sets the flag always goes out; one that
clears it goes out only if the opt-out was the account's own and no objection stands.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import psycopg

from constant_contact.api import vendor
from constant_contact.api.records import cut, moment
from constant_contact.calls import Call
from constant_contact.store import database
from constant_contact.sync.objections import (
    Gate,
    ask_gate,
    hear_vendor,
    standing_objections,
)

# EmailAddress.permission_to_send while the contact has not answered a confirmation mail.
_UNCONFIRMED = "pending_confirmation"

_BY_THE_CONTACT = (
    "Only the contact can undo that: ask for a confirmation, or set Do Not Email again."
)
_UNDONE_BY = {
    "asked": _BY_THE_CONTACT,
    "vendor_contact": _BY_THE_CONTACT,
    "click": _BY_THE_CONTACT,
    "vendor_account": "That was not done here: undo it at Constant Contact if it is meant.",
    "flag": "Clear it for the other contacts with this address too, if all agree.",
}

_ANOTHER_PERSON = (
    "The address changed with the flag: the id may belong to another person. If it is the same "
    "person, ask for a confirmation, or undo the opt-out at Constant Contact."
)

# A contact that the vendor did not mail before our opt-out is not made mailable by taking it back:
# pending_confirmation, temp_hold, not_set, or a value that is not known yet.
_MAILED = {"implicit", "explicit"}

# What else EmailAddress.permission_to_send may be of who has not opted out; None: it is not shown.
_NOT_OUT = _MAILED | {"not_set", "temp_hold", None}

ALREADY = "Was unsubscribed at Constant Contact already."
DONE = "Unsubscribed at Constant Contact."

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

    kind: Literal[
        "unsubscribed",
        "resubscribed",
        "unchanged",
        "superseded",
        "held",
        "failed",
        # of a call, not of the change
        "unsubscribing",
        "resubscribing",
        "conflict",
    ]
    detail: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def status(self) -> str:
        """The status of the outbox row."""
        return self.kind if self.kind in {"superseded", "held", "failed"} else "done"


def may_be_mailed(current: Mapping[str, Any]) -> bool:
    """Whether the vendor has an address of a living contact that is not unsubscribed.

    While a confirmation is asked for, the contact is not mailed either.
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


def is_of_contact(shown: Mapping[str, Any], put: Mapping[str, Any]) -> bool:
    """Whether an opt-out that is shown is the contact's own, and not what a PUT of ours made.

    A contact that opted out itself meanwhile stays so, whatever the account asks for.
    """
    return _shown(shown)[1] == "Contact" and put["update_source"] != "Contact"


def made_without_answer(
    connection: psycopg.Connection[Any], change: Mapping[str, Any], current: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The contact before an opt-out that it shows and that a PUT of ours made, unanswered.

    The answer was lost, or the process that waited for it. None: we made none, or the contact's own
    opt-out stands there.
    """
    shown, source = _shown(current)
    if not change["do_not_email"] or shown != "unsubscribed":
        return None
    params = {
        "change_id": change["change_id"],
        "opt_out_source": source,
        "opt_out_date": current["email_address"].get("opt_out_date"),
    }
    sent = database.row(connection, "opt_outs/sent_without_answer", params)
    if sent is None:
        return None
    before = {
        "permission_to_send": sent["permission_before"],
        "opt_out_source": sent["opt_out_source_before"],
    }
    return {"email_address": before}


def decide(
    connection: psycopg.Connection[Any],
    change: Mapping[str, Any],
    current: Mapping[str, Any],
    keys: Mapping[str, str | None],
) -> tuple[Outcome, dict[str, Any] | None]:
    """What a change means for the contact as it is now, and the PUT for that, if one is needed.

    Args:
        connection: Of a transaction that is committed before the PUT is sent.
        change: A row of the outbox.
        current: The contact, as the vendor has just shown it.
        keys: What the gate is asked about: `contact_id`, `constant_contact_id`, `address`.
    """
    hear_vendor(connection, keys["constant_contact_id"])
    # A cleared flag is no objection, whichever of its changes is carried first.
    database.run(connection, "consent/lift_flags", {"contact_id": change["contact_id"]})
    if change["do_not_email"]:
        standing = standing_objections(connection, keys)
        by_contact = standing["is_own"]
        if not (by_contact or standing["is_flagged"]):
            detail = "Taken back since, in the CRM or by the contact."
            return Outcome("superseded", detail), None
        is_stale = _is_before_opt_in(connection, current, keys["constant_contact_id"])
        decision = _decide_opt_out(current, is_asked=standing["is_asked"], is_stale=is_stale)
        unsubscribe = decision.kind == "unsubscribed"
    else:
        gate = ask_gate(connection, **keys)
        decision = _decide_opt_in(connection, change, current, gate)
        # Who asked not to be mailed is not, even if the flag was cleared before that went out.
        by_contact = gate.source == "asked"
        is_of_crm = gate.source in {"asked", "flag"}
        unsubscribe = decision.kind == "held" and is_of_crm and may_be_mailed(current)
    if not (unsubscribe or decision.kind == "resubscribed"):
        return decision, None
    body = _merged(current, change, unsubscribe=unsubscribe, by_contact=by_contact)
    # Whatever becomes of the answer and of this process: it cannot be asked for afterwards.
    planned = {"email_address": {"opt_out_source": body["update_source"]}} if unsubscribe else None
    about = Outcome(
        "unsubscribing" if unsubscribe else "resubscribing",
        "Is about to be sent to Constant Contact.",
        before=current,
        after=planned,
    )
    record_decision(connection, change, about, None)
    return decision, body


def _is_before_opt_in(
    connection: psycopg.Connection[Any], current: Mapping[str, Any], contact_id: str | None
) -> bool:
    """Whether an opt-out that is shown may be of a time before our last opt-in."""
    email = current.get("email_address")
    params = {
        "constant_contact_id": contact_id,
        "opt_out_date": moment(email.get("opt_out_date")) if isinstance(email, dict) else None,
    }
    return database.row(connection, "opt_outs/opted_in_since", params) is not None


def _decide_opt_out(current: Mapping[str, Any], *, is_asked: bool, is_stale: bool) -> Outcome:
    """What an objection means for a contact as the vendor has it now.

    Args:
        current: The contact.
        is_asked: Whether the contact itself asked: then an opt-out of the account's is not enough.
        is_stale: Whether what is shown may be of a time before our last opt-in: then the PUT is
            made once more.
    """
    email = current.get("email_address")
    if current.get("deleted_at"):
        # A PUT would bring a deleted contact back.
        return Outcome("unchanged", "Deleted at Constant Contact: no contact to mail.")
    if not isinstance(email, dict) or not email.get("address"):
        return Outcome("unchanged", "Has no email address at Constant Contact.")
    is_out = email.get("permission_to_send") == "unsubscribed"
    if is_out and not is_stale and (email.get("opt_out_source") == "Contact" or not is_asked):
        return Outcome("unchanged", ALREADY)
    return Outcome("unsubscribed", DONE)


def _decide_opt_in(
    connection: psycopg.Connection[Any],
    change: Mapping[str, Any],
    current: Mapping[str, Any],
    gate: Gate,
) -> Outcome:
    """What a cleared flag means for a contact as the vendor has it now.

    Args:
        connection: Of the CRM.
        change: The change that clears the flag.
        current: The contact, which the register has heard of.
        gate: What the gate answers now that the flag is lifted.
    """
    email = current.get("email_address")
    if current.get("deleted_at"):
        return Outcome("unchanged", "Deleted at Constant Contact: no contact to mail.")
    if not isinstance(email, dict) or not email.get("address"):
        return Outcome("unchanged", "Has no email address at Constant Contact.")
    if gate.answer == "must not exist":
        return Outcome("superseded", gate.reason)
    if gate.source == "flag" and gate.contact_id == change["contact_id"]:
        return Outcome("held", _ANOTHER_PERSON)
    if gate.answer != "may":
        return Outcome("held", f"{gate.reason} {_UNDONE_BY[gate.source or 'asked']}")
    if email.get("permission_to_send") == _UNCONFIRMED:
        return Outcome("held", "Constant Contact has asked the contact and waits for its answer.")
    if email.get("permission_to_send") != "unsubscribed":
        return Outcome("unchanged", "Was not unsubscribed at Constant Contact.")
    return _unmailed_before(connection, change) or Outcome(
        "resubscribed", "Permission is back to implicit at Constant Contact."
    )


def _unmailed_before(
    connection: psycopg.Connection[Any], change: Mapping[str, Any]
) -> Outcome | None:
    """Why taking back our own opt-out would mail a contact that was not mailed before it."""
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


def _merged(
    current: Mapping[str, Any],
    change: Mapping[str, Any],
    *,
    unsubscribe: bool,
    by_contact: bool = False,
) -> dict[str, Any]:
    """The PUT body: all that a PUT would null, as it is, with the permission changed."""
    email: dict[str, Any] = {"address": current["email_address"]["address"]}
    if unsubscribe:
        reason = change["reason"] or "Do Not Email is set in the CRM"
        email["permission_to_send"] = "unsubscribed"
        email["opt_out_reason"] = cut(reason, vendor.OPT_OUT_REASON_CHARS)
    else:
        email["permission_to_send"] = "implicit"
    kept = {name: current[name] for name in _SCALARS if current.get(name) is not None}
    return kept | {
        "email_address": email,
        "update_source": "Contact" if unsubscribe and by_contact else "Account",
    }


def record_decision(
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
