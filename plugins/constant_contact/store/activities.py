"""The calls that change memberships: what was planned, sent and decided."""

from collections.abc import Sequence
from typing import Any

from constant_contact.store import database
from constant_contact.store.database import Database

_NO_NEWS = dict.fromkeys(
    ("activity_id", "is_adopted", "vendor_state", "counts", "adds_up", "error")
)


def planned(crm: Database, kinds: Sequence[str]) -> list[int]:
    """The calls of these kinds that are to be sent, in order."""
    with crm.transaction() as connection:
        found = database.rows(connection, "memberships/planned_calls", {"kinds": list(kinds)})
    return [each["bulk_id"] for each in found]


def keep(crm: Database, bulk_id: int, to_state: str, **news: Any) -> None:
    """Keep the state of a call, and whatever else is known of it; committed at once."""
    with crm.transaction() as connection:
        params = {"bulk_id": bulk_id, "state": to_state} | _NO_NEWS | news
        database.run(connection, "memberships/keep_activity", params)


def forget(crm: Database, bulk_id: int) -> None:
    """A call never reached the vendor: its requests are free to be routed again."""
    with crm.transaction() as connection:
        database.run(connection, "memberships/forget_activity", {"bulk_id": bulk_id})


def in_flight(crm: Database, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """The calls of these kinds that were sent and are not decided."""
    with crm.transaction() as connection:
        return database.rows(connection, "memberships/open_activities", {"kinds": list(kinds)})


def ended(crm: Database, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Those of them that the vendor has ended."""
    return [each for each in in_flight(crm, kinds) if each["state"] == "ended"]


def is_ours(crm: Database, activity_id: str) -> bool:
    """Whether one of our calls has this activity already."""
    with crm.transaction() as connection:
        params = {"activity_id": activity_id}
        return database.row(connection, "memberships/known_activity", params) is not None
