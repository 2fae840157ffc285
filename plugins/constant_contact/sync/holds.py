"""The circuit breaker: what would reach too many people at once waits for one person's answer."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import psycopg

from constant_contact.calls import CallPlan
from constant_contact.errors import ChangesRefused
from constant_contact.store import database
from constant_contact.store.budget import backlog_limit
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.holds")

Answer = Literal["approved", "rejected"]
# The circuit breaker trips above the larger of the two.
BREAKER_CONTACTS = 100
BREAKER_SHARE = 0.05
# More than this many links are not cleared at once, and more contacts are not let be mailed again
# within a day. No share: of a million contacts a small share is thousands of people.
BREAKER_LINKS = 50
BREAKER_OPT_INS = 50
# Nor fewer than those, where more flags have vanished in silence than are left.
BREAKER_VANISHED = 10


# Which holds the two DAGs ask a person about.
NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "opt_outs": ("opt_outs", "opt_ins", "crm_contacts", "links", "objections"),
    "memberships": ("memberships",),
}


@dataclass(frozen=True)
class Hold:
    """One stop of the breaker, as a person is shown it.

    Attributes:
        answer: What a person said before, if one did, and who and when.
        groups: By reason and who changed the flag: `reason`, `changed_by`, `contacts`,
            `first_changed_at`, `last_changed_at` and ten contact ids as `sample`.
    """

    hold_id: int
    noun: str
    detail: str
    held_at: datetime
    groups: list[dict[str, Any]]
    answer: Answer | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None

    @property
    def contacts(self) -> int:
        """How many changes wait for the answer."""
        return sum(group["contacts"] for group in self.groups)


def cost(hold: Hold, plan: CallPlan) -> str:
    """What carrying a mass of opt-outs takes, in a sentence; nothing of other holds."""
    if hold.noun != "opt_outs":
        return ""
    calls = 2 * hold.contacts
    days = -(-calls // max(1, backlog_limit(plan)))
    takes = f"That takes up to {calls:,} calls, two a contact"
    if days <= 1:
        return f"{takes}."
    return (
        f"{takes}: about {days} days, since two fifths of each day's {plan.calls_per_day:,} are "
        "left to the other jobs. What contacts ask for meanwhile goes first."
    )


def break_circuit(
    connection: psycopg.Connection[Any], breaker_contacts: int, breaker_share: float
) -> int:
    """Hold waiting changes of Do Not Email if they reach too many contacts within a rolling day.

    Opt-outs and opt-ins are weighed apart, and so are opt-outs that contacts asked for: a mass that
    the CRM made by mistake must not hold up one contact's wish.

    Args:
        connection: Of the CRM.
        breaker_contacts: How many may be unsubscribed within a day; or, if that is more,
        breaker_share: this share of the linked contacts.

    Returns:
        How many were held.
    """
    held = 0
    for by_contact in (False, True):
        params = {"by_contact": by_contact}
        weighed = database.row(connection, "opt_outs/count_mass_opt_out", params) or {}
        if not weighed["waiting"]:
            continue
        total = weighed["waiting"] + weighed["carried"]
        allowed = allowance(connection, total, breaker_contacts, breaker_share)
        if total <= allowed:
            continue
        wish = ", each at its own wish" if by_contact else ""
        held += _hold(
            connection,
            f"{total} contacts would be unsubscribed within a day{wish}, more than the circuit "
            f"breaker allows ({allowed}). A person is asked in Airflow, under Required Actions.",
            do_not_email=True,
            by_contact=by_contact,
        )
    weighed = database.row(connection, "opt_ins/count_mass_opt_in") or {}
    total = weighed["waiting"] + weighed["carried"]
    if weighed["waiting"] and total > BREAKER_OPT_INS:
        held += _hold(
            connection,
            f"{total} contacts could be mailed again within a day, more than the circuit breaker "
            f"allows ({BREAKER_OPT_INS}). A person is asked in Airflow, under Required Actions.",
            do_not_email=False,
        )
    elif weighed["unrung"] > max(BREAKER_VANISHED, weighed["flagged"]):
        held += _hold(
            connection,
            f"Do Not Email is cleared for {weighed['unrung']} contacts at once and set for "
            f"{weighed['flagged']} still, and no change of the CRM's tells of it, as where a table "
            "or view is empty or reads otherwise. A person is asked in Airflow, under Required "
            "Actions.",
            do_not_email=False,
        )
    return held


def _hold(
    connection: psycopg.Connection[Any],
    detail: str,
    *,
    do_not_email: bool,
    by_contact: bool = False,
) -> int:
    _log.warning("%s", detail)
    hold = {"detail": detail, "do_not_email": do_not_email, "by_contact": by_contact}
    return database.run(connection, "opt_outs/hold_opt_outs", hold)


def allowance(
    connection: psycopg.Connection[Any], total: int, breaker_contacts: int, breaker_share: float
) -> int:
    """How many contacts one run may reach.

    Args:
        connection: Of the CRM.
        total: How many it would reach: so few as to be allowed anyhow, and the share of the linked
            contacts is not asked for.
        breaker_contacts: As `break_circuit`.
        breaker_share: As `break_circuit`.
    """
    if total <= breaker_contacts:
        return breaker_contacts
    linked = (database.row(connection, "links/count_linked") or {})["linked"]
    return max(breaker_contacts, int(linked * breaker_share))


def ask_about(crm: Database, hold_id: int) -> Hold | None:
    """What to show to the person who is asked now; None if that is settled."""
    return _shown(crm, "holds/ask", hold_id)


def find_hold(crm: Database, hold_id: int) -> Hold | None:
    """How a stop stands, without asking; None if there is no such stop."""
    return _shown(crm, "holds/look", hold_id)


def _shown(crm: Database, statement: str, hold_id: int) -> Hold | None:
    with crm.transaction() as connection:
        hold = database.row(connection, statement, {"hold_id": hold_id})
        if hold is None:
            return None
        groups = database.rows(
            connection, f"{_rows_of(hold['noun'])}/show_held", {"hold_id": hold_id}
        )
    kept = hold.get("answer"), hold.get("answered_at"), hold.get("answered_by")
    return Hold(hold_id, hold["noun"], hold["detail"], hold["held_at"], groups, *kept)


def answer(crm: Database, hold_id: int, said: Answer, *, by: str) -> int:
    """Do what the person said, to exactly the rows that were shown and still wait.

    Returns:
        How many rows it was about.

    Raises:
        ChangesRefused: The other answer was given before.
    """
    with crm.transaction() as connection:
        kept = database.row(connection, "holds/kept_answer", {"hold_id": hold_id}) or {}
        if kept["answer"] not in {None, said}:
            raise ChangesRefused(
                f"hold {hold_id} was {kept['answer']} at {kept['answered_at']:%Y-%m-%d %H:%M}; "
                "that answer counts (ctct_hold says whose)"
            )
        database.run(
            connection, "holds/answer", {"hold_id": hold_id, "answer": said, "answered_by": by}
        )
        rows = _rows_of(kept["noun"])
        decide = f"{rows}/release_held" if said == "approved" else f"{rows}/reject_held"
        return database.run(connection, decide, {"hold_id": hold_id, "decided_by": by})


def unanswered(connection: psycopg.Connection[Any], *nouns: str) -> list[int]:
    """Holds that no person has answered yet."""
    found = database.rows(connection, "holds/unanswered", {"nouns": list(nouns)})
    return [row["hold_id"] for row in found]


def to_remind_of(connection: psycopg.Connection[Any], *nouns: str) -> list[int]:
    """Holds of contacts' own wishes, without a reminder for a day; marked as reminded."""
    found = database.rows(connection, "holds/remind", {"nouns": list(nouns)})
    return [row["hold_id"] for row in found]


def _rows_of(noun: str) -> str:
    """Whose statements they are: opt-outs and opt-ins are changes of one table."""
    return "opt_outs" if noun == "opt_ins" else noun
