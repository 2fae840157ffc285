"""Databases for tests: made by copying a migrated one, emptied and used again."""

import uuid
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.store.accounts import claim
from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import install
from constant_contact.store.session import connect
from tests.odd_server import OddLogin
from tests.support import CONN_ID, EU_SCHEMA, prepare_account

_FILLED = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relname ~ '^(crm|ctct)_' AND pg_relation_size(oid) > 0
"""
_USED_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
"""
# Without temporary tables, which a session makes and keeps.
_TEMPORARY = "IN (SELECT oid FROM pg_class WHERE relpersistence = 't')"
# A row of the catalog that was added or changed has another transaction; one that is gone is not
# counted. Of pg_class only what neither TRUNCATE nor ANALYZE changes.
_SCHEMA = f"""
SELECT
    (SELECT string_agg(concat(relname, relkind, relacl, reloptions), ' ' ORDER BY oid)
    FROM pg_class WHERE relnamespace <> 'pg_catalog'::regnamespace AND relkind NOT IN ('i', 't')
    AND relpersistence <> 't'),
    (SELECT string_agg(concat(nspname, nspacl), ' ' ORDER BY oid)
    FROM pg_namespace WHERE nspname NOT LIKE '%temp%'),
    (SELECT count(*) FROM pg_index WHERE NOT indrelid {_TEMPORARY}),
    (SELECT count(*) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_CATALOGS = {
    "pg_attrdef": f"NOT adrelid {_TEMPORARY}",
    "pg_attribute": f"NOT attrelid {_TEMPORARY}",
    "pg_constraint": f"NOT conrelid {_TEMPORARY}",
    "pg_description": "TRUE",
    "pg_policy": "TRUE",
    "pg_proc": "TRUE",
    "pg_rewrite": "TRUE",
    "pg_trigger": "TRUE",
    "pg_type": "NOT pg_is_other_temp_schema(typnamespace)",
}
# What the server counted of another test's rows; only a superuser may forget it.
_FORGET_COUNTED = "DELETE FROM pg_statistic WHERE starelid >= 16384"
# As if it had come to each table when that was empty for a moment.
_COUNT_AS_EMPTY = """
UPDATE pg_class SET reltuples = 0, relpages = 1
WHERE relkind = 'r' AND relname ~ '^(crm|ctct)_' AND relpersistence <> 't' AND reltuples <> 0
"""
_ENDED_WITHIN_S = 60

Prepare = Callable[[str], object]


class Kept(NamedTuple):
    """A database as our jobs see it, and the sessions that it has there."""

    database: Database
    pids: set[int]


class Kind(NamedTuple):
    """Databases with one schema: what they are copied from, and those that are free."""

    template: str
    seeded: list[str]
    as_new: list[Any]
    free: list[str]


def prepare_one_account(url: str) -> None:
    with psycopg.connect(url) as connection:
        install(connection)


def prepare_two_accounts(url: str) -> None:
    """Both claimed, as `make migrate` does it."""
    prepare_one_account(url)
    with connect(url) as connection:
        claim(connection, CONN_ID, "connection crm_default")
    prepare_account(make_conninfo(url, options=f"-csearch_path={EU_SCHEMA}"))


class Databases:
    """Makes databases and drops them.

    A database is some 600 files, and to make and remove them is what most of a short test would
    cost; a session that has read the catalog and planned its statements is the next. So the CRM
    database of a test that is done is emptied for the next one, which finds our sessions there.

    Args:
        server_url: Of a superuser.
        is_odd: With all of `tests.odd_server`.
    """

    def __init__(self, server_url: str, *, is_odd: bool = False) -> None:
        self._server_url = server_url
        self._odd = OddLogin(server_url) if is_odd else None
        self._server = psycopg.connect(server_url, autocommit=True)
        self._kinds: dict[Prepare, Kind] = {}
        self._kind_of: dict[str, Kind] = {}
        self._kept: dict[str, Kept] = {}

    def our_url(self, url: str) -> str:
        """A database as our jobs connect to it."""
        return self._odd.url(url) if self._odd else url

    def url(self, name: str) -> str:
        """A database as the CRM connects to it."""
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{name}"))

    def as_jobs_see(self, name: str) -> Database:
        """A database with the seam as shipped; not to be closed by a test."""
        if name not in self._kept:
            url, pids = self.our_url(self.url(name)), set[int]()

            def connect() -> psycopg.Connection[Any]:
                connection = psycopg.connect(url)
                pids.add(connection.info.backend_pid)
                return connection

            self._kept[name] = Kept(Database(connect, name="connection crm_default"), pids)
        database = self._kept[name].database
        database.seam = load_seam()
        return database

    def create_empty(self, locale: str = "") -> str:
        """A database of a new name with nothing in it; `locale` as CREATE DATABASE takes it."""
        name = _new_name()
        self._run(f"CREATE DATABASE {{}} TEMPLATE template0 ENCODING 'UTF8' {locale}", name)
        self._make_odd(name)
        return name

    def create(self, prepare: Prepare = prepare_one_account, *, with_sessions: bool = False) -> str:
        """A database with the schema that `prepare` makes, and no rows; returns its name.

        Args:
            with_sessions: Ours of the test before may still be there. Else the name is new, too:
                what a process remembers of a database is not of this one.
        """
        if prepare not in self._kinds:
            self._kinds[prepare] = self._make_kind(prepare)
        kind = self._kinds[prepare]
        if kind.free:
            name = kind.free.pop()
            if not with_sessions:
                name = self._rename(name)
        else:
            name = _new_name()
            self._run("CREATE DATABASE {} TEMPLATE {}", name, kind.template)
            self._make_odd(name)
        self._kind_of[name] = kind
        return name

    def take_back(self, name: str) -> None:
        """Empty it for another test, or drop it if a test changed more than rows."""
        kind = self._kind_of.pop(name)
        self._end_sessions(name)
        with psycopg.connect(self.url(name)) as connection:
            _empty(connection, kind.seeded)
            self._miscount(connection)
            is_new = _state(connection, kind.seeded) == kind.as_new
        if is_new:
            kind.free.append(name)
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        self._forget(name)
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _rename(self, name: str) -> str:
        new = _new_name()
        self._forget(name)
        self._end_sessions(name)
        self._run("ALTER DATABASE {} RENAME TO {}", name, new)
        return new

    def _forget(self, name: str) -> None:
        if kept := self._kept.pop(name, None):
            kept.database.close()

    def close(self) -> None:
        for kind in self._kinds.values():
            for name in (*kind.free, kind.template):
                self.drop(name)
        if self._odd:
            self._odd.drop()
        self._server.close()

    def _make_kind(self, prepare: Prepare) -> Kind:
        template = self.create_empty()
        prepare(self.our_url(self.url(template)))
        with psycopg.connect(self.url(template)) as connection:
            self._miscount(connection)
            seeded = _names(connection, _FILLED)
            return Kind(template, seeded, _state(connection, seeded), [])

    def _make_odd(self, name: str) -> None:
        if self._odd:
            self._odd.make_odd(name)

    def _miscount(self, connection: psycopg.Connection[Any]) -> None:
        if self._odd:
            connection.execute(_COUNT_AS_EMPTY)

    def _end_sessions(self, name: str) -> None:
        """But for those of ours that rest: they have no transaction, and no lock.

        A session is over when it is no longer listed: the server waits for it in long steps.
        """
        kept = self._kept.get(name)
        pids = list(kept.pids) if kept else []
        deadline, wait_s = monotonic() + _ENDED_WITHIN_S, 0.001
        while self._server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'"
            " AND NOT (pid = ANY(%s) AND state = 'idle')",
            [name, pids],
        ).fetchall():
            assert monotonic() < deadline, f"a session of {name} does not end"
            sleep(wait_s)
            # each look costs the server some of the time that the session needs to end
            wait_s = min(2 * wait_s, 0.05)

    def _run(self, statement: str, *names: str) -> None:
        self._server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _new_name() -> str:
    return f"ctct_test_{uuid.uuid4().hex[:12]}"


def _empty(connection: psycopg.Connection[Any], seeded: list[str]) -> None:
    """Only what has rows: each table that is truncated gets new files."""
    if filled := [each for each in _names(connection, _FILLED) if each not in seeded]:
        connection.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE".encode())
    for sequence in _names(connection, _USED_SEQUENCES):
        connection.execute(f"ALTER SEQUENCE {sequence} RESTART".encode())
    connection.execute(_FORGET_COUNTED)


def _state(connection: psycopg.Connection[Any], seeded: list[str]) -> list[Any]:
    """What a test must leave as it was: the schema, and the rows that come with it."""
    counted = ", ".join(
        f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {table} WHERE {condition})"
        for table, condition in (*_CATALOGS.items(), *((table, "TRUE") for table in seeded))
    )
    schema = connection.execute(_SCHEMA).fetchone() or ()
    rows = connection.execute(f"SELECT {counted}".encode()).fetchone() or ()
    return [*schema, *rows]


def _names(connection: psycopg.Connection[Any], statement: str) -> list[str]:
    return [name for (name,) in connection.execute(statement.encode()).fetchall()]
