"""The ledger and the truth as the engagement tests compare them."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from simulator.server import Running
from tests.support import Rows
from tests.sync.engagement.ledgers import TYPES


def ledger(sql_rows: Rows) -> Counter[tuple[Any, ...]]:
    """The stored events; identical ones counted."""
    rows = sql_rows(
        "SELECT campaign_activity_id, activity_type, contact_id, occurred_at, url_id, link_url,"
        " device_type, bounce_code, opt_out_reason"
        " FROM ctct_engagement JOIN ctct_engagement_stream USING (stream_id)"
    )
    return Counter(tuple(row.values()) for row in rows)


def truth(simulator: Running) -> Counter[tuple[Any, ...]]:
    """What happened, in the same shape."""
    return Counter(
        (
            event["campaign_activity_id"],
            TYPES[event["tracking_activity_type"]],
            event["contact_id"],
            datetime.fromisoformat(event["created_time"]),
            str(event.get("url_id") or ""),
            event.get("link_url"),
            event.get("device_type"),
            event.get("bounce_code"),
            event.get("opt_out_reason"),
        )
        for event in simulator.control.truth_events()
    )


def event(simulator: Running, kind: str = "opens", **fields: Any) -> dict[str, Any]:
    """An event of the campaign that was sent last, now unless said otherwise."""
    activity = simulator.control.truth()["reportable_activities"][-1]
    someone = next(c for c in simulator.control.truth_contacts() if not c["deleted"])
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    given = {
        "type": kind,
        "campaign_activity_id": activity,
        "contact_id": someone["contact_id"],
        "created_time": now,
    }
    return given | fields
