"""Bulk jobs: the calls that change memberships, what was planned, sent and decided."""

from collections.abc import Sequence
from typing import Any

from constant_contact.store import database
from constant_contact.store.database import Database

_NO_NEWS = dict.fromkeys(
    ("activity_id", "is_adopted", "vendor_state", "counts", "adds_up", "error")
)


def find_planned(crm: Database, kinds: Sequence[str]) -> list[int]:
    """Return the jobs of these kinds that are to be sent, in order."""
    found = crm.rows("memberships/planned_calls", {"kinds": list(kinds)})
    return [each["bulk_id"] for each in found]


def save_state(crm: Database, bulk_id: int, to_state: str, **news: Any) -> None:
    """Save a job's state, and what else is known of it; committed at once."""
    with crm.transaction() as connection:
        params = {"bulk_id": bulk_id, "state": to_state} | _NO_NEWS | news
        database.run(connection, "memberships/save_bulk_job", params)


def forget(crm: Database, bulk_id: int) -> None:
    """Drop a job that never reached the vendor: its requests are routed again."""
    crm.run("memberships/forget_bulk_job", {"bulk_id": bulk_id})


def find_in_flight(crm: Database, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return the jobs of these kinds that were sent and are not decided."""
    return crm.rows("memberships/open_bulk_jobs", {"kinds": list(kinds)})


def find_ended(crm: Database, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return those of them that the vendor has ended."""
    return [each for each in find_in_flight(crm, kinds) if each["state"] == "ended"]


def is_ours(crm: Database, activity_id: str) -> bool:
    """Whether a job of ours has this activity of the vendor's already."""
    with crm.transaction() as connection:
        params = {"activity_id": activity_id}
        return database.row(connection, "memberships/known_bulk_job", params) is not None
