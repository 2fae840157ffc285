"""Wakes a DAG when rows appear in a table of the CRM."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from airflow.sdk import BaseHook
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from constant_contact.errors import ConstantContactError
from constant_contact.hooks.crm import crm_database
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.crm_rows")


class CrmRowsTrigger(BaseEventTrigger):
    """Fires when a statement tells of a newer waiting row than before.

    PostgreSQL's NOTIFY says when to look, so an event follows the CRM's commit at once; every
    `poll_s` it looks anyway, for CRMs that write through views. What fires twice, as after a
    restart of the triggerer, costs a run that finds nothing.

    Args:
        crm_conn_id: The CRM database.
        statement: Below include/sql; gives one row whose first column names the newest waiting
            row, null where none waits.
        poll_s: Seconds between two looks without a notice.
    """

    def __init__(self, crm_conn_id: str, statement: str, poll_s: float = 5) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.crm_conn_id = crm_conn_id
        self.statement = statement
        self.poll_s = poll_s

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
        fired_for: object = None
        while True:
            try:
                connection = await BaseHook.aget_connection(self.crm_conn_id)
                crm = crm_database(self.crm_conn_id, connection)
                async for newest in self._newest(crm):
                    if newest is not None and newest != fired_for:
                        fired_for = newest
                        yield TriggerEvent({"waiting": True})  # type: ignore[no-untyped-call]
            except Exception as error:  # noqa: BLE001 - a watcher that ends wakes no DAG any more
                said = error if isinstance(error, ConstantContactError) else type(error).__name__
                _log.warning("%s; looking again in %s s", said, self.poll_s)
                await asyncio.sleep(self.poll_s)

    async def _newest(self, crm: Database) -> AsyncIterator[object]:
        """The newest waiting row, again after each notice and each `poll_s`."""
        with contextlib.ExitStack() as stack:
            stack.callback(crm.close)
            # In a thread: a server that does not answer must not hold up the other triggers.
            lent = await asyncio.to_thread(stack.enter_context, crm.session())
            await asyncio.to_thread(self._listen, lent)
            while True:
                found = await asyncio.to_thread(database.row, lent, self.statement)
                yield next(iter((found or {}).values()), None)
                await asyncio.to_thread(self._wait, lent)

    def _listen(self, listener: psycopg.Connection[Any]) -> None:
        listener.execute("LISTEN constant_contact")

    def _wait(self, listener: psycopg.Connection[Any]) -> None:
        """Sleep until a notice comes or `poll_s` are over."""
        for _ in listener.notifies(timeout=self.poll_s, stop_after=1):
            pass
