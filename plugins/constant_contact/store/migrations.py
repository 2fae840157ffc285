"""Versioned schema changes, run forward on data in place."""

from typing import Any, LiteralString

import psycopg

from constant_contact.errors import SchemaError
from constant_contact.store.session import settle
from constant_contact.store.sql import SQL_DIR

# One migration at a time; any number that nothing else of ours locks.
_LOCK_KEY = 7_263_512_001

_VERSIONS: LiteralString = """
CREATE TABLE IF NOT EXISTS ctct_schema_version (
    version text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def migration_lock(connection: psycopg.Connection[Any]) -> None:
    """Hold off whoever else changes the schema, to the transaction's end."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def migrate(connection: psycopg.Connection[Any]) -> list[str]:
    """Apply every file of include/sql/schema that is not applied yet, in order of name.

    All in one transaction: it ends with the newest schema or with the one it found. Any number of
    processes may call it at once.

    Returns:
        The versions applied now.

    Raises:
        SchemaError: The database is newer than this package.
    """
    files = {path.stem: path for path in sorted((SQL_DIR / "schema").glob("[0-9]*.sql"))}
    settle(connection)
    with connection.transaction():
        migration_lock(connection)
        # Behind somebody who holds a table for long, all who write to it would queue behind us.
        connection.execute("SET LOCAL lock_timeout = '10s'")
        connection.execute(_VERSIONS)
        applied = {
            version for (version,) in connection.execute("SELECT version FROM ctct_schema_version")
        }
        if unknown := sorted(applied - files.keys()):
            raise SchemaError(
                f"the CRM database has the schema {unknown[-1]}, which this version of the package "
                "does not know; install the version that made it, or a newer one"
            )
        missing = [version for version in files if version not in applied]
        for version in missing:
            connection.execute(files[version].read_text(encoding="utf-8"))
            connection.execute("INSERT INTO ctct_schema_version (version) VALUES (%s)", [version])
    return missing
