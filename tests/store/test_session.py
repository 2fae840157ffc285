"""Whatever the firm's server gives a session, ours are as our statements need them."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from constant_contact.store.database import Database
from constant_contact.store.session import SETTINGS, connect, settle, settle_async
from tests.databases import Databases
from tests.odd_server import DATABASE, LOGIN, OddLogin
from tests.support import Rows

# Which kinds of settings change how fast a statement is, what is logged, how the server keeps its
# rows, and nothing that a statement of ours means.
_WITHOUT_MEANING = (
    "Connections and Authentication",
    "Client Connection Defaults / Shared Library Preloading",
    "Developer Options",
    "Lock Management",
    "Query Tuning",
    "Replication",
    "Reporting and Logging",
    "Resource Usage",
    "Statistics",
    "Vacuuming",
)
# Of the other kinds, each with what it changes.
_LEFT = {
    "client_min_messages": "notices, which are not read",
    "commit_delay": "speed",
    "commit_siblings": "speed",
    "createrole_self_grant": "roles, of which we make none",
    "default_tablespace": "where the firm wants its tables",
    "default_text_search_config": "text search, which no statement has",
    "default_toast_compression": "how rows are kept",
    "default_transaction_read_only": "whether the firm lets anything be written",
    "dynamic_library_path": "libraries, of which we load none",
    "event_triggers": "the firm's own event triggers",
    "extension_destdir": "extensions, of which we make none",
    "extension_control_path": "extensions, of which we make none",
    "gin_pending_list_limit": "speed",
    "icu_validation_level": "what is said of a wrong collation",
    "lc_messages": "the language of the server's messages; errors go by SQLSTATE",
    "lo_compat_privileges": "large objects, of which we have none",
    "search_path": "which schema is an account's",
    "synchronize_seqscans": "an order of rows that was not asked for",
    "temp_tablespaces": "where the firm wants temporary tables",
    "transaction_deferrable": "one transaction",
    "transaction_isolation": "one transaction",
    "transaction_read_only": "one transaction",
    "wal_compression": "speed",
    "wal_init_zero": "speed",
    "wal_recycle": "speed",
    "wal_skip_threshold": "speed",
}


@pytest.fixture(scope="module")
def odd(postgres_url: str) -> Iterator[OddLogin]:
    login = OddLogin(postgres_url)
    yield login
    login.drop()


@pytest.fixture
def odd_url(odd: OddLogin, databases: Databases) -> Iterator[str]:
    """A migrated database as a login of ours sees it, where everything is odd."""
    name = databases.create()
    odd.make_odd(name)
    yield odd.url(databases.url(name))
    databases.drop(name)


@pytest.fixture
def odd_crm(odd_url: str) -> Iterator[Database]:
    crm = Database(lambda: psycopg.connect(odd_url), name="connection crm_default")
    yield crm
    crm.close()


def settings_of(connection: psycopg.Connection[Any]) -> dict[str, str]:
    return dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())


def test_no_setting_of_a_role_or_a_database_reaches_a_session_of_ours(odd_crm: Database) -> None:
    with odd_crm.transaction() as connection:
        found = settings_of(connection)
        isolation = connection.execute("SHOW transaction_isolation").fetchone()
    assert {name: found[name] for name in SETTINGS if name in found} == {
        name: setting for name, setting in SETTINGS.items() if name in found
    }
    assert isolation == ("read committed",)


def test_a_session_of_an_event_loop_has_the_same_ones(odd_url: str) -> None:
    async def found() -> dict[str, str]:
        connection = await psycopg.AsyncConnection.connect(odd_url, autocommit=True)
        try:
            await settle_async(connection, {"statement_timeout": "20000"})
            shown = await connection.execute("SELECT name, setting FROM pg_settings")
            return dict(await shown.fetchall())
        finally:
            await connection.close()

    settings = asyncio.run(found())
    ours = {**SETTINGS, "statement_timeout": "20000"}
    assert {name: settings[name] for name in ours if name in settings} == {
        name: setting for name, setting in ours.items() if name in settings
    }


def test_the_odd_server_gives_otherwise_whatever_it_gives(odd_url: str) -> None:
    """So the test above, and a run with TEST_ODD_SERVER, would show what is not ours."""
    names = [*LOGIN, *DATABASE]

    def shown(connection: psycopg.Connection[Any]) -> list[str]:
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
        # SQL_ASCII gives bytes for text
        return [value.decode() if isinstance(value, bytes) else value for (value,) in values]

    with psycopg.connect(odd_url) as given, connect(odd_url) as ours:
        pairs = zip(names, shown(given), shown(ours), strict=True)
        assert [name for name, theirs, kept in pairs if theirs == kept] == []


def test_every_setting_that_a_session_may_be_given_is_ours_or_known_to_be_harmless(
    crm: Database,
) -> None:
    with crm.transaction() as connection:
        given = connection.execute(
            "SELECT name, category FROM pg_settings"
            " WHERE context IN ('user', 'superuser') AND name !~ '[.]|^vacuum_'"
        ).fetchall()
    unknown = {
        name
        for name, category in given
        if not category.startswith(_WITHOUT_MEANING) and name not in _LEFT and name not in SETTINGS
    }
    assert unknown == set()


def test_values_of_every_kind_come_and_go_as_they_are(odd_crm: Database) -> None:
    values = {
        "a_time": datetime(2026, 2, 1, 23, 59, 59, 123456, UTC),
        "a_span": timedelta(days=-3, hours=25, microseconds=1),
        "a_number": 0.1 + 0.2,
        "a_text": "\\s and \\' and ß, 名",
        "some_bytes": b"\x00\\\xff",
    }
    columns = sql.SQL(", ").join(map(sql.Placeholder, values))
    with odd_crm.transaction() as connection:
        assert connection.execute(sql.SQL("SELECT {}").format(columns), values).fetchone() == tuple(
            values.values()
        )
        pattern = connection.execute(r"SELECT 'Ann Lee' ~ '^\w+\sLee$', NULL = NULL").fetchone()
        assert pattern == (True, None)
        array = connection.execute("SELECT '{a,NULL}'::text[]").fetchone()
        assert array == (["a", None],)


def test_a_transaction_reads_again_what_others_committed_after_it_waited(
    odd_crm: Database, odd_url: str
) -> None:
    with odd_crm.transaction() as connection:
        connection.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
    with odd_crm.transaction() as connection:
        connection.execute("SELECT 1 FROM crm_contact")
        with connect(odd_url) as other:
            other.execute("UPDATE crm_contact SET first_name = 'Ann'")
        connection.execute("UPDATE crm_contact SET last_name = 'Lee' WHERE first_name = 'Ann'")
        found = connection.execute("SELECT first_name, last_name FROM crm_contact").fetchall()
    assert found == [("Ann", "Lee")]


def test_no_time_limit_of_the_server_ends_a_session_that_waits(
    odd_crm: Database, odd_url: str
) -> None:
    """Longer than each limit of `LOGIN`; whether it has passed is asked of the server."""
    with odd_crm.transaction() as waiting, odd_crm.session() as idle:
        idle.execute("LISTEN constant_contact")
        waiting.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
        with connect(odd_url) as clock:
            clock.execute("SELECT pg_sleep(2.5)")
        waiting.execute("SELECT 1")
        idle.execute("SELECT 1")
    with odd_crm.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM crm_contact").fetchone() == (1,)


def test_a_wait_for_a_lock_goes_by_our_limit(odd_crm: Database, odd_url: str) -> None:
    """Longer than `lock_timeout` of `LOGIN`; then the lock becomes free."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with connect(odd_url) as holder:
            holder.execute("SELECT pg_advisory_xact_lock(1)")
            is_held.set()
            holder.execute("SELECT pg_sleep(1)")
            may_end.wait(60)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        is_held.wait(60)
        may_end.set()
        with odd_crm.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(1)")
    finally:
        may_end.set()
        holding.join()


def test_a_commit_is_on_disk_and_no_less_than_the_firm_asks_for(crm_url: str) -> None:
    given = {
        "off": "on",
        "local": "on",
        "remote_write": "remote_write",
        "remote_apply": "remote_apply",
    }
    found = {}
    for setting in given:
        with psycopg.connect(crm_url) as connection:
            connection.execute(f"SET synchronous_commit = {setting}")
            settle(connection)
            found[setting] = settings_of(connection)["synchronous_commit"]
    assert found == given


def test_an_open_transaction_stays_open(crm_url: str, sql_rows: Rows) -> None:
    with psycopg.connect(crm_url) as connection:
        connection.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
        settle(connection)
        connection.rollback()
    assert sql_rows("SELECT * FROM crm_contact") == []


def test_a_setting_of_our_own_takes_the_place_of_another(crm_url: str) -> None:
    pages = Database(
        lambda: psycopg.connect(crm_url),
        name="connection crm_default",
        settings={"statement_timeout": "5s"},
    )
    with pages.transaction() as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("5s",)
    pages.close()
