"""The least that can be done with events: fetch, parse, COPY under the one unique index."""

from typing import Any

import orjson
import psycopg
import requests

from local.bench.gauge import Gauge

# as ctct_engagement and its index ctct_engagement_identity
TABLE = """
CREATE TABLE bench_event (
    stream_id integer NOT NULL,
    ordinal integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    contact_id text NOT NULL,
    url_id text NOT NULL,
    link_url text,
    device_type text,
    bounce_code text,
    opt_out_reason text
);
CREATE UNIQUE INDEX bench_event_identity
ON bench_event (contact_id, stream_id, occurred_at, url_id, ordinal);
"""
COPY = "COPY bench_event FROM STDIN"


def load(
    gauge: Gauge, *, url: str, token: str, crm_url: str, streams: list[tuple[int, str]]
) -> dict[str, Any]:
    """No discovery, no budget, no retries, no resuming; rows are numbered, not recognized."""
    rows = 0
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(TABLE)
        for stream_id, path in streams:
            href: str | None = f"/v3{path}?limit=500"
            while href:
                page = orjson.loads(session.get(url + href, timeout=60).content)
                with (
                    connection.cursor() as cursor,
                    cursor.copy(COPY) as copy,
                ):
                    for event in page["tracking_activities"]:
                        rows += 1
                        copy.write_row(_row(stream_id, rows, event))
                href = page.get("_links", {}).get("next", {}).get("href")
    return {"rows": rows}


def _row(stream_id: int, number: int, event: dict[str, Any]) -> tuple[Any, ...]:
    return (
        stream_id,
        number,
        event["created_time"],
        event["contact_id"],
        event.get("url_id") or "",
        event.get("link_url"),
        event.get("device_type"),
        event.get("bounce_code"),
        event.get("opt_out_reason"),
    )
