"""The check of the CRM's side: each thing that is wrong there is named with its remedy."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.api.client import Client
from constant_contact.errors import DatabaseUnavailable
from constant_contact.store import requirements
from constant_contact.store.database import Database
from constant_contact.store.migrations import load_versions, schema_indexes
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import install, prepare_seam
from constant_contact.store.session import connect
from constant_contact.sync.check import crm_seam
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.crm import check_crm
from constant_contact.sync.check.crm_assumptions import ASSUMPTIONS
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from tests.databases import Databases
from tests.support import CONN_ID, Rows

# As a person picks them out of a remedy.
STATEMENT = re.compile(r"(?:GRANT|CREATE INDEX|ALTER TABLE) (?:(?!, or |\(…)[^;])+(?=;|, or |$)")
Looked = dict[str, Line]
# What a fresh CRM as shipped has not, and need not have.
NOT_TRIED = {"contacts_replica", "flag_back", "linking_time"}


def looked(crm: Database) -> Looked:
    return {line.assumption.name: line for line in check_crm(crm, CONN_ID)}


def found(lines: Looked) -> dict[str, Result]:
    return {
        name: line.result
        for name, line in lines.items()
        if line.result not in {Result.OK, Result.NOT_TRIED}
    }


@pytest.fixture
def firm(databases: Databases) -> Iterator[Callable[..., Database]]:
    """A CRM as a login of a given URL sees it, with files of a given folder."""
    opened: list[Database] = []

    def open_it(url: str, **more: Any) -> Database:
        crm = Database(lambda: psycopg.connect(url), name="connection crm_default", **more)
        opened.append(crm)
        return crm

    yield open_it
    for crm in opened:
        crm.close()


@pytest.fixture
def login(databases: Databases, crm_url: str) -> Iterator[str]:
    """A role with no right on anything in the CRM's database."""
    role = f"ctct_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(crm_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(role)))
        yield role
        owner.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def as_login(url: str, login: str) -> str:
    return make_conninfo(url, user=login, password="x")


def test_a_crm_as_shipped_holds_and_each_assumption_has_its_line(crm: Database) -> None:
    lines = check_crm(crm, CONN_ID)
    assert [line.assumption for line in lines] == list(ASSUMPTIONS)
    assert {line.assumption.name for line in lines if line.result == Result.NOT_TRIED} == NOT_TRIED
    assert found(looked(crm)) == {}


def test_all_of_it_is_tried_once_a_night_was(
    crm: Database, add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=True)
    link_contacts(crm)
    lines = looked(crm)
    assert found(lines) == {}
    assert "contacts: 1, links that would change: 0" in lines["linking_time"].seen
    assert lines["comparison_time"].seen.endswith("last seen of them: 0")
    assert lines["doorbell_rings"].seen.startswith("it last rang at ")


def test_five_things_that_are_wrong_at_once_are_each_named_with_their_remedy(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_contact (contact_id, preferred_email) VALUES"
        " ('a', 'home@example.com'), ('b', 'Home@example.com'), ('c', 'no address'), ('d', NULL)"
    )
    sql_rows("DROP INDEX ctct_link_email")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER constant_contact_no")
    sql_rows("DELETE FROM ctct_schema_version WHERE version = '0031_check'")
    sql_rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
    sql_rows(f"REVOKE UPDATE ON crm_contact FROM {login}")
    lines = looked(firm(as_login(crm_url, login)))
    wrong = found(lines)
    assert wrong == {
        "schema_version": Result.DIFFERS,
        "table_rights": Result.DIFFERS,
        "our_indexes": Result.DIFFERS,
        "contacts_addresses": Result.DIFFERS,
        "shared_addresses": Result.DIFFERS,
        "write_back": Result.REFUSED,
        "doorbell_enabled": Result.DIFFERS,
    }
    told = {name: lines[name].remedy or lines[name].assumption.remedy for name in wrong}
    assert f"GRANT CREATE, USAGE ON SCHEMA public TO {login}" in told["table_rights"]
    assert f"GRANT UPDATE ON public.crm_contact TO {login}" in told["write_back"]
    assert "CREATE INDEX ctct_link_email ON ctct_link (email_key)" in told["our_indexes"]
    assert told["doorbell_enabled"] == (
        'ALTER TABLE crm_contact ENABLE ALWAYS TRIGGER "constant_contact_no"'
    )
    assert "migrate`" in told["schema_version"]
    assert "lacks 0031_check" in lines["schema_version"].seen
    assert "1 with a malformed address, 1 without any" in lines["contacts_addresses"].seen
    assert lines["shared_addresses"].seen == "shared addresses: 1, of 2 contacts"


def test_each_remedy_that_is_told_mends_what_it_is_told_for(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows("DROP INDEX ctct_link_email")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER constant_contact_yes")
    sql_rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
    sql_rows(f"REVOKE ALL ON crm_contact FROM {login}")
    sql_rows(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {login}")
    crm = firm(as_login(crm_url, login))
    for _ in range(3):
        lines = looked(crm)
        for name in found(lines):
            for statement in STATEMENT.findall(lines[name].remedy or ""):
                sql_rows(statement)
    assert found(looked(crm)) == {}


def test_one_look_that_is_refused_stops_no_other(
    firm: Callable[..., Database], crm_url: str, login: str
) -> None:
    lines = looked(firm(as_login(crm_url, login)))
    assert lines["schema_version"].result == Result.REFUSED
    assert lines["contacts_read"].result == Result.REFUSED
    assert f"GRANT SELECT ON public.crm_contact TO {login}" in (lines["contacts_read"].remedy or "")
    assert lines["contacts_ids"].result == Result.NOT_TRIED
    assert lines["server_encoding"].result == Result.OK
    assert lines["doorbell_enabled"].result == Result.OK


def test_before_the_schema_is_there_it_says_so_and_looks_at_the_rest(
    firm: Callable[..., Database], databases: Databases
) -> None:
    name = databases.create_empty()
    try:
        lines = looked(firm(databases.our_url(databases.url(name))))
    finally:
        databases.drop(name)
    assert lines["schema_version"].result == Result.DIFFERS
    assert lines["schema_version"].seen == "there is no schema of ours yet"
    assert lines["server_version"].result == Result.OK
    assert lines["doorbell"].result == Result.NOT_TRIED
    assert "migrate`" in lines["doorbell"].seen


def test_a_server_that_does_not_answer_ends_the_check(firm: Callable[..., Database]) -> None:
    with pytest.raises(DatabaseUnavailable, match="connection crm_default"):
        check_crm(firm("postgresql://localhost:1/crm"), CONN_ID)


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
    """As PgBouncer's pool_mode = transaction: the process of the server that is free is lent to
    whoever comes, so that the settings of one session are the other's."""

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        yield self.shared

    shared: psycopg.Connection[Any]


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


def test_a_doorbell_that_is_gone_or_on_another_table_is_told(crm: Database, sql_rows: Rows) -> None:
    sql_rows("ALTER TABLE crm_contact RENAME TO crm_contact_old")
    sql_rows("CREATE TABLE crm_contact (LIKE crm_contact_old INCLUDING ALL)")
    swapped = looked(crm)["doorbell"]
    assert swapped.result == Result.DIFFERS
    assert "tables that doorbell.sql does not name: 1" in swapped.seen
    sql_rows("DROP TABLE crm_contact_old")
    gone = looked(crm)
    assert gone["doorbell"].seen == "triggers: 0; tables with one: 0 of 1"
    with crm.transaction() as connection:
        prepare_seam(connection, crm.seam)
    assert looked(crm)["doorbell"].result == Result.OK


def test_a_change_that_no_doorbell_rang_for_is_counted(
    crm: Database,
    client: Client,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> None:
    for contact_id in "abc":
        add_crm_contact(contact_id, f"{contact_id}@example.com", do_not_email=contact_id == "a")
    # The first look is no doorbell's business.
    sql_rows("DELETE FROM crm_opt_out_change")
    link_contacts(crm)
    assert looked(crm)["doorbell_rings"].result == Result.OK
    sql_rows("UPDATE ctct_objection SET heard_at = heard_at - interval '2 hours'")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    set_do_not_email("a", False)
    set_do_not_email("b", True)
    sql_rows("ALTER TABLE crm_contact ENABLE TRIGGER USER")
    set_do_not_email("c", True)
    push_opt_outs(client, crm)
    line = looked(crm)["doorbell_rings"]
    assert line.result == Result.DIFFERS
    assert line.seen.endswith("found and it did not ring for: 2")


@pytest.fixture
def with_files(crm: Database, tmp_path: Path) -> Callable[..., Looked]:
    """Looks with the files as shipped, but for what is given; None: no such file."""

    def run(**given: str | None) -> Looked:
        for path in crm.seam.contacts.path.parent.glob("*.sql"):
            text = given.get(path.stem, path.read_text(encoding="utf-8"))
            if text is not None:
                (tmp_path / path.name).write_text(text, encoding="utf-8")
        for name, text in given.items():
            if text is not None:
                (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
        crm.seam = load_seam(tmp_path)
        return looked(crm)

    return run


def test_files_that_do_not_fit_are_told(
    with_files: Callable[..., Looked], add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=None)
    lines = with_files(
        contacts="SELECT 'x' AS contact_id, preferred_email, do_not_email, first_name, last_name,"
        " 1 AS colour FROM crm_contact UNION ALL SELECT 'x', NULL, NULL, NULL, NULL, 2",
        write_back="UPDATE crm_contact SET nothing = 1",
        flag_back="UPDATE crm_contact SET do_not_email = TRUE FROM changed_flag AS changed"
        " WHERE crm_contact.contact_id = changed.contact_id",
    )
    assert found(lines) == {
        "contacts_read": Result.DIFFERS,
        "contacts_ids": Result.DIFFERS,
        "contacts_flags": Result.DIFFERS,
        "write_back": Result.DIFFERS,
    }
    assert "colour" in (lines["contacts_read"].remedy or "")
    assert "colour" not in lines["contacts_read"].seen
    assert lines["flag_back"].result == Result.OK


def test_a_look_that_reads_the_whole_table_is_told(
    with_files: Callable[..., Looked], sql_rows: Rows
) -> None:
    sql_rows("CREATE TABLE person AS SELECT n::text AS id FROM generate_series(1, 10) AS n")
    lines = with_files(
        contacts="SELECT id AS contact_id, NULL AS preferred_email, FALSE AS do_not_email,"
        " NULL AS first_name, NULL AS last_name FROM person"
    )
    assert lines["contacts_look_up"].result == Result.DIFFERS
    assert lines["contacts_look_up"].remedy is not None
    assert "CREATE INDEX ON public.person (id)" in lines["contacts_look_up"].remedy


def test_a_file_that_is_not_there_is_a_feature_that_is_off(
    with_files: Callable[..., Looked],
) -> None:
    lines = with_files(write_back=None, doorbell=None)
    assert found(lines) == {}
    off = {"write_back", "doorbell", "doorbell_enabled", "doorbell_rings"}
    assert {lines[name].result for name in off} == {Result.NOT_TRIED}


def test_contacts_of_another_server_are_read_there(
    firm: Callable[..., Database], crm: Database, databases: Databases, sql_rows: Rows
) -> None:
    name = databases.create_empty()
    with psycopg.connect(databases.url(name)) as there:
        there.execute(
            "CREATE TABLE crm_contact (contact_id text PRIMARY KEY, preferred_email text,"
            " do_not_email boolean, first_name text, last_name text, constant_contact_id text)"
        )
        there.execute("INSERT INTO crm_contact VALUES ('a', 'x@y.z'), ('b', ' X@y.z ')")
    try:
        crm.contacts = firm(databases.url(name))
        lines = looked(crm)
        crm.contacts.close()
    finally:
        crm.contacts = None
        databases.drop(name)
    assert lines["contacts_read"].seen.startswith("2 rows")
    assert lines["contacts_replica"].seen == "contacts.sql is read from a primary server"
    assert lines["shared_addresses"].seen == "shared addresses: 1, of 2 contacts"


def test_no_row_of_the_database_is_written(
    crm: Database, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=True)
    versions = "SELECT contact_id, xmin::text, xmax::text FROM crm_contact"
    before = sql_rows(versions)
    check_crm(crm, CONN_ID)
    assert sql_rows(versions) == before
    assert sql_rows("SELECT * FROM ctct_link") == []


def test_a_comparison_that_takes_long_is_told(
    crm: Database, add_crm_contact: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crm_seam, "MOST_SECONDS", -1)
    add_crm_contact("a", "ann@example.com")
    link_contacts(crm)
    wrong = found(looked(crm))
    assert wrong == {"comparison_time": Result.DIFFERS, "linking_time": Result.DIFFERS}


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
