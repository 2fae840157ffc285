"""What our sessions with the CRM database rely on, which they set for themselves.

A role, a database, a connection string and a pooler give a session settings that change what a
statement means (`ALTER ROLE … SET datestyle`). They are the firm's business; so each session of
ours has the same ones, whatever it was given. What else changes how fast a statement is stays as
the firm has it, and so do four that say where and whether we may write at all: `search_path`,
`default_tablespace`, `temp_tablespaces`, `default_transaction_read_only`.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from constant_contact.store.sql import statement
from constant_contact.store.texts import clean_what_is_stored

# As `pg_settings` shows them: times in milliseconds.
SETTINGS: Final[Mapping[str, str]] = {
    # How values are written and read. The driver knows no other way for times and spans of it.
    "client_encoding": "UTF8",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "xmlbinary": "base64",
    "xmloption": "content",
    # What a statement says.
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "escape_string_warning": "on",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    # Which rows it sees: a hidden row is an error, not an absence.
    "gin_fuzzy_search_limit": "0",
    "restrict_nonsystem_relation_kind": "",
    "row_security": "off",
    # What `FOR UPDATE SKIP LOCKED`, and reading again after a lock, need.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # Each statement is planned for the ids that it has now. A plan for any number of them that is
    # kept since a table was empty reads all of it again for each of an import's 11,000 contacts.
    "plan_cache_mode": "force_custom_plan",
    # To compile a statement that asks the gate takes seconds, and it is asked before each call.
    "jit": "off",
    # What is stored when COMMIT answers, what fires, and what a migration makes.
    "check_function_bodies": "on",
    "default_table_access_method": "heap",
    "exit_on_error": "off",
    "session_replication_role": "origin",
    "synchronous_commit": "on",
    # The limits that we live by. No statement takes an hour, no lock of ours is held for a quarter
    # of one, and no transaction waits longer for a reply than a call with all its repetitions. A
    # connection in the pool may rest.
    "statement_timeout": "3600000",
    "lock_timeout": "900000",
    "idle_in_transaction_session_timeout": "900000",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}


def settle(
    connection: psycopg.Connection[Any], settings: Mapping[str, str] | None = None
) -> psycopg.Connection[Any]:
    """Set what our statements rely on, for as long as the connection lives; return it.

    In one statement after the connection stands: poolers refuse what a connection string sets.

    Args:
        connection: To the CRM database. An open transaction stays open.
        settings: Besides `SETTINGS`, or in place of some, such as shorter time limits.

    Raises:
        psycopg.Error: The server does not let the role set one of them.
    """
    connection.row_factory = psycopg.rows.tuple_row
    is_idle = connection.info.transaction_status == TransactionStatus.IDLE
    connection.execute(statement("session/settle"), _ours(connection, settings))
    if is_idle and not connection.autocommit:
        connection.commit()
    return connection


async def settle_async(
    connection: psycopg.AsyncConnection[Any], settings: Mapping[str, str] | None = None
) -> psycopg.AsyncConnection[Any]:
    """As `settle`, for a connection of an event loop that is in autocommit.

    Raises:
        psycopg.Error: As `settle`.
    """
    connection.row_factory = psycopg.rows.tuple_row
    await connection.execute(statement("session/settle"), _ours(connection, settings))
    return connection


def _ours(
    connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any],
    settings: Mapping[str, str] | None,
) -> dict[str, str]:
    """What `session/settle` is to set; texts that the connection sends are clean from now on."""
    clean_what_is_stored(connection)
    return {"settings": json.dumps({**SETTINGS, **(settings or {})})}


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """Connect to the CRM database by a connection string, with our settings.

    Raises:
        psycopg.OperationalError: The server does not let us in.
        psycopg.Error: As `settle`.
    """
    connection = psycopg.connect(conninfo)
    try:
        return settle(connection)
    except BaseException:
        connection.close()
        raise
