"""The least that can be done: fetch the pages, parse them, COPY them into an indexed table.

No budget, no retries, no call log, no resuming, no upsert.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import requests

from local.bench.gauge import Gauge
from local.bench.rivals import CONTACTS, COPY_CONTACTS, COPY_EVENTS, EVENTS

FIRST_PAGE = "/v3/contacts?status=all&limit=500&include_count=true&include=list_memberships"


def contacts(gauge: Gauge, *, url: str, token: str, crm_url: str) -> dict[str, Any]:
    """A full pass."""
    rows = 0
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(CONTACTS)
        for page in _pages(_session(token), url, FIRST_PAGE):
            with connection.cursor() as cursor, cursor.copy(COPY_CONTACTS) as copy:
                for contact in page["contacts"]:
                    copy.write_row(_contact(contact))
            rows += len(page["contacts"])
    return {"rows": rows}


def events(
    gauge: Gauge, *, url: str, token: str, crm_url: str, streams: list[tuple[int, str]]
) -> dict[str, Any]:
    """Without discovery; rows are numbered, not recognized."""
    rows = 0
    session = _session(token)
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(EVENTS)
        for stream_id, path in streams:
            for page in _pages(session, url, f"/v3{path}?limit=500"):
                with connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as copy:
                    for event in page["tracking_activities"]:
                        rows += 1
                        copy.write_row(_event(stream_id, rows, event))
    return {"rows": rows}


def _session(token: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def _pages(session: requests.Session, url: str, href: str | None) -> Iterator[Any]:
    while href:
        page = orjson.loads(session.get(url + href, timeout=60).content)
        yield page
        href = page.get("_links", {}).get("next", {}).get("href")


def _contact(contact: dict[str, Any]) -> tuple[Any, ...]:
    email = contact.get("email_address") or {}
    return (
        contact["contact_id"],
        email.get("address"),
        email.get("permission_to_send"),
        email.get("opt_out_source"),
        email.get("opt_out_date"),
        email.get("opt_out_reason"),
        contact.get("created_at"),
        contact.get("updated_at"),
        contact.get("deleted_at"),
        contact.get("list_memberships"),
    )


def _event(stream_id: int, number: int, event: dict[str, Any]) -> tuple[Any, ...]:
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
