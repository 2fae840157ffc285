"""Databases for tests: made by copying a migrated one, emptied and used again."""

import uuid
from collections.abc import Callable
from contextlib import closing
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
from tests.support import CONN_ID, EU_SCHEMA, Rows, prepare_account

# A table that is truncated is another one to each session, which reads the catalog again for it. So
# are those alone that have more than a few pages, which a scan of what was deleted would cost.
_TABLES = """
SELECT oid::regclass::text AS name, pg_relation_size(oid) > 65536 AS is_large FROM pg_class
WHERE relkind = 'r' AND relname ~ '^(crm|ctct)_' AND pg_relation_size(oid) > 0
"""
_RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, FALSE)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
# Without temporary tables, which a session makes and keeps.
_TEMPORARY = "IN (SELECT oid FROM pg_class WHERE relpersistence = 't')"
# A row of the catalog that was added or changed has another transaction; one that is gone is not
# counted. Of pg_class only what neither TRUNCATE nor ANALYZE changes.
_SCHEMA = f"""
SELECT
    (SELECT string_agg(concat(relname, relkind, relacl, reloptions), ' ' ORDER BY oid)
    FROM pg_class WHERE relnamespace <> 'pg_catalog'::regnamespace AND relkind NOT IN ('i', 't')
    AND relpersistence <> 't') AS relations,
    (SELECT string_agg(concat(nspname, nspacl), ' ' ORDER BY oid)
    FROM pg_namespace WHERE nspname NOT LIKE '%temp%') AS schemas,
    (SELECT count(*) FROM pg_index WHERE NOT indrelid {_TEMPORARY}) AS indexes,
    (SELECT count(*) FROM pg_db_role_setting AS given
    JOIN pg_database AS here ON here.oid = given.setdatabase
    WHERE here.datname = current_database()) AS settings
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
    as_new: list[dict[str, Any]]
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
        self._rows: dict[str, Rows] = {}

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

    def rows(self, name: str) -> Rows:
        """A database as the CRM sees it; not to be closed by a test."""
        if name not in self._rows:
            self._rows[name] = Rows(self.url(name))
        return self._rows[name]

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
        rows = self.rows(name)
        rows("DISCARD ALL")
        _empty(rows, kind.seeded, is_odd=self._odd is not None)
        if _state(rows, kind.seeded) == kind.as_new:
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
        if rows := self._rows.pop(name, None):
            rows.close()
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
        with closing(Rows(self.url(template))) as rows:
            seeded = [row["name"] for row in rows(_TABLES)]
            _empty(rows, seeded, is_odd=self._odd is not None)
            return Kind(template, seeded, _state(rows, seeded), [])

    def _make_odd(self, name: str) -> None:
        if self._odd:
            self._odd.make_odd(name)

    def _end_sessions(self, name: str) -> None:
        """But for those kept here that rest: they have no transaction, and no lock.

        A session is over when it is no longer listed: the server waits for it in long steps.
        """
        pids = list(self._kept[name].pids) if name in self._kept else []
        pids += self._rows[name].pids if name in self._rows else []
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


def _empty(rows: Rows, seeded: list[str], *, is_odd: bool) -> None:
    filled = [row for row in rows(_TABLES) if row["name"] not in seeded]
    with rows.transaction() as connection:
        if large := [row["name"] for row in filled if row["is_large"]]:
            connection.execute(f"TRUNCATE {', '.join(large)} CASCADE".encode())
        connection.execute("SET LOCAL session_replication_role = replica")
        for row in filled:
            if not row["is_large"]:
                connection.execute(f"DELETE FROM {row['name']}".encode())
        connection.execute(_RESTART.encode())
        connection.execute(_FORGET_COUNTED)
        if is_odd:
            connection.execute(_COUNT_AS_EMPTY)


def _state(rows: Rows, seeded: list[str]) -> list[dict[str, Any]]:
    """What a test must leave as it was: the schema, and the rows that come with it."""
    counted = ", ".join(
        f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {table} WHERE {condition})"
        f" AS of_{number}"
        for number, (table, condition) in enumerate(
            (*_CATALOGS.items(), *((table, "TRUE") for table in seeded))
        )
    )
    return [*rows(_SCHEMA), *rows(f"SELECT {counted}")]
