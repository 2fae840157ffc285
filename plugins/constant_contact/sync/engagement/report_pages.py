"""A tracker report as pages of events: identical ones numbered, odd rows counted and named."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from constant_contact.api import vendor
from constant_contact.api.client import Client, Page
from constant_contact.api.records import EventRecord, event_key, parse_events
from constant_contact.errors import DeadCursor
from constant_contact.redact import redact
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import Stopped
from constant_contact.sync.report import NAME_CHARS

_log = logging.getLogger("constant_contact.engagement")
_ROWS = "tracking_activities"


class EventPage(NamedTuple):
    """One page of a report, read; `next_href` is None on the last."""

    events: list[EventRecord]
    next_href: str | None


class Doubt(NamedTuple):
    """Rows that a page begins with and the one before it, at `href`, ended with."""

    href: str
    events: list[EventRecord]


class TrackerReport:
    """One tracker report, newest first.

    Args:
        client: Of the account.
        path: After the API version.
        row_type: What its rows say they are.
        future: Events from then on are dated in the future.
    """

    def __init__(self, client: Client, path: str, row_type: str, future: datetime) -> None:
        self._client = client
        self._path = path
        self._row_type = row_type
        self._future = future
        self.pages_read = 0
        self.malformed = 0
        self.future_dated = 0
        self.unknown_types: Counter[str] = Counter()
        self.unknown_values: Counter[str] = Counter()
        self.doubtful: list[Doubt] = []

    def pages(self, cursor: str | None, stop: threading.Event) -> Iterator[EventPage]:
        """The report's pages from `cursor`, or from the top; also where the cursor is dead."""
        if cursor is not None:
            try:
                yield from self._events(self._client.pages(self._path, cursor=cursor), stop)
            except DeadCursor as error:
                _log.warning("%s; the stream is read from its top", error)
            else:
                return
        params = {"limit": vendor.EVENTS_PER_PAGE}
        fresh = restarting(lambda: self._client.pages(self._path, params))
        yield from self._events(fresh, stop)

    def confirmed(self, doubt: Doubt) -> list[EventRecord]:
        """Those of the doubtful rows that are events of their own.

        The two pages are asked for once more. What was only pushed from one to the other stands
        there once; an event of its own stands beside its twins, wherever they are now.
        """
        pages = self._client.pages(self._path, cursor=doubt.href)
        filled = (rows for page in pages if (rows := page.rows(_ROWS)))
        rows = [row for rows in islice(filled, 2) for row in rows]
        standing = Counter(event_key(event) for event in parse_events(rows)[0])
        return [event for event in doubt.events if standing[event_key(event)] >= event.ordinal]

    def warn(self) -> None:
        """Name in the log what was odd."""
        if self.malformed:
            _log.warning("%s: %d rows have no contact or no time", self._path, self.malformed)
        if self.future_dated:
            _log.warning("%s: %d rows are dated in the future", self._path, self.future_dated)
        for name, count in self.unknown_types.items():
            _log.warning(
                "%s: %d rows say they are %s, not %s; kept", self._path, count, name, self._row_type
            )
        for name, count in self.unknown_values.items():
            _log.warning("%s: %d rows have the unknown %s; kept", self._path, count, name)

    def _events(self, pages: Iterator[Page], stop: threading.Event) -> Iterator[EventPage]:
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
            if stop.is_set():
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
            new, malformed = parse_events(rows[repeated:], seen)
            doubtful, more_malformed = parse_events(rows[:repeated], seen)
            if doubtful:
                self.doubtful.append(Doubt(before_href, doubtful))
            self.pages_read += 1
            self.malformed += malformed + more_malformed
            self._count_odd(rows, new)
            yield EventPage(new, page.next_href)
            # A page may be empty and lead on: what stood before it stands before the next.
            events = new or events
            if rows:
                before, before_href = rows, page.href

    def _count_odd(self, rows: list[Any], events: list[EventRecord]) -> None:
        said = [row.get("tracking_activity_type") for row in rows if isinstance(row, dict)]
        odd = Counter(str(name) for name in said if name not in (None, self._row_type))
        for name, count in odd.items():
            self.unknown_types[redact(name, NAME_CHARS)] += count
        for event in events:
            if event.device_type and event.device_type not in vendor.DEVICE_TYPES:
                self.unknown_values[f"device type {redact(event.device_type, NAME_CHARS)}"] += 1
            if event.bounce_code and event.bounce_code not in vendor.BOUNCE_CODES:
                self.unknown_values[f"bounce code {redact(event.bounce_code, NAME_CHARS)}"] += 1
        # Newest first: where the first one is past, all are.
        if events and events[0].occurred_at >= self._future:
            self.future_dated += sum(event.occurred_at >= self._future for event in events)


def _overlap(before: list[Any], rows: list[Any]) -> int:
    """How many of the first `rows` are the last ones of `before`."""
    sizes = range(min(len(before), len(rows)), 0, -1)
    return next((size for size in sizes if before[-size:] == rows[:size]), 0)
