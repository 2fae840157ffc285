"""What a check says of the CRM's server, its sessions and our tables."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from constant_contact.store import requirements
from constant_contact.store.database import Database
from constant_contact.store.migrations import load_versions, schema_indexes
from constant_contact.store.seam_check import install
from constant_contact.store.session import connect
from constant_contact.sync.check.assumptions import Result
from tests.databases import Databases
from tests.support import Rows
from tests.sync.check.looks import as_login, found, looked


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_store_every_name_is_told(
    firm: Callable[..., Database], databases: Databases, encoding: str
) -> None:
    name = f"ctct_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
        server.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
            " LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    try:
        line = looked(firm(databases.url(name)))["server_encoding"]
    finally:
        databases.drop(name)
    assert (line.result, line.seen) == (Result.DIFFERS, encoding)
    assert "createdb --encoding=UTF8" in (line.remedy or "")


def test_a_locale_that_folds_oddly_is_told_and_changes_no_key(
    firm: Callable[..., Database], databases: Databases
) -> None:
    name = databases.create_empty("LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with psycopg.connect(databases.url(name)) as connection:
            install(connection)
        line = looked(firm(databases.url(name)))["address_case"]
    finally:
        databases.drop(name)
    assert line.result == Result.OK
    assert line.seen == "locale C of libc makes iÄ of IÄ; the keys are right"


def test_an_old_server_is_told(crm: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "OLDEST_VERSION", 99)
    line = looked(crm)["server_version"]
    assert line.result == Result.DIFFERS
    assert "99 is the oldest that is supported" in (line.remedy or "")


def test_a_session_that_may_not_write_is_told(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows(f"ALTER ROLE {login} SET default_transaction_read_only = on")
    sql_rows(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {login}")
    lines = looked(firm(as_login(crm_url, login)))
    line = lines["server_writable"]
    assert (line.result, line.seen) == (Result.DIFFERS, "read-only for our login")
    # What is read only is looked at all the same.
    assert lines["contacts_read"].result == Result.OK
    assert lines["write_back"].result == Result.NOT_TRIED


def test_settings_of_the_role_are_named_and_overridden(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows(f"ALTER ROLE {login} SET datestyle = 'German, DMY'")
    sql_rows(f"ALTER ROLE {login} SET work_mem = '8MB'")
    line = looked(firm(as_login(crm_url, login)))["session_settings"]
    assert line.result == Result.OK
    assert "datestyle" in line.seen.lower()
    assert "work_mem" not in line.seen


class Pooled(Database):
    """As PgBouncer's pool_mode = transaction: each transaction gets a server process that is free,
    with the settings that another session left there."""

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        yield self.shared

    shared: psycopg.Connection[Any]


def test_names_of_login_and_schema_may_need_quotes(
    firm: Callable[..., Database], databases: Databases
) -> None:
    name, login = databases.create_empty(), f'Ctct "Test" {uuid.uuid4().hex[:12]}'
    role, schema = sql.Identifier(login), sql.Identifier('Sales "CRM"')
    with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(role))
        server.execute(sql.SQL("ALTER ROLE {} SET search_path = {}").format(role, schema))
        server.execute(sql.SQL("ALTER ROLE {} SET datestyle = 'German'").format(role))
    try:
        with psycopg.connect(databases.url(name), autocommit=True) as owner:
            owner.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(schema, role))
        with connect(as_login(databases.url(name), login)) as connection:
            install(connection)
        lines = looked(firm(as_login(databases.url(name), login)))
    finally:
        databases.drop(name)
        with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
            server.execute(sql.SQL("DROP ROLE {}").format(role))
    assert found(lines) == {}
    assert "datestyle" in lines["session_settings"].seen.lower()


def test_a_pooler_that_lends_one_process_to_two_sessions_is_told(crm_url: str) -> None:
    crm = Pooled(lambda: psycopg.connect(crm_url), name="connection crm_default")
    with closing(connect(crm_url)) as crm.shared, closing(crm):
        crm.shared.autocommit = True
        line = looked(crm)["direct_session"]
    assert line.result == Result.DIFFERS
    assert "pool_mode = session" in line.assumption.remedy


def test_tables_of_another_account_are_told(crm: Database, sql_rows: Rows) -> None:
    sql_rows("INSERT INTO ctct_account (constant_contact_conn_id) VALUES ('constant_contact_eu')")
    line = looked(crm)["own_tables"]
    assert line.result == Result.DIFFERS
    assert "constant_contact_eu" in (line.remedy or "")


def test_each_index_that_is_looked_for_is_one_of_a_fresh_schema(
    crm: Database, sql_rows: Rows
) -> None:
    there = {row["indexname"] for row in sql_rows("SELECT indexname FROM pg_indexes")}
    with crm.transaction() as connection:
        known = load_versions(connection)
    assert set(schema_indexes(known.applied)) <= there
    assert "ctct_contact_email" in schema_indexes(known.applied)


def test_an_older_schema_lacks_no_index_that_came_later(crm: Database, sql_rows: Rows) -> None:
    sql_rows("DROP INDEX ctct_objection_hold")
    assert "ctct_objection_hold" in looked(crm)["our_indexes"].seen
    sql_rows("DELETE FROM ctct_schema_version WHERE version >= '0030'")
    assert looked(crm)["our_indexes"].result == Result.OK
