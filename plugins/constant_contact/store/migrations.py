"""The schema: a baseline for new installations, and versioned changes run forward on data."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, LiteralString, NamedTuple

import psycopg

from constant_contact.errors import SchemaError
from constant_contact.store.requirements import check_rights, check_server
from constant_contact.store.session import settle
from constant_contact.store.sql import SQL_DIR

# At the beginning of a line: what a block makes on a condition is not relied on.
_INDEX: Final = re.compile(
    r"^(?:(CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?(\w+)\s+ON\s+(\w+)[^;]+);"
    r"|DROP (?:INDEX|TABLE) (\w+))",
    re.MULTILINE,
)
# One migration at a time; any number that nothing else of ours locks.
_LOCK_KEY = 7_263_512_001

_VERSIONS: LiteralString = """
CREATE TABLE IF NOT EXISTS ctct_schema_version (
    version text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def migration_lock(connection: psycopg.Connection[Any]) -> None:
    """Hold off other changes of the schema, to the transaction's end."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def migrate(connection: psycopg.Connection[Any], *, has_contacts: bool = True) -> list[str]:
    """Apply every file of include/sql/schema that is not applied yet, in order of name.

    Where nothing of ours is yet, the baseline stands for all versions up to the one it is named by.
    All in one transaction: it ends with the newest schema or with the one it found. Any number of
    processes may call it at once.

    Args:
        connection: Whose first schema is the account's.
        has_contacts: Whether contacts.sql, as shipped, reads a `crm_contact` of this schema: one is
            made where there is none, as the stand-in for a CRM.

    Returns:
        The versions applied now.

    Raises:
        SchemaError: The database is newer than this package.
        SettingError, PrivilegeMissing: As `check_server`.
    """
    settle(connection)
    with connection.transaction():
        check_server(connection)
        migration_lock(connection)
        # Behind a session that holds a table for long, all that write to it would queue behind us.
        connection.execute("SET LOCAL lock_timeout = '10s'")
        is_new = _is_new(connection)
        connection.execute(_VERSIONS)
        had_contacts = _has_contacts(connection)
        known = load_versions(connection)
        if known.unknown:
            raise SchemaError(unknown_version(known.unknown))
        newest = _apply_baseline(connection) if is_new else "0000"
        for version in known.missing:
            if version[: len(newest)] > newest:
                connection.execute(_files()[version].read_text(encoding="utf-8"))
            connection.execute("INSERT INTO ctct_schema_version (version) VALUES (%s)", [version])
        if not had_contacts and not has_contacts:
            connection.execute("DROP TABLE IF EXISTS crm_contact")
        check_rights(connection)
    return known.missing


class Versions(NamedTuple):
    """How far a database's schema is.

    Attributes:
        applied: What it has.
        missing: What this package has besides, in the order in which it is applied.
        unknown: What this package does not have: a newer one was there.
    """

    applied: list[str]
    missing: list[str]
    unknown: list[str]


def has_schema(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is a schema of ours, readable or not."""
    query = "SELECT to_regclass('ctct_schema_version') IS NOT NULL"
    return connection.execute(query).fetchone() == (True,)


def load_versions(connection: psycopg.Connection[Any]) -> Versions:
    """Return how far the schema is; nothing is applied where there is none."""
    query = "SELECT version FROM ctct_schema_version ORDER BY version"
    applied = (
        [version for (version,) in connection.execute(query)] if has_schema(connection) else []
    )
    ours = _files()
    return Versions(
        applied,
        [version for version in ours if version not in applied],
        [version for version in applied if version not in ours],
    )


def unknown_version(unknown: Sequence[str]) -> str:
    """What to do where the database is newer than this package."""
    return (
        f"the CRM database has the schema {unknown[-1]}, which this version of the package does "
        "not know; install the version that made it, or a newer one"
    )


def schema_indexes(versions: Collection[str]) -> dict[str, str]:
    """The statement of each index that a schema has besides those of keys, by its name."""
    made: dict[str, tuple[str, str]] = {}
    for text in (_files()[version].read_text(encoding="utf-8") for version in sorted(versions)):
        for statement, name, table, gone in _INDEX.findall(text):
            if name:
                made[name] = (table, " ".join(statement.split()))
            made = {each: its for each, its in made.items() if gone not in (each, its[0])}
    return {name: statement for name, (_, statement) in made.items()}


def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted((SQL_DIR / "schema").glob("[0-9]*.sql"))}


def _apply_baseline(connection: psycopg.Connection[Any]) -> str:
    """Make today's tables; returns the number of the newest migration that is in them."""
    files = sorted((SQL_DIR / "schema").glob("baseline_*/*.sql"))
    for path in files:
        connection.execute(path.read_text(encoding="utf-8"))
    return files[0].parent.name.removeprefix("baseline_")


def _is_new(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing there has a name like ours; migrations leave a firm's own crm_… as it is."""
    found = connection.execute("""
        SELECT FROM pg_class
        WHERE
            relnamespace = quote_ident(current_schema())::regnamespace
            AND relname ~ '^(crm|ctct)_'
        UNION ALL
        SELECT FROM pg_proc
        WHERE
            pronamespace = quote_ident(current_schema())::regnamespace
            AND proname ~ '^(crm|ctct)_'
    """)
    return not found.fetchall()


def _has_contacts(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NOT NULL"
    ).fetchone()
    return found == (True,)
