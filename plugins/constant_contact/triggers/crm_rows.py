"""Wakes a DAG when rows appear in a table of the CRM."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from constant_contact.hooks.crm import connect_async
from constant_contact.store.listener import Listener

# One of each CRM database in an event loop, as long as a trigger uses it.
_listeners: Final = WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str], Listener]()


class CrmRowsTrigger(BaseEventTrigger):
    """Fires when a statement tells of a newer waiting row than before.

    PostgreSQL's NOTIFY says when to look, so an event follows the CRM's commit at once; every
    `poll_s` it looks anyway, for CRMs that write through views. What fires twice, as after a
    restart of the triggerer, costs a run that finds nothing. All triggers of a CRM database share
    one session, and none holds a thread.

    Args:
        crm_conn_id: The CRM database.
        statement: By name; gives one row whose first column names the newest waiting
            row, null where none waits.
        poll_s: Seconds between two looks without a notice.
    """

    def __init__(self, crm_conn_id: str, statement: str, poll_s: float = 5) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.crm_conn_id = crm_conn_id
        self.statement = statement
        self.poll_s = poll_s
        self._leave: Callable[[], Awaitable[None]] | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes this trigger again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "crm_conn_id": self.crm_conn_id,
                "statement": self.statement,
                "poll_s": self.poll_s,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event whenever a newer row waits; outlives a CRM that is away."""
        listener = _listener(self.crm_conn_id)
        watcher = listener.join(self.statement, self.poll_s)
        self._leave = partial(listener.leave, watcher)
        fired_for: object = None
        while True:
            newest = await watcher.newest()
            if newest is not None and newest != fired_for:
                fired_for = newest
                yield TriggerEvent({"waiting": True})  # type: ignore[no-untyped-call]

    async def cleanup(self) -> None:
        """Leave the session to the others, as the triggerer asks for whatever ended `run`."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            await leave()


def _listener(crm_conn_id: str) -> Listener:
    made = Listener(partial(connect_async, crm_conn_id), f"connection {crm_conn_id}")
    return _listeners.setdefault((asyncio.get_running_loop(), crm_conn_id), made)
