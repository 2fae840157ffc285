"""What wakes the DAGs of opt-outs and of memberships: rows in the CRM."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from typing import Any

import pytest

Rows = Callable[..., list[dict[str, Any]]]
Add = Callable[..., None]
Flag = Callable[..., None]


def trigger(poll_s: float = 3600, statement: str = "opt_outs/newest_opt_out") -> Any:
    """A trigger of the kind the DAG has, that looks rarely by itself."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import BaseHook

    from constant_contact.triggers.crm_rows import CrmRowsTrigger

    made = CrmRowsTrigger("crm_default", statement, poll_s)
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
        # Made anew by whoever knows nothing of times.
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
            assert asyncio.get_running_loop().time() < deadline, "nobody listens"
        await asyncio.to_thread(set_do_not_email, "c1", True)
        return await waiting

    assert asyncio.run(wait()).payload == {"waiting": True}


@pytest.mark.usefixtures("airflow")
def test_it_survives_being_stored_by_airflow() -> None:
    from airflow.sdk._shared.module_loading import import_string

    path, arguments = trigger(7).serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == (path, arguments)
