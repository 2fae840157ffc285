"""One session hears the CRM's notices for all who watch its tables, whatever becomes of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from constant_contact.store import listener as listener_module
from constant_contact.store.listener import Listener, Watcher
from local.postgres import LocalPostgres
from tests.databases import prepare_one_account
from tests.support import Add, Flag, Rows

OPT_OUTS = "opt_outs/opt_outs_waiting"
MEMBERSHIPS = "memberships/memberships_waiting"
NEVER_S = 3600
WITHIN_S = 300

REQUEST = "INSERT INTO crm_list_membership (contact_id, list_id) VALUES (%s, 'l1')"
SESSIONS = (
    "SELECT pid, state, wait_event_type FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def listener_of(url: str) -> Listener:
    connect = partial(psycopg.AsyncConnection.connect, url, autocommit=True)
    return Listener(connect, "connection crm_default")


@pytest.fixture
def listener(crm_url: str) -> Callable[[], Listener]:
    """Makes one of the CRM database, inside the event loop that it is for."""
    return lambda: listener_of(crm_url)


@asynccontextmanager
async def watching(listener: Listener, statement: str, poll_s: float) -> AsyncIterator[Watcher]:
    watcher = listener.join(statement, poll_s)
    try:
        yield watcher
    finally:
        await listener.leave(watcher)


async def newest(watcher: Watcher) -> object:
    return await asyncio.wait_for(watcher.newest(), WITHIN_S)


async def first_waiting(watcher: Watcher) -> object:
    while (found := await newest(watcher)) is None:
        pass
    return found


async def sessions(sql_rows: Rows, count: int) -> list[dict[str, Any]]:
    """Waits until the server has so many sessions beside the test's own."""
    async with asyncio.timeout(WITHIN_S):
        while len(found := sql_rows(SESSIONS)) != count:
            await asyncio.sleep(0.02)
    return found


def cut(sql_rows: Rows) -> None:
    sql_rows(SESSIONS.replace("pid, state, wait_event_type", "pg_terminate_backend(pid) AS cut"))


def test_a_notice_is_a_look_for_every_watcher(
    listener: Callable[[], Listener], sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")

    async def watch() -> None:
        shared = listener()
        async with (
            watching(shared, OPT_OUTS, NEVER_S) as opt_outs,
            watching(shared, MEMBERSHIPS, NEVER_S) as memberships,
        ):
            assert [await newest(opt_outs), await newest(memberships)] == [None, None]
            set_do_not_email("c1", True)
            assert await newest(opt_outs) == "1"
            sql_rows(REQUEST, "c1")
            assert await first_waiting(memberships) is not None
            assert len(sql_rows(SESSIONS)) == 1

    asyncio.run(watch())


def test_a_watcher_that_joins_later_is_told_what_waits_already(
    listener: Callable[[], Listener], sql_rows: Rows
) -> None:
    async def watch() -> None:
        shared = listener()
        async with watching(shared, OPT_OUTS, NEVER_S) as first:
            await newest(first)
            sql_rows("ALTER TABLE crm_list_membership DISABLE TRIGGER USER")
            sql_rows(REQUEST, "c1")
            sql_rows("ALTER TABLE crm_list_membership ENABLE TRIGGER USER")
            async with watching(shared, MEMBERSHIPS, NEVER_S) as second:
                assert await newest(second) is not None

    asyncio.run(watch())


def test_a_notice_that_comes_while_another_table_is_looked_at_is_not_lost(
    listener: Callable[[], Listener],
    crm_url: str,
    sql_rows: Rows,
    add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:
    add_crm_contact("c1", "ann@example.com")

    async def watch() -> None:
        shared = listener()
        async with (
            watching(shared, OPT_OUTS, NEVER_S) as opt_outs,
            watching(shared, MEMBERSHIPS, NEVER_S) as memberships,
        ):
            with psycopg.connect(crm_url) as locking:
                locking.execute("LOCK TABLE crm_list_membership")
                assert await newest(opt_outs) is None
                async with asyncio.timeout(WITHIN_S):
                    while not any(row["wait_event_type"] == "Lock" for row in sql_rows(SESSIONS)):
                        await asyncio.sleep(0.02)
                set_do_not_email("c1", True)
            await newest(memberships)
            assert await newest(opt_outs) == "1"

    asyncio.run(watch())


def test_what_waits_since_a_session_was_cut_is_seen_by_the_next_one(
    listener: Callable[[], Listener], sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")

    async def watch() -> None:
        async with watching(listener(), OPT_OUTS, 0.2) as watcher:
            await newest(watcher)
            [before] = await sessions(sql_rows, 1)
            cut(sql_rows)
            set_do_not_email("c1", True)
            assert await first_waiting(watcher) == "1"
            [after] = await sessions(sql_rows, 1)
            assert after["pid"] != before["pid"]

    asyncio.run(watch())


def test_a_server_that_lets_nobody_in_is_waited_for_and_told_of_once(
    listener: Callable[[], Listener],
    crm_url: str,
    postgres_url: str,
    sql_rows: Rows,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "constant_contact.crm_rows")
    database = conninfo_to_dict(crm_url)["dbname"]

    def let_in(are: str) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS {are}".encode())

    async def watch() -> None:
        async with watching(listener(), MEMBERSHIPS, 0.05) as watcher:
            await newest(watcher)
            sql_rows(REQUEST, "c1")
            let_in("false")
            try:
                cut(sql_rows)
                async with asyncio.timeout(WITHIN_S):
                    while not caplog.records:
                        await asyncio.sleep(0.02)
                # some more that are refused
                await asyncio.sleep(0.5)
            finally:
                let_in("true")
            await first_waiting(watcher)
            sql_rows("UPDATE crm_list_membership SET action = 'remove'")
            assert await first_waiting(watcher) is not None

    asyncio.run(watch())
    said = [record.getMessage() for record in caplog.records]
    refusals = [each for each in said if "not currently accepting connections" in each]
    assert len(refusals) == 1
    assert "connection crm_default: the CRM database does not answer" in refusals[0]
    assert "check the connection's host, port" in refusals[0]
    assert said[-1] == "connection crm_default: the CRM database answers again (session)"


def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path) as server:
        url = server.url("crm")
        prepare_one_account(url)

        async def watch() -> None:
            async with watching(listener_of(url), MEMBERSHIPS, 0.2) as watcher:
                await newest(watcher)
                server.stop()
                server.start()
                with psycopg.connect(url) as connection:
                    connection.execute(REQUEST, ["c1"])
                assert await first_waiting(watcher) is not None

        asyncio.run(watch())


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A way to the server that can swallow what its connections send; new ones go through."""
    to = conninfo_to_dict(url)
    carrying: list[asyncio.Task[None]] = []
    ends: list[asyncio.StreamWriter] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sent := await reader.read(65536):
            writer.write(sent)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = str(to.get("host"))
        if host.startswith("/"):
            opened = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{to.get('port') or 5432}")
        else:
            opened = asyncio.open_connection(host, int(to.get("port") or 5432))
        server_reader, server_writer = await opened
        ends.extend((writer, server_writer))
        carrying.append(asyncio.create_task(carry(reader, server_writer)))
        carrying.append(asyncio.create_task(carry(server_reader, writer)))

    def swallow() -> None:
        while carrying:
            carrying.pop().cancel()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable"), swallow
    finally:
        listening.close()
        swallow()
        for end in ends:
            end.close()


@pytest.mark.slow
def test_a_server_that_says_nothing_any_more_is_given_up(
    crm_url: str,
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(listener_module, "ANSWER_WITHIN_S", 1)

    async def watch() -> None:
        async with (
            relay(crm_url) as (url, swallow),
            watching(listener_of(url), MEMBERSHIPS, 0.2) as watcher,
        ):
            await newest(watcher)
            swallow()
            sql_rows(REQUEST, "c1")
            assert await first_waiting(watcher) is not None

    asyncio.run(watch())
    assert "the CRM database does not answer (no answer within 1 s)" in caplog.text


def test_a_table_that_cannot_be_read_stops_no_look_at_another(
    listener: Callable[[], Listener], sql_rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    async def watch() -> None:
        sql_rows("ALTER TABLE crm_opt_out_change RENAME TO elsewhere")
        shared = listener()
        async with (
            watching(shared, OPT_OUTS, NEVER_S) as opt_outs,
            watching(shared, MEMBERSHIPS, NEVER_S) as memberships,
        ):
            await newest(memberships)
            sql_rows(REQUEST, "c1")
            assert await first_waiting(memberships) is not None
            sql_rows("ALTER TABLE elsewhere RENAME TO crm_opt_out_change")
            sql_rows("NOTIFY constant_contact")
            assert await newest(opt_outs) is None

    asyncio.run(watch())
    [warning] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert 'relation "crm_opt_out_change" does not exist; run' in warning.getMessage()


def test_the_session_ends_with_the_last_watcher(
    listener: Callable[[], Listener], sql_rows: Rows
) -> None:
    async def watch() -> None:
        shared = listener()
        async with watching(shared, OPT_OUTS, NEVER_S) as first:
            async with watching(shared, MEMBERSHIPS, NEVER_S) as second:
                await newest(second)
                [both] = await sessions(sql_rows, 1)
            await newest(first)
            [one] = await sessions(sql_rows, 1)
            assert one["pid"] == both["pid"]
        await sessions(sql_rows, 0)
        async with watching(shared, OPT_OUTS, NEVER_S) as again:
            assert await newest(again) is None

    asyncio.run(watch())
