"""What the CRM database's errors mean, by SQLSTATE: whose error of ours each is, and its sentence.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import re
from typing import Final, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy.exc import OperationalError

from constant_contact.commands import command
from constant_contact.errors import (
    ConstantContactError,
    DatabaseConflict,
    DatabaseReadOnly,
    DatabaseUnavailable,
    PrivilegeMissing,
    QueryTooSlow,
    SchemaError,
    SettingError,
    TextRefused,
)
from constant_contact.redact import redact


class Meaning(NamedTuple):
    """What some SQLSTATEs mean.

    Attributes:
        sqlstates: Their beginnings.
        error: The error of ours.
        sentence: What happened and what is to be done; `{said}` is the server's own line.
    """

    sqlstates: tuple[str, ...]
    error: type[ConstantContactError]
    sentence: str


# Of two that fit, the earlier one counts.
MEANINGS: Final = (
    Meaning(
        ("57P05", "25P03", "25P04"),
        QueryTooSlow,
        "the CRM database ended our session by a time limit of its own ({said}); what was not "
        "committed is undone and done again by the next try",
    ),
    Meaning(
        ("57014",),
        QueryTooSlow,
        "the CRM database ended a statement before it was done ({said}); the next try repeats it. "
        "If that happens again, pg_stat_activity shows what keeps the server busy",
    ),
    Meaning(
        ("55P03",),
        QueryTooSlow,
        "a lock in the CRM database did not become free in time ({said}); the next try repeats it. "
        "If that happens again, pg_locks shows which session holds it",
    ),
    Meaning(
        ("40",),
        DatabaseConflict,
        "another session changed the same rows of the CRM database at the same time ({said}); "
        "the transaction is undone and repeated by the next try",
    ),
    Meaning(
        ("25006",),
        DatabaseReadOnly,
        "the CRM database takes no writes from this session ({said}); the next try gets a new "
        "connection. If that is read-only too: let the connection's host be the primary server "
        "(with several hosts, extra target_session_attrs read-write), or take back "
        "default_transaction_read_only",
    ),
    Meaning(
        ("53300",),
        DatabaseUnavailable,
        "the CRM database has no connection left for us ({said}); raise max_connections there, "
        "or the role's CONNECTION LIMIT",
    ),
    Meaning(
        ("53",),
        DatabaseUnavailable,
        "the CRM database is out of disk, memory or another resource ({said}); make room on its "
        "server",
    ),
    Meaning(
        ("08", "57P"),
        DatabaseUnavailable,
        "the CRM database does not answer ({said}); check the connection's host, port, login, "
        "password and database, and that the server runs",
    ),
    Meaning(
        ("42501",),
        PrivilegeMissing,
        "the login lacks a privilege in the CRM database ({said}); {remedy}",
    ),
    Meaning(
        ("42P01", "42703", "42883", "3F000"),
        SchemaError,
        "{said}; run {migrate}",
    ),
    Meaning(
        ("22021", "22P05"),
        TextRefused,
        "the CRM database cannot store a character of a text ({said}); its encoding has to be "
        "UTF8, as `SHOW server_encoding` tells",
    ),
    Meaning(
        ("26000", "42P05"),
        SettingError,
        "a pooler hands our session from one server connection to another ({said}); let the "
        "connection lead to the server, or to a pool with pool_mode = session",
    ),
)
_AWAY: Final = next(meaning for meaning in MEANINGS if "08" in meaning.sqlstates)
# Who may do what: a table's or a schema's owner, and superusers.
_PRIVILEGES: Final = {
    "table": "SELECT, INSERT, UPDATE, DELETE",
    "view": "SELECT",
    "sequence": "USAGE",
    "schema": "USAGE, CREATE",
    "database": "CONNECT, TEMPORARY",
    "function": "EXECUTE",
}
_DENIED: Final = re.compile(rf"permission denied for ({'|'.join(_PRIVILEGES)}) (.+)")


def explained(error: Exception, name: str, login: str = "") -> ConstantContactError | None:
    """The error of ours that a database error is; None if it is about none of `MEANINGS`.

    Args:
        error: Of the driver, or of the pool, which wraps the driver's.
        name: What a person calls the connection, such as "connection crm_default".
        login: The role that we are; "" where that is not known.
    """
    cause = error.orig if isinstance(error, OperationalError) else error
    sqlstate = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    said = redact(_first_line(cause if isinstance(cause, psycopg.Error) else error))
    if sqlstate is None and isinstance(cause, psycopg.OperationalError):
        # The server said nothing, or did not let us in: the driver names no SQLSTATE for that.
        meaning: Meaning | None = _AWAY
    else:
        beginning = sqlstate or "-"
        fitting = (each for each in MEANINGS if beginning.startswith(each.sqlstates))
        meaning = next(fitting, None)
    if meaning is None:
        return None
    text = meaning.sentence.format(
        said=said, remedy=_remedy(said, login), migrate=command("migrate")
    )
    if meaning.error is SettingError:
        return SettingError(name, text)
    return meaning.error(f"{name}: {text}")


def _first_line(error: BaseException) -> str:
    """What the server, or else the driver, says: host and user, never the password or a row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    lines = (primary or str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _remedy(said: str, login: str) -> str:
    """The GRANT, where the server names what it denies in words that we know."""
    role = _identifier(login) if login else "the login"
    if denied := _DENIED.search(said):
        kind, what = denied.groups()
        on = "" if kind in ("table", "view") else f"{kind.upper()} "
        return (
            f"its owner grants what is missing of these: GRANT {_PRIVILEGES[kind]} ON "
            f"{on}{_identifier(what)} TO {role}"
        )
    if "row-level security" in said:
        return (
            "rows that are hidden would be taken for gone: ALTER ROLE "
            f"{role} BYPASSRLS, or give it a view of all rows"
        )
    return f"{command('migrate')}, run as {role}, names the GRANT for what it finds"


def _identifier(name: str) -> str:
    """A name as SQL writes it."""
    return sql.Identifier(name).as_string()
