"""Each error of the database is named as what it is, by its SQLSTATE."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.errors import (
    ConstantContactError,
    DatabaseConflict,
    DatabaseReadOnly,
    DatabaseUnavailable,
    Fatal,
    PrivilegeMissing,
    QueryTooSlow,
    Retriable,
    SchemaError,
    SettingError,
    TextRefused,
)
from constant_contact.redact import told_by
from constant_contact.store.database import Database
from tests.support import Rows

AWAY = "check the connection's host, port, login, password and database"

TOLD = [
    ("08006", DatabaseUnavailable, "does not answer"),
    ("57P01", DatabaseUnavailable, "does not answer"),
    ("57P03", DatabaseUnavailable, "does not answer"),
    ("53300", DatabaseUnavailable, "no connection left"),
    ("53100", DatabaseUnavailable, "out of disk"),
    ("25006", DatabaseReadOnly, "takes no writes"),
    ("40001", DatabaseConflict, "at the same time"),
    ("40P01", DatabaseConflict, "at the same time"),
    ("57014", QueryTooSlow, "ended a statement"),
    ("55P03", QueryTooSlow, "a lock"),
    ("57P05", QueryTooSlow, "ended our session by a time limit"),
    ("25P03", QueryTooSlow, "ended our session by a time limit"),
    ("25P04", QueryTooSlow, "ended our session by a time limit"),
    ("42501", PrivilegeMissing, "lacks a privilege"),
    ("42P01", SchemaError, "make migrate"),
    ("42703", SchemaError, "make migrate"),
    ("42883", SchemaError, "make migrate"),
    ("22021", TextRefused, "UTF8"),
    ("22P05", TextRefused, "UTF8"),
    ("26000", SettingError, "pool_mode = session"),
    ("42P05", SettingError, "pool_mode = session"),
]


def raised(crm: Database, sqlstate: str) -> ConstantContactError:
    with pytest.raises(ConstantContactError) as message, crm.transaction() as connection:
        connection.execute(
            f"DO $$ BEGIN RAISE 'the server''s line' USING ERRCODE = '{sqlstate}'; END $$"
        )
    return message.value


@pytest.mark.parametrize(("sqlstate", "error", "words"), TOLD)
def test_a_sqlstate_has_its_own_error_and_sentence(
    crm: Database, sqlstate: str, error: type[ConstantContactError], words: str
) -> None:
    message = raised(crm, sqlstate)
    assert type(message) is error
    assert str(message).startswith("connection crm_default: ")
    assert words in str(message)
    assert "the server's line" in str(message)
    assert "\n" not in str(message)
    is_away = words == "does not answer"
    assert (AWAY in str(message)) == is_away


def test_a_person_is_asked_only_for_what_a_repetition_does_not_mend(crm: Database) -> None:
    later = {"08", "57", "53", "25", "40", "55"}
    for sqlstate, _, _ in TOLD:
        wanted = Retriable if sqlstate[:2] in later else Fatal
        assert isinstance(raised(crm, sqlstate), wanted), sqlstate


def test_what_has_no_meaning_for_us_stays_the_drivers(crm: Database) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), crm.transaction() as connection:
        connection.execute("SELECT 1 / 0")


def test_a_statement_that_takes_too_long_and_a_lock_that_is_held_are_no_absence(
    crm: Database, crm_url: str
) -> None:
    with pytest.raises(QueryTooSlow, match="ended a statement"), crm.transaction() as connection:  # noqa: PT012
        connection.execute("SET LOCAL statement_timeout = 50")
        connection.execute("SELECT pg_sleep(60)")
    with psycopg.connect(crm_url) as holder:
        holder.execute("LOCK TABLE crm_contact")
        with pytest.raises(QueryTooSlow, match="pg_locks"), crm.transaction() as connection:  # noqa: PT012
            connection.execute("SET LOCAL lock_timeout = 50")
            connection.execute("SELECT 1 FROM crm_contact")


@pytest.mark.parametrize(
    ("limit", "kept_open"),
    [("idle_in_transaction_session_timeout", True), ("idle_session_timeout", False)],
)
def test_a_session_that_the_server_ended_is_told_so_and_the_next_one_works(
    crm: Database, sql_rows: Rows, limit: str, kept_open: bool
) -> None:
    def is_there(pid: int) -> bool:
        return bool(sql_rows("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))

    with pytest.raises(QueryTooSlow, match="time limit"), crm.session() as connection:  # noqa: PT012
        connection.execute(f"SET {limit} = 50")
        if kept_open:
            connection.execute("BEGIN")
        while is_there(connection.info.backend_pid):
            pass
        connection.execute("SELECT 1")
    with crm.transaction() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_connections_that_are_read_only_since_a_failover_leave_the_pool(crm: Database) -> None:
    crm.close()  # the two that it opens are all it has
    with crm.transaction() as one, crm.transaction() as other:
        for connection in (one, other):
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    with pytest.raises(DatabaseReadOnly, match="takes no writes"), crm.transaction() as connection:
        connection.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
    with crm.transaction() as one, crm.transaction() as other:
        one.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
        other.execute("INSERT INTO crm_contact (contact_id) VALUES ('c2')")


@pytest.fixture
def login(crm_url: str, postgres_url: str) -> Iterator[str]:
    """A role that may connect, and nothing else."""
    # a server has one set of roles for all that is tested on it at once
    name = f"ctct_test_{uuid.uuid4().hex[:12]}"
    role = sql.Identifier(name)
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'clerk'").format(role))
        yield name
        with psycopg.connect(crm_url) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        server.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def clerks(crm_url: str, login: str) -> Iterator[Database]:
    url = make_conninfo(crm_url, user=login, password="clerk")
    crm = Database(lambda: psycopg.connect(url), name="connection crm_default")
    yield crm
    crm.close()


def test_a_missing_privilege_is_told_with_the_grant_that_mends_it(
    clerks: Database, login: str, sql_rows: Rows
) -> None:
    with pytest.raises(PrivilegeMissing) as refused, clerks.transaction() as connection:
        connection.execute("SELECT count(*) FROM crm_contact")
    message = str(refused.value)
    assert "permission denied for table crm_contact" in message
    sql_rows(message[message.index("GRANT ") :])
    with clerks.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM crm_contact").fetchone() == (0,)


def test_a_row_that_a_policy_hides_is_an_error_and_no_absence(
    clerks: Database, login: str, sql_rows: Rows
) -> None:
    sql_rows(f"GRANT SELECT ON crm_contact TO {login}")
    sql_rows("ALTER TABLE crm_contact ENABLE ROW LEVEL SECURITY")
    with (
        pytest.raises(PrivilegeMissing, match="BYPASSRLS"),
        clerks.transaction() as connection,
    ):
        connection.execute("SELECT count(*) FROM crm_contact")


@pytest.mark.parametrize(
    "value", ["'ask Mary Lee'::boolean", "'12 Mary'::integer", "'2026-13-45 Mary'::date"]
)
def test_a_value_that_does_not_fit_is_told_without_the_value(crm_url: str, value: str) -> None:
    with psycopg.connect(crm_url) as connection, pytest.raises(psycopg.DataError) as caught:
        connection.execute(f"SELECT {value}".encode())
    message = told_by(caught.value)
    assert "Mary" not in message
    assert "a value" in message


def test_other_errors_are_told_with_their_names(crm_url: str) -> None:
    with psycopg.connect(crm_url) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT no_such_column")
    assert '"no_such_column"' in told_by(caught.value)
