"""What wakes the DAGs of opt-outs and of memberships: rows in the CRM."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from tests.support import EU_SCHEMA, Add, Flag, Rows

SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class CountingExecutor(ThreadPoolExecutor):
    """Counts who takes a thread, as `asyncio.to_thread` does."""

    taken = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.taken += 1
        return super().submit(*args, **kwargs)


def trigger(
    poll_s: float = 3600,
    statement: str = "opt_outs/newest_opt_out",
    crm_conn_id: str = "crm_default",
) -> Any:
    """A trigger of the kind the DAG has, that looks rarely by itself."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import BaseHook

    from constant_contact.triggers.crm_rows import CrmRowsTrigger

    made = CrmRowsTrigger(crm_conn_id, statement, poll_s)
    assert PostgresHook is not None
    assert BaseHook is not None
    return made


async def first(events: AsyncIterator[Any], within_s: float = 120) -> Any:
    return await asyncio.wait_for(anext(events), within_s)


async def silent(events: AsyncIterator[Any], for_s: float) -> bool:
    """Whether no event comes; the iterator is used up by asking."""
    try:
        await asyncio.wait_for(anext(events), for_s)
    except TimeoutError:
        return True
    return False


def test_a_commit_in_the_crm_is_an_event_at_once(
    connections: pytest.MonkeyPatch, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")

    async def wait() -> Any:
        events = trigger().run()
        waiting = asyncio.ensure_future(first(events))
        # Not before the trigger listens: it is asked for until the event comes.
        for flag in cycle((True, False)):
            await asyncio.to_thread(set_do_not_email, "c1", flag)
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            if done:
                break
        return waiting.result()

    assert asyncio.run(wait()).payload == {"waiting": True}


def test_a_row_that_waits_already_is_an_event(
    connections: pytest.MonkeyPatch, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)
    assert asyncio.run(first(trigger().run())).payload == {"waiting": True}


def test_a_request_for_a_membership_is_an_event(
    connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO crm_list_membership (contact_id, list_id) VALUES ('c1', 'l1')")

    async def wait() -> Any:
        events = trigger(statement="memberships/memberships_waiting").run()
        await first(events)
        again = asyncio.ensure_future(first(events))
        # Made again by a CRM that sets no time.
        change = "UPDATE crm_list_membership SET action = 'remove' RETURNING 1 AS done"
        await asyncio.to_thread(sql_rows, change)
        return await again

    assert asyncio.run(wait()).payload == {"waiting": True}


def test_the_same_row_is_no_second_event(
    connections: pytest.MonkeyPatch, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)

    async def wait() -> bool:
        events = trigger(poll_s=0.05).run()
        await first(events)
        return await silent(events, 0.5)

    assert asyncio.run(wait())


def test_a_crm_that_is_away_is_waited_for(
    connections: pytest.MonkeyPatch, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")

    async def wait() -> Any:
        events = trigger(poll_s=0.1).run()
        waiting = asyncio.ensure_future(first(events))
        cut = (
            "SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        deadline = asyncio.get_running_loop().time() + 120
        while not await asyncio.to_thread(sql_rows, cut):
            assert asyncio.get_running_loop().time() < deadline, "no listener is there"
        await asyncio.to_thread(set_do_not_email, "c1", True)
        return await waiting

    assert asyncio.run(wait()).payload == {"waiting": True}


def test_twenty_watchers_take_no_thread_of_other_triggers_and_one_session(
    connections: pytest.MonkeyPatch, sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")
    executor = CountingExecutor()

    async def wait() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(executor)
        statements = ("opt_outs/opt_outs_waiting", "memberships/memberships_waiting")
        watchers = [trigger(statement=statement).run() for statement in statements * 10]
        events = [asyncio.ensure_future(first(events)) for events in watchers]
        async with asyncio.timeout(120):
            while not (listening := sql_rows(SESSIONS)):
                await asyncio.sleep(0.02)
        set_do_not_email("c1", True)
        sql_rows("INSERT INTO crm_list_membership (contact_id, list_id) VALUES ('c1', 'l1')")
        fired = await asyncio.gather(*events)
        assert sql_rows(SESSIONS) == listening
        assert len(listening) == 1
        return list(fired)

    assert [event.payload for event in asyncio.run(wait())] == [{"waiting": True}] * 20
    assert executor.taken == 0


def test_each_crm_database_has_a_session_of_its_own(eu: Any, sql_rows: Rows) -> None:
    for schema in ("public", EU_SCHEMA):
        sql_rows(f"INSERT INTO {schema}.crm_list_membership VALUES ('c1', 'l1')")

    async def wait() -> None:
        accounts = ("crm_default", "crm_eu", "crm_eu")
        watchers = [trigger(3600, "memberships/memberships_waiting", each) for each in accounts]
        runs = [watcher.run() for watcher in watchers]
        await asyncio.gather(*map(first, runs))
        assert len(sql_rows(SESSIONS)) == 2

    asyncio.run(wait())


def test_triggers_that_are_cancelled_leave_no_session_and_no_task(
    connections: pytest.MonkeyPatch, sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)

    async def wait() -> None:
        is_handling = asyncio.Event()

        async def handle(watcher: Any) -> None:
            """As the triggerer does."""
            try:
                async for _ in watcher.run():
                    is_handling.set()
                    await asyncio.Event().wait()
            finally:
                await watcher.cleanup()

        waiting = "memberships/memberships_waiting"
        watchers = [trigger(), *(trigger(statement=waiting) for _ in range(19))]
        runs = [asyncio.ensure_future(handle(watcher)) for watcher in watchers]
        await asyncio.wait_for(is_handling.wait(), 120)
        for run in runs:
            run.cancel()
        done, _ = await asyncio.wait(runs)
        assert all(run.cancelled() for run in done)
        async with asyncio.timeout(120):
            while sql_rows(SESSIONS) or len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0.02)

    asyncio.run(wait())


def test_a_connection_that_does_not_exist_is_told_by_its_name(
    connections: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def wait() -> None:
        run = asyncio.ensure_future(first(trigger(crm_conn_id="crm_nowhere").run()))
        async with asyncio.timeout(120):
            while "crm_nowhere" not in caplog.text:
                await asyncio.sleep(0.02)
        run.cancel()

    asyncio.run(wait())
    assert "connection crm_nowhere: does not exist; add it in Airflow" in caplog.text


@pytest.mark.usefixtures("airflow")
def test_it_survives_being_stored_by_airflow() -> None:
    from airflow.sdk._shared.module_loading import import_string

    path, arguments = trigger(7).serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == (path, arguments)
