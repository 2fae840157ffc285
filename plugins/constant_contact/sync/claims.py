"""Who reads which stream: one reader each at a time, over threads, tasks and machines.

A claim is a lock of a database session, so a killed reader's are free at once, and whoever waited
finds the stream's place as it was left.
"""

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple

import psycopg

from constant_contact.errors import Retriable
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.parallel import in_parallel
from constant_contact.sync.streams import Stream, StreamReading


class WantedStreams(NamedTuple):
    """Which streams a run is to read: the parameters of `engagement/streams_to_read`."""

    since: Any
    reread: bool
    active_days: int
    shard: int
    shards: int

    def rows(
        self, connection: psycopg.Connection[Any], stream_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Those that have something to read now; of all, or of one."""
        params = self._asdict() | {"stream_id": stream_id}
        return database.rows(connection, "engagement/streams_to_read", params)


class _Turn(Enum):
    """What became of a stream that is no failure."""

    DONE = auto()
    TAKEN = auto()


class Claims:
    """The streams of one run.

    Args:
        session: Holds the locks; statements commit at once.
        crm: Where the streams are.
        wanted: Which of them.
    """

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

        Args:
            begin: Makes the reading of a stream.
            concurrency: How many at once.

        Returns:
            Why some could not be read now.
        """
        failures: list[Retriable] = []
        with self._crm.transaction() as connection:
            left = [row["stream_id"] for row in self._wanted.rows(connection)]
        while left:
            taken = []

            def turn(stream_id: int, stop: threading.Event) -> tuple[int, _Turn | Retriable]:
                return stream_id, self._turn(stream_id, begin, stop)

            for stream_id, outcome in in_parallel(turn, left, concurrency):
                if isinstance(outcome, Retriable):
                    failures.append(outcome)
                elif outcome is _Turn.TAKEN:
                    taken.append(stream_id)
            if taken:
                self._await(taken[0])
            left = sorted(taken)
        return failures

    def _turn(
        self, stream_id: int, begin: Callable[[Stream], StreamReading], stop: threading.Event
    ) -> _Turn | Retriable:
        claim = {"stream_id": stream_id}
        claimed = database.row(self._session, "engagement/claim_stream", claim)
        if not (claimed or {})["claimed"]:
            return _Turn.TAKEN
        try:
            # As it is by now: another reader may have come before us.
            with self._crm.transaction() as connection:
                rows = self._wanted.rows(connection, stream_id)
            failures = [begin(Stream.of(row)).read(stop) for row in rows]
        finally:
            database.row(self._session, "engagement/release_stream", claim)
        return next((failure for failure in failures if failure), _Turn.DONE)

    def _await(self, stream_id: int) -> None:
        """Wait until a stream's reader is done with it."""
        database.row(self._session, "engagement/await_stream", {"stream_id": stream_id})
        database.row(self._session, "engagement/release_stream", {"stream_id": stream_id})
