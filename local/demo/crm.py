"""The demo's CRM: a database of its own, filled once, edited once, and read for the checks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from local.demo.people import CrmContact
from local.demo.story import FlagChange, Request

Connection = psycopg.Connection[Any]

# What a demo leaves for the next one, beside the CRM that it belongs to: both go together.
_MEMORY = """
CREATE SCHEMA demo;
CREATE TABLE demo.memory (
    made_of text NOT NULL, -- digest of what made the data up
    seed integer NOT NULL,
    now timestamptz NOT NULL, -- the moment the data follow from
    account bytea, -- null until a demo came to its end
    expected jsonb
)
"""


class Memory(NamedTuple):
    """What an earlier demo left; without an account it did not come to its end."""

    made_of: str
    seed: int
    now: datetime
    account: bytes | None
    expected: Mapping[str, Any] | None


def recall(connection: Connection) -> Memory | None:
    """The memory in this database, if it has one."""
    if connection.execute("SELECT to_regclass('demo.memory')").fetchone() == (None,):
        return None
    row = connection.execute(
        "SELECT made_of, seed, now, account, expected FROM demo.memory"
    ).fetchone()
    return Memory(*row) if row else None


def begin(connection: Connection, made_of: str, seed: int, now: datetime) -> None:
    """Note what the data are made of."""
    connection.execute(_MEMORY)
    connection.execute(
        "INSERT INTO demo.memory (made_of, seed, now) VALUES (%s, %s, %s)", [made_of, seed, now]
    )
    connection.commit()


def remember(connection: Connection, account: bytes, expected: Mapping[str, Any]) -> None:
    """Note how the demo ended."""
    connection.execute(
        "UPDATE demo.memory SET account = %s, expected = %s", [account, Jsonb(expected)]
    )
    connection.commit()


def forget_end(connection: Connection) -> None:
    """Until this demo has come to its own end, there is nothing to go on from."""
    connection.execute("UPDATE demo.memory SET account = NULL")
    connection.commit()


def seed_contacts(connection: Connection, contacts: Iterable[CrmContact]) -> None:
    """Fill the CRM, as its import would."""
    copy: LiteralString = (
        "COPY crm_contact (contact_id, first_name, last_name, preferred_email, do_not_email)"
        " FROM STDIN"
    )
    with connection.cursor().copy(copy) as rows:
        for contact in contacts:
            rows.write_row(contact)
    connection.execute("ANALYZE crm_contact")
    connection.commit()


def change_flags(connection: Connection, changes: Iterable[FlagChange]) -> None:
    """Set and clear Do Not Email, one transaction each, saying what the trigger shall know."""
    for change in changes:
        connection.execute(
            "SELECT set_config('constant_contact.reason', %s, TRUE),"
            " set_config('constant_contact.requested_by_contact', %s, TRUE)",
            [change.reason or "", "on" if change.by_contact else "off"],
        )
        connection.execute(
            "UPDATE crm_contact SET do_not_email = %s, updated_at = now() WHERE contact_id = %s",
            [change.do_not_email, change.contact_id],
        )
        connection.commit()


def change_addresses(connection: Connection, addresses: Mapping[str, str]) -> None:
    """Give contacts other addresses."""
    for contact_id, address in addresses.items():
        connection.execute(
            "UPDATE crm_contact SET preferred_email = %s, updated_at = now() WHERE contact_id = %s",
            [address, contact_id],
        )
    connection.commit()


def ask_for_lists(connection: Connection, requests: Iterable[Request]) -> None:
    """Ask for list memberships."""
    connection.cursor().executemany(
        "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES (%s, %s, %s)",
        requests,
    )
    connection.commit()


def frame(connection: Connection, statement: LiteralString, params: Any = None) -> pd.DataFrame:
    """The rows of a statement, nulls as None whatever the column's type."""
    cursor = connection.execute(statement, params)
    columns = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall()
    connection.commit()
    return pd.DataFrame(rows, columns=columns, dtype=object)
