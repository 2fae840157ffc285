"""A stream: one tracker report, read newest first, down to what is stored.

Its coverage commits with each page, so a killed run goes on at its page, and reading anything twice
adds nothing.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, Self

from constant_contact.api import vendor
from constant_contact.api.client import Client, Page
from constant_contact.api.records import EventRecord, event_key, parse_events
from constant_contact.errors import ContractBroken, DeadCursor, Rejected, Retriable
from constant_contact.store import database, engagement, state
from constant_contact.store.database import Database
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import Stopped

_log = logging.getLogger("constant_contact.engagement")

# Events may be reported late: a reading goes this far below what is covered, unless the counts
# agree before.
_OVERLAP = timedelta(hours=24)
_ROWS = "tracking_activities"


@dataclass
class Stream:
    """One row of `ctct_engagement_stream`, as it is while it is read."""

    stream_id: int
    campaign_activity_id: str
    activity_type: str
    reported_count: int | None
    read_count: int | None
    stored_count: int
    covered_from: datetime | None
    covered_to: datetime | None
    head_cursor: str | None
    head_started_at: datetime | None
    tail_cursor: str | None
    shortfall: int

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read the columns of `engagement/streams_to_read`."""
        return cls(**{item.name: row[item.name] for item in fields(cls)})

    @property
    def path(self) -> str:
        """The report's path after the API version."""
        part = vendor.TRACKER_BY_TYPE[self.activity_type].path_part
        return f"/reports/email_reports/{self.campaign_activity_id}/tracking/{part}"

    @property
    def is_complete(self) -> bool:
        """Whether at least as many events are stored as the vendor counts."""
        return self.reported_count is not None and self.stored_count >= self.reported_count


class _EventPage(NamedTuple):
    """One page of a report, read; `next_href` is None on the last."""

    events: list[EventRecord]
    next_href: str | None


class _Doubt(NamedTuple):
    """Rows that a page begins with and the one before it, at `href`, ended with."""

    href: str
    events: list[EventRecord]


class StreamReading:
    """The reading of one stream in one run."""

    def __init__(
        self,
        client: Client,
        crm: Database,
        stream: Stream,
        since: datetime | None,
        *,
        reread: bool,
    ) -> None:
        self._client = client
        self._crm = crm
        self._since = since
        self._reread = reread
        self.stream = stream
        self.pages = 0
        self.added = 0
        self.malformed = 0
        self._doubtful: list[_Doubt] = []
        self._stop = threading.Event()

    def read(self, stop: threading.Event) -> Retriable | None:
        """Bring the stream up to date; a refusal is kept with it and stops no other.

        Returns:
            Why the stream could not be read now; None if it was.
        """
        stream = self.stream
        self._stop = stop
        try:
            if stream.covered_to is not None and (self._reread or self._has_moved()):
                self._read_head()
            if stream.covered_to is None or (stream.tail_cursor and self._is_wanted_deeper()):
                self._read_tail()
            self._reconcile()
        except Retriable as error:
            return error
        except (Rejected, ContractBroken) as error:
            _log.warning("%s of activity %s: %s", stream.activity_type, stream.path, error)
            with self._crm.transaction() as connection:
                database.run(
                    connection,
                    "engagement/fail_stream",
                    {"stream_id": stream.stream_id, "failure": str(error)},
                )
        return None

    def _has_moved(self) -> bool:
        stream = self.stream
        is_uncounted = stream.reported_count is None
        is_otherwise = stream.reported_count != stream.read_count
        return stream.head_cursor is not None or is_uncounted or is_otherwise

    def _is_wanted_deeper(self) -> bool:
        covered_from = self.stream.covered_from
        return self._since is None or covered_from is None or covered_from > self._since

    def _read_tail(self) -> None:
        """From the top (never read) or from where a reading ended, down to what is wanted."""
        stream = self.stream
        if stream.covered_to is None:
            with self._crm.transaction() as connection:
                stream.covered_to = state.database_now(connection)
        for events, next_href in self._pages(stream.tail_cursor):
            if events:
                oldest = min(event.occurred_at for event in events)
                stream.covered_from = min(oldest, stream.covered_from or oldest)
            stream.tail_cursor = next_href
            if next_href is None:
                stream.covered_from = None
            self._store(events)
            if next_href and not self._is_wanted_deeper():
                return

    def _read_head(self) -> None:
        """From the top down to what was stored before: new events, and late ones below them."""
        stream = self.stream
        if stream.head_started_at is None or stream.head_cursor is None:
            with self._crm.transaction() as connection:
                stream.head_started_at = state.database_now(connection)
        floor = stream.covered_to - _OVERLAP if stream.covered_to else None
        is_whole = True
        for events, next_href in self._pages(stream.head_cursor):
            stream.head_cursor = next_href
            added = self._store(events)
            # With a tail unread the counts say nothing: what is known ends the reading.
            is_known = added < len(events) and (stream.is_complete or stream.tail_cursor)
            is_below = bool(events and floor and events[-1].occurred_at < floor)
            if next_href and not self._reread and (is_known or is_below):
                is_whole = False
                break
        if is_whole:
            stream.tail_cursor = stream.covered_from = None
        stream.head_cursor = None
        stream.covered_to = max(filter(None, (stream.covered_to, stream.head_started_at)))
        stream.head_started_at = None

    def _reconcile(self) -> None:
        """Compare with the vendor's count; a shortfall is read for once, then shown."""
        missing = self._missing_after_doubts()
        if missing and missing != self.stream.shortfall:
            _log.info("%s: %d events fewer than counted; reading all", self.stream.path, missing)
            self._reread = True
            self._read_head()
            missing = self._missing_after_doubts()
        if missing:
            _log.warning("%s: %d more are counted than listed", self.stream.path, missing)
        self.stream.shortfall = missing
        self.stream.read_count = self.stream.reported_count
        self._store([])

    def _missing_after_doubts(self) -> int:
        """Settle the doubts while the vendor counts more; return how many are still missing."""
        for doubt in self._doubtful if self._missing() else ():
            if missing := self._missing():
                self._store(self._confirmed(doubt)[:missing])
        self._doubtful = []
        return self._missing()

    def _confirmed(self, doubt: _Doubt) -> list[EventRecord]:
        """Those of the doubtful rows that are events of their own.

        The two pages are asked for once more. What was only pushed from one to the other stands
        there once; an event of its own stands beside its twins, wherever they are by now.
        """
        pages = self._client.pages(self.stream.path, cursor=doubt.href)
        rows = [row for page in islice(pages, 2) for row in page.rows(_ROWS)]
        standing = Counter(event_key(event) for event in parse_events(rows)[0])
        return [event for event in doubt.events if standing[event_key(event)] >= event.ordinal]

    def _missing(self) -> int:
        """How many events fewer are stored than counted; 0 while the tail is not read."""
        stream = self.stream
        if stream.tail_cursor is not None or stream.covered_from is not None:
            return 0
        return max(0, (stream.reported_count or 0) - stream.stored_count)

    def _pages(self, cursor: str | None) -> Iterator[_EventPage]:
        """The report's pages from `cursor`, or from the top; also where the cursor is dead."""
        if cursor is not None:
            try:
                yield from self._events(self._client.pages(self.stream.path, cursor=cursor))
            except DeadCursor as error:
                _log.warning("%s; the stream is read from its top", error)
            else:
                return
        params = {"limit": vendor.EVENTS_PER_PAGE}
        yield from self._events(restarting(lambda: self._client.pages(self.stream.path, params)))

    def _events(self, pages: Iterator[Page]) -> Iterator[_EventPage]:
        """Read each page's rows; set aside those that may be the page before's, once more.

        New events push the others down while they are read, so that a page may begin with rows
        that its predecessor ended with. Identical events on both sides of the edge look the same:
        only the vendor's count tells, when all is read.
        """
        first_href: str | None = None
        before_href = ""
        before: list[Any] = []
        events: list[EventRecord] = []
        for page in pages:
            if self._stop.is_set():
                raise Stopped
            first_href = first_href or page.href
            if page.href == first_href:
                # The listing started again.
                before, events = [], []
            rows = page.rows(_ROWS)
            repeated = _overlap(before, rows)
            seen = {
                event_key(event): event.ordinal
                for event in events
                if event.occurred_at == events[-1].occurred_at
            }
            events, malformed = parse_events(rows[repeated:], seen)
            doubtful, more_malformed = parse_events(rows[:repeated], seen)
            if doubtful:
                self._doubtful.append(_Doubt(before_href, doubtful))
            self.pages += 1
            self.malformed += malformed + more_malformed
            yield _EventPage(events, page.next_href)
            before, before_href = rows, page.href

    def _store(self, events: list[EventRecord]) -> int:
        """Add a page to the ledger and keep the stream's place, in one transaction."""
        stream = self.stream
        with self._crm.transaction() as connection:
            added = engagement.add_page(connection, stream.stream_id, events) if events else 0
            saved = database.row(
                connection, "engagement/save_stream", stream.__dict__ | {"added": added}
            )
            stream.stored_count = (saved or {})["stored_count"]
        self.added += added
        return added


def _overlap(before: list[Any], rows: list[Any]) -> int:
    """How many of the first `rows` are the last ones of `before`."""
    sizes = range(min(len(before), len(rows)), 0, -1)
    return next((size for size in sizes if before[-size:] == rows[:size]), 0)
