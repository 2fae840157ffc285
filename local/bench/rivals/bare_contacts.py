"""The least that can be done: fetch the pages, parse them, COPY them into an indexed table."""

from typing import Any

import orjson
import psycopg
import requests

from local.bench.gauge import Gauge

#: As `ctct_contact`: the same columns, a primary key and an index for addresses.
TABLE = """
CREATE TABLE bench_contact (
    contact_id text PRIMARY KEY,
    email_address text,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    list_ids text[]
);
CREATE INDEX bench_contact_email ON bench_contact (email_address);
"""
COPY = "COPY bench_contact FROM STDIN"
FIRST_PAGE = "/v3/contacts?status=all&limit=500&include_count=true&include=list_memberships"


def load(gauge: Gauge, *, url: str, token: str, crm_url: str) -> dict[str, Any]:
    """No budget, no retries, no call log, no resuming, no upsert."""
    rows = 0
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(TABLE)
        href: str | None = FIRST_PAGE
        while href:
            page = orjson.loads(session.get(url + href, timeout=60).content)
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for contact in page["contacts"]:
                    copy.write_row(_row(contact))
            rows += len(page["contacts"])
            href = page.get("_links", {}).get("next", {}).get("href")
    return {"rows": rows}


def _row(contact: dict[str, Any]) -> tuple[Any, ...]:
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
