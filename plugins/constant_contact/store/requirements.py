"""What the CRM's server, database and login have to be, before anything is made there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg

from constant_contact.errors import PrivilegeMissing, SettingError
from constant_contact.store import database

# The oldest that PostgreSQL still mends, and that the tests run on.
OLDEST_VERSION: Final = 15
_PER_MAJOR: Final = 10_000


def check_server(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server, a database or a search_path that the jobs could not work with.

    Raises:
        SettingError: Says what it is and what to do.
        PrivilegeMissing: A right is missing that a migration needs; names the GRANT.
    """
    for _, problem in find_problems(load_server(connection)):
        raise problem
    check_rights(connection)


def load_server(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """What the server, the database and the login are: the columns of `session/server`."""
    return database.row(connection, "session/server") or {}


def find_problems(server: Mapping[str, Any]) -> Iterator[tuple[str, SettingError]]:
    """Name each requirement that is not met, with what to do.

    Yields:
        `server_version`, `server_writable`, `server_encoding` or `tables_schema`, and its problem.
    """
    where = f"the CRM database {server['database']}"
    return ((name, SettingError(where, problem)) for name, problem in _problems(server))


def _problems(server: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if server["version"] < OLDEST_VERSION * _PER_MAJOR:
        yield (
            "server_version",
            f"its server is PostgreSQL {server['version_name']}; {OLDEST_VERSION} is the "
            "oldest that is supported: upgrade it",
        )
    if server["is_standby"] or server["is_read_only"]:
        yield "server_writable", _read_only(server)
    if server["encoding"] != "UTF8":
        yield (
            "server_encoding",
            f"its encoding is {server['encoding']}, which cannot store every name; copy it "
            "into one made with createdb --encoding=UTF8 --template=template0 (pg_dump, "
            "pg_restore)",
        )
    if server["schema"] is None:
        yield (
            "tables_schema",
            f"search_path ({server['search_path']}) names no schema that {server['login']} "
            f"may use; GRANT USAGE, CREATE ON SCHEMA public TO {server['login']}, or "
            f"ALTER ROLE {server['login']} SET search_path",
        )
    elif server["elsewhere"]:
        there = server["elsewhere"][0]
        yield (
            "tables_schema",
            f"new tables would go into the schema {server['schema']}, which search_path "
            f"({server['search_path']}) names first, but those of before are in {there}; "
            f"ALTER ROLE {server['login']} SET search_path = {there}",
        )


def check_rights(connection: psycopg.Connection[Any]) -> None:
    """Refuse a login that lacks a right on the schema, the database or one of our tables.

    Raises:
        PrivilegeMissing: Names the GRANTs.
    """
    if missing := missing_grants(connection):
        raise PrivilegeMissing(
            "the login lacks rights in the CRM database; who owns them runs: " + "; ".join(missing)
        )


def missing_grants(connection: psycopg.Connection[Any]) -> list[str]:
    """The GRANTs that the login lacks on the schema, the database and our tables."""
    return [found["mend"] for found in database.rows(connection, "session/missing_rights")]


def _read_only(server: Mapping[str, Any]) -> str:
    if server["is_standby"]:
        return "its server is a standby, which takes no writes; connect to the primary"
    return (
        "it takes no writes from this login; take back default_transaction_read_only (ALTER ROLE, "
        "ALTER DATABASE), or wait until who set it does"
    )
