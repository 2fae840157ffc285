"""Who reads which stream: one reader each at a time, over threads, tasks and machines.

A claim is a lock of a database session, so a killed reader's are free at once, and a reader that
waited finds the stream's place as it was left.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import psycopg

from constant_contact.errors import Retriable
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.engagement.streams import Stream, StreamReading
from constant_contact.sync.parallel import in_parallel

Row = dict[str, Any]


class WantedStreams(NamedTuple):
    """Which streams a run is to read: the parameters of `engagement/streams_to_read`."""

    since: datetime | None
    reread: bool
    active_days: int
    shard: int
    shards: int

    def rows(self, connection: psycopg.Connection[Any], stream_id: int | None = None) -> list[Row]:
        """Those that have something to read now; of all, or of one."""
        params = self._asdict() | {"stream_id": stream_id}
        return database.rows(connection, "engagement/streams_to_read", params)


class Claims:
    """The streams of one run."""

    def __init__(
        self, session: psycopg.Connection[Any], crm: Database, wanted: WantedStreams
    ) -> None:
        self._session = session
        self._crm = crm
        self._wanted = wanted

    def read_all(
        self, begin: Callable[[Stream], StreamReading], concurrency: int
    ) -> list[Retriable]:
        """Read all that are wanted, those that others have taken after them.

        Returns:
            Why some could not be read now.
        """
        failures: list[Retriable] = []
        with self._crm.transaction() as connection:
            left = self._wanted.rows(connection)
        while left:
            taken = []
            for outcome in in_parallel(partial(self._turn, begin), left, concurrency):
                if isinstance(outcome, Retriable):
                    failures.append(outcome)
                elif outcome is not None:
                    taken.append(outcome)
            if taken:
                self._await(taken[0])
            left = taken
        return failures

    def _turn(
        self, begin: Callable[[Stream], StreamReading], row: Row, stop: threading.Event
    ) -> Retriable | Row | None:
        """Read a stream; return why it could not be read now, or its row if it is taken."""
        claimed = database.row(self._session, "engagement/claim_stream", row)
        if not (claimed or {})["claimed"]:
            return row
        try:
            current = self._current(row)
            return begin(Stream.from_row(current)).read(stop) if current else None
        finally:
            database.row(self._session, "engagement/release_stream", row)

    def _current(self, row: Row) -> Row | None:
        """The stream as it is now, if it is still wanted: another process may have read it."""
        is_unchanged = database.row(self._session, "engagement/stream_version", row)
        if is_unchanged and is_unchanged["is_unchanged"]:
            return row
        return next(iter(self._wanted.rows(self._session, row["stream_id"])), None)

    def _await(self, row: Row) -> None:
        """Wait until a stream's reader is done with it: longer than for other locks."""
        is_free = False
        while not is_free:
            with suppress(psycopg.errors.LockNotAvailable):
                database.row(self._session, "engagement/await_stream", row)
                is_free = True
        database.row(self._session, "engagement/release_stream", row)
