"""The schema: a baseline for new installations, and versioned changes run forward on data."""

from typing import Any, LiteralString

import psycopg

from constant_contact.errors import SchemaError
from constant_contact.store.requirements import check_rights, check_server
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
    files = {path.stem: path for path in sorted((SQL_DIR / "schema").glob("[0-9]*.sql"))}
    baseline = sorted((SQL_DIR / "schema").glob("baseline_*/*.sql"))
    settle(connection)
    with connection.transaction():
        check_server(connection)
        migration_lock(connection)
        # Behind somebody who holds a table for long, all who write to it would queue behind us.
        connection.execute("SET LOCAL lock_timeout = '10s'")
        is_new = _is_new(connection)
        connection.execute(_VERSIONS)
        had_contacts = _has_contacts(connection)
        applied = {
            version for (version,) in connection.execute("SELECT version FROM ctct_schema_version")
        }
        if unknown := sorted(applied - files.keys()):
            raise SchemaError(
                f"the CRM database has the schema {unknown[-1]}, which this version of the package "
                "does not know; install the version that made it, or a newer one"
            )
        missing = [version for version in files if version not in applied]
        in_baseline: set[str] = set()
        if baseline and is_new:
            newest = baseline[0].parent.name.removeprefix("baseline_")
            in_baseline = {version for version in missing if version[: len(newest)] <= newest}
            for path in baseline:
                connection.execute(path.read_text(encoding="utf-8"))
        for version in missing:
            if version not in in_baseline:
                connection.execute(files[version].read_text(encoding="utf-8"))
            connection.execute("INSERT INTO ctct_schema_version (version) VALUES (%s)", [version])
        if not had_contacts and not has_contacts:
            connection.execute("DROP TABLE IF EXISTS crm_contact")
        check_rights(connection)
    return missing


def _is_new(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing there has a name like ours; migrations leave a firm's own crm_… as it is."""
    found = connection.execute("""
        SELECT FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname ~ '^(crm|ctct)_'
        UNION ALL
        SELECT FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname ~ '^(crm|ctct)_'
    """)
    return not found.fetchall()


def _has_contacts(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NOT NULL"
    ).fetchone()
    return found == (True,)
