"""The circuit breaker: what would reach too many people at once waits for one person's answer."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from constant_contact.errors import ChangesRefused
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.holds")

Answer = Literal["approved", "rejected"]
# The circuit breaker trips above the larger of the two.
BREAKER_CONTACTS = 100
BREAKER_SHARE = 0.05
# More than this many links are not cleared at once. No share: of a million contacts a small share
# is thousands of people.
BREAKER_LINKS = 50


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


def break_circuit(
    connection: psycopg.Connection[Any],
    carried: Mapping[bool, int],
    breaker_contacts: int,
    breaker_share: float,
) -> int:
    """Hold waiting opt-outs if they, and those carried, are too many for one run.

    What contacts asked for themselves is weighed apart: a mass that the CRM made by mistake must
    not hold up one person's wish.

    Args:
        connection: Of the CRM.
        carried: How many this run has unsubscribed: by whether the contact asked for it.
        breaker_contacts: How many one run may unsubscribe; or, if that is more,
        breaker_share: this share of the linked contacts.

    Returns:
        How many were held.
    """
    held = 0
    for by_contact in (False, True):
        params = {"by_contact": by_contact}
        weighed = database.row(connection, "opt_outs/count_mass_opt_out", params) or {}
        total = weighed["waiting"] + carried[by_contact]
        allowed = allowance(connection, total, breaker_contacts, breaker_share)
        if not weighed["waiting"] or total <= allowed:
            continue
        detail = (
            f"{total} contacts would be unsubscribed at once"
            f"{', each at its own wish' if by_contact else ''}, more than the circuit breaker "
            f"allows ({allowed}). A person is asked in Airflow, under Required Actions."
        )
        _log.warning("%s", detail)
        hold = {"detail": detail, "by_contact": by_contact}
        held += database.run(connection, "opt_outs/hold_opt_outs", hold)
    return held


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


def release(
    connection: psycopg.Connection[Any], noun: str, *, by: str, hold_id: int | None = None
) -> int:
    """Let rows go on that a breaker holds.

    Args:
        connection: Of the CRM.
        noun: Whose rows: `opt_outs`, `memberships`, `crm_contacts` or `links`.
        by: The person, for the record.
        hold_id: Those of one stop, exactly; None: all.

    Returns:
        How many.
    """
    _keep_answer(connection, noun, hold_id, "approved", by)
    return database.run(connection, f"{noun}/release_held", {"hold_id": hold_id, "decided_by": by})


def ask(crm: Database, hold_id: int) -> Hold | None:
    """What to show to the person who is asked now; None if that is settled."""
    with crm.transaction() as connection:
        hold = database.row(connection, "holds/ask", {"hold_id": hold_id})
        if hold is None:
            return None
        groups = database.rows(connection, f"{hold['noun']}/show_held", {"hold_id": hold_id})
    return Hold(hold_id, hold["noun"], hold["detail"], hold["held_at"], groups)


def look(crm: Database, hold_id: int) -> Hold | None:
    """How a stop stands, asking nobody; None if there is no such stop."""
    with crm.transaction() as connection:
        hold = database.row(connection, "holds/look", {"hold_id": hold_id})
        if hold is None:
            return None
        groups = database.rows(connection, f"{hold['noun']}/show_held", {"hold_id": hold_id})
    kept = hold["answer"], hold["answered_at"], hold["answered_by"]
    return Hold(hold_id, hold["noun"], hold["detail"], hold["held_at"], groups, *kept)


def answer(crm: Database, hold: tuple[int, str], said: Answer, *, by: str) -> int:
    """Do what the person said, to exactly the rows that were shown and still wait.

    Args:
        crm: Where they are.
        hold: Its id and noun.
        said: The answer.
        by: The person.

    Returns:
        How many rows it was about.

    Raises:
        ChangesRefused: Somebody has given the other answer before.
    """
    hold_id, noun = hold
    with crm.transaction() as connection:
        kept = database.row(connection, "holds/kept_answer", {"hold_id": hold_id}) or {}
        if kept["answer"] not in {None, said}:
            raise ChangesRefused(
                f"hold {hold_id} was {kept['answer']} at {kept['answered_at']:%Y-%m-%d %H:%M}; "
                "that answer counts (ctct_hold says whose)"
            )
        if said == "approved":
            return release(connection, noun, by=by, hold_id=hold_id)
        _keep_answer(connection, noun, hold_id, said, by)
        return database.run(
            connection, f"{noun}/reject_held", {"hold_id": hold_id, "decided_by": by}
        )


def unasked(connection: psycopg.Connection[Any], *nouns: str) -> list[int]:
    """Holds that no person was asked about yet."""
    found = database.rows(connection, "holds/unasked", {"nouns": list(nouns)})
    return [row["hold_id"] for row in found]


def _keep_answer(
    connection: psycopg.Connection[Any], noun: str, hold_id: int | None, said: Answer, by: str
) -> None:
    database.run(
        connection,
        "holds/answer",
        {"noun": noun, "hold_id": hold_id, "answer": said, "answered_by": by},
    )
