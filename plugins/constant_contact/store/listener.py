"""One session in an event loop that hears the CRM's notices, for all that watch its tables."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar

import psycopg

from constant_contact.errors import ConstantContactError
from constant_contact.store import sqlstates
from constant_contact.store.session import settle_async
from constant_contact.store.sql import statement

_log = logging.getLogger("constant_contact.crm_rows")

# A look is an index's last entry. What takes longer waits for a lock, such as a migration's; the
# looks at other tables go on.
LOOK_WITHIN_S: Final = 20
# A server that was cut off says nothing at all.
ANSWER_WITHIN_S: Final = 2 * LOOK_WITHIN_S

Answer = TypeVar("Answer")


class Watcher:
    """Notices to one watcher; it may be busy when one comes, and loses none.

    Args:
        statement: By name; gives one row whose first column names the newest waiting
            row, null where none waits.
        poll_s: Seconds between two looks without a notice.
    """

    def __init__(self, statement: str, poll_s: float) -> None:
        self.statement = statement
        self.poll_s = poll_s
        self._newest: object = None
        self._has_looked = asyncio.Event()

    def set_newest(self, newest: object) -> None:
        """Take what a look found."""
        self._newest = newest
        self._has_looked.set()

    async def newest(self) -> object:
        """Wait for the next look; return the newest waiting row, None where none waits."""
        await self._has_looked.wait()
        self._has_looked.clear()
        return self._newest


class Listener:
    """Listens as long as it has watchers: looks for them after each notice and each `poll_s`.

    It outlives a session that is cut and a server that is away. It looks whenever a session
    begins, so that no notice is missed meanwhile.

    Args:
        connect: Opens a connection of the event loop, in autocommit.
        name: What a person calls it in the settings, such as "connection crm_default".
    """

    def __init__(
        self, connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]], name: str
    ) -> None:
        self._connect = connect
        self._name = name
        # In the order in which they came.
        self._watchers: list[Watcher] = []
        self._has_joined = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._troubles: dict[str, str] = {}

    def join(self, statement: str, poll_s: float) -> Watcher:
        """Add a watcher, and listen if it is the first one; arguments as of `Watcher`."""
        watcher = Watcher(statement, poll_s)
        self._watchers.append(watcher)
        self._has_joined.set()
        if self._listening is None:
            # In an empty context: it may live longer than the task of the first watcher.
            self._listening = asyncio.create_task(self._listen(), context=Context())
        return watcher

    async def leave(self, watcher: Watcher) -> None:
        """Remove a watcher; the session ends with the last one."""
        self._watchers.remove(watcher)
        if not self._watchers and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            await asyncio.wait([listening])

    @property
    def _poll_s(self) -> float:
        return min((each.poll_s for each in self._watchers), default=0)

    def _is_wanted(self) -> bool:
        """Whether the running task is still the one that listens: an error may eat its end."""
        return self._listening is asyncio.current_task()

    async def _listen(self) -> None:
        while self._is_wanted():
            try:
                connection = await self._connect()
                try:
                    await self._serve(connection)
                finally:
                    await connection.close()
            except Exception as error:  # noqa: BLE001 - a listener that ends wakes no task any more
                self._tell("session", error)
                await asyncio.sleep(self._poll_s)

    async def _serve(self, connection: psycopg.AsyncConnection[Any]) -> None:
        limit = {"statement_timeout": str(LOOK_WITHIN_S * 1000)}
        await _answer(connection, settle_async(connection, limit))
        await _answer(connection, connection.execute("LISTEN constant_contact"))
        self._tell("session", None)
        while self._is_wanted():
            self._has_joined.clear()
            for name in dict.fromkeys(each.statement for each in self._watchers):
                await self._look(connection, name)
            await self._wait(connection)

    async def _look(self, connection: psycopg.AsyncConnection[Any], name: str) -> None:
        """Tell the watchers of one table; one that cannot be read stops no look at another."""
        try:
            looked = await _answer(connection, connection.execute(statement(name)))
            found = await looked.fetchone()
        except (psycopg.Error, ConstantContactError) as error:
            if connection.closed:
                raise
            self._tell(name, error)
            return
        self._tell(name, None)
        for watcher in self._watchers:
            if watcher.statement == name:
                watcher.set_newest(next(iter(found or ()), None))

    async def _wait(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Wait until a notice comes, a watcher joins or `poll_s` are over."""
        notice = asyncio.create_task(self._notice(connection))
        joined = asyncio.create_task(self._has_joined.wait())
        try:
            await asyncio.wait([notice, joined], return_when=asyncio.FIRST_COMPLETED)
        finally:
            notice.cancel()
            joined.cancel()
            # The session is free for a statement when nothing reads from it any more.
            await asyncio.wait([notice, joined])
        if not notice.cancelled():
            notice.result()

    async def _notice(self, connection: psycopg.AsyncConnection[Any]) -> None:
        async for _ in connection.notifies(timeout=self._poll_s, stop_after=1):
            pass

    def _tell(self, what: str, error: Exception | None) -> None:
        """Log what goes wrong with the session or a statement, once, and its end."""
        if error is None:
            if self._troubles.pop(what, None):
                _log.info("%s: the CRM database answers again (%s)", self._name, what)
            return
        meant = error
        if isinstance(error, psycopg.Error):
            meant = sqlstates.explained(error, self._name) or error
        # Of an unexpected error the kind alone: its text may quote a row.
        said = str(meant) if isinstance(meant, ConstantContactError) else type(meant).__name__
        if self._troubles.get(what) != said:
            self._troubles[what] = said
            _log.warning("%s (%s); looking again every %s s", said, what, self._poll_s)


async def _answer(
    connection: psycopg.AsyncConnection[Any], asked: Coroutine[Any, Any, Answer]
) -> Answer:
    """Wait for an answer, and give a server up that takes too long.

    Raises:
        psycopg.errors.ConnectionTimeout: It did.
    """
    task = asyncio.create_task(asked)
    try:
        await asyncio.wait([task], timeout=ANSWER_WITHIN_S)
        if task.done():
            return task.result()
        raise psycopg.errors.ConnectionTimeout(f"no answer within {ANSWER_WITHIN_S} s")
    finally:
        if not task.done():
            # Where the session stands the driver asks the server to cancel, and some releases of
            # it wait for that without a limit.
            connection.pgconn.finish()
            task.cancel()
            await asyncio.wait([task])
