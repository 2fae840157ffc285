"""The ledger beside what happened at the vendor."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

from constant_contact.api.vendor import TRACKERS
from simulator.server import Running

TYPES = {tracker.row_type: tracker.activity_type for tracker in TRACKERS}
# activity, type, contact, time, link
Event = tuple[str, str, str, datetime, str]


def stored(crm_url: str) -> Counter[Event]:
    """The stored events; identical ones counted."""
    with psycopg.connect(crm_url) as connection:
        rows = connection.execute(
            "SELECT campaign_activity_id, activity_type, contact_id, occurred_at, url_id"
            " FROM ctct_engagement JOIN ctct_engagement_stream USING (stream_id)"
        )
        # Python finds no two times of different zones equal in the hour that a clock repeats.
        return Counter((*which, at.astimezone(UTC), link) for *which, at, link in rows)


def happened(
    simulator: Running, within: Callable[[datetime], bool] = lambda _: True
) -> Counter[Event]:
    """What happened, in the same shape."""
    return Counter(
        _event(row)
        for row in simulator.control.truth_events()
        if within(datetime.fromisoformat(row["created_time"]))
    )


def _event(row: dict[str, Any]) -> Event:
    return (
        row["campaign_activity_id"],
        TYPES[row["tracking_activity_type"]],
        row["contact_id"],
        datetime.fromisoformat(row["created_time"]),
        str(row.get("url_id") or ""),
    )
