"""Databases as older releases left them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import psycopg

from constant_contact.store.sql import SQL_DIR

SCHEMA: Final = SQL_DIR / "schema"
RELEASED: Final = Path(__file__).parent / "released"
VERSIONS_0_1_0: Final = ("0001_crm", "0002_mirror", "0003_operations")
VERSIONS_0_2_0: Final = tuple(
    path.stem for path in sorted(SCHEMA.glob("[0-9]*.sql")) if path.stem < "0020"
)


def apply(connection: psycopg.Connection[Any], versions: Collection[str]) -> None:
    """Make the schema of a release in the first schema of the search path."""
    connection.execute(
        "CREATE TABLE ctct_schema_version"
        " (version text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    for version in versions:
        connection.execute((SCHEMA / f"{version}.sql").read_bytes())
        connection.execute("INSERT INTO ctct_schema_version (version) VALUES (%s)", [version])


def apply_account_0_2_0(connection: psycopg.Connection[Any], schema: str) -> None:
    """Make a further account of release 0.2.0, beside the default one in public."""
    connection.execute(f"CREATE SCHEMA {schema}".encode())
    connection.execute(f"SET LOCAL search_path = {schema}, pg_temp".encode())
    connection.execute((RELEASED / "account_contacts_0.2.0.sql").read_bytes())
    apply(connection, VERSIONS_0_2_0)
    connection.execute((RELEASED / "account_outbox_0.2.0.sql").read_bytes())
    connection.execute("SET LOCAL search_path = public")
