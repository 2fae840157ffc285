"""The question to a person about what the circuit breaker holds, and who else hears of it."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.sync.holds import Hold

_log = logging.getLogger("constant_contact.alerts")

# By the hold's noun: what *Approve* does, and what follows where it was rejected.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "opt_outs": (
        "unsubscribe {}",
        "Clear Do Not Email and set it again if it is meant after all.",
    ),
    "opt_ins": (
        "let {} be mailed again",
        "Set Do Not Email and clear it again if it is meant after all.",
    ),
    "memberships": (
        "take {} off lists",
        "Request the removals again if they are meant after all.",
    ),
    "crm_contacts": ("treat {} as gone from the CRM", "They count as there."),
    "links": ("clear the links of {}", "Their links stay."),
    "objections": (
        "let Do Not Email alone decide about {}",
        "A person decides about each whose Do Not Email is cleared.",
    ),
}


def deed(hold: Hold) -> str:
    """What *Approve* does, without a full stop."""
    contacts = "1 contact" if hold.contacts == 1 else f"{hold.contacts:,} contacts"
    return _WORDS[hold.noun][0].format(contacts)


def after_rejection(hold: Hold) -> str:
    """What a rejection means from then on."""
    return _WORDS[hold.noun][1]


def question_run_id(hold_id: int, number: int = 1) -> str:
    """The run that asks about a hold, and the next ones where that one asks no more."""
    return f"hold_{hold_id}" if number == 1 else f"hold_{hold_id}_{number}"


def subject(hold: Hold) -> str:
    """The question in one line."""
    return f"Constant Contact: {deed(hold)} at once?"


def body(hold: Hold, account: Account, cost: str = "") -> str:
    """Markdown: how many, and where the rest is.

    Airflow keeps it in several places, as long as it likes: whose change it is, why and by which
    person stands on our page only, so that an erasure reaches it.
    """
    first = min(group["first_changed_at"] for group in hold.groups)
    last = max(group["last_changed_at"] for group in hold.groups)
    page = config.page_url(account, f"/holds/{hold.hold_id}")
    return "\n".join(
        [
            hold.detail,
            "",
            f"Held since {hold.held_at:%Y-%m-%d %H:%M} UTC: {hold.contacts:,} contacts, changed "
            f"between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC. *Approve*: "
            f"{deed(hold)}, exactly these. *Reject*: nothing is changed. {cost}".rstrip(),
            "",
            f"[Which contacts, changed by which person, and why]({page})",
        ]
    )


def tell_of_question(context: Mapping[str, Any]) -> None:
    """A notifier of the task that asks: tells the option's callback of its question."""
    task = context["task"]
    call_hold_callback(context, task.subject, task.body)


def call_hold_callback(context: Mapping[str, Any], subject: str, body: str) -> None:
    """Tell the callback of the option on_hold_callback; a question is asked though it fails."""
    callback = config.hold_callback()
    if callback is None:
        return
    try:
        callback({**context, "subject": subject, "body": body})
    except Exception:  # noqa: BLE001 - an adopter's code
        _log.exception("the option on_hold_callback: its callable failed; the question stands")
