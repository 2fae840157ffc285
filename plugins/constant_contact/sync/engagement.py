"""The engagement ledger: tracker reports read newest first, down to what is stored.

A stream is one report: an activity and a type. Its coverage commits with each page, so a killed
run goes on at its page, and reading anything twice adds nothing.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Self

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client, Page
from constant_contact.api.records import EventRecord, parse_events
from constant_contact.errors import DeadCursor, Rejected, Retriable
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync import coverage
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import CONCURRENCY, Stopped, in_parallel
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.engagement")

# Events may be reported late: a reading goes this far below what is covered, unless the counts
# agree before.
_OVERLAP = timedelta(hours=24)


@dataclass
class EngagementReport(Report):
    """What a run added to the ledger.

    Attributes:
        events: New events by type.
        shortfall: Events the vendor counts that no reading found.
        failed_streams: Streams that could not be read now; the next run tries them again.
        refused_streams: Streams that the vendor refuses; read again only on request.
    """

    streams: int = 0
    pages: int = 0
    new_events: int = 0
    malformed: int = 0
    shortfall: int = 0
    failed_streams: int = 0
    refused_streams: int = 0
    events: dict[str, int] = field(default_factory=dict)


@dataclass
class _Stream:
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
        return cls(**{item.name: row[item.name] for item in fields(cls)})

    @property
    def path(self) -> str:
        part = vendor.TRACKER_BY_TYPE[self.activity_type].path_part
        return f"/reports/email_reports/{self.campaign_activity_id}/tracking/{part}"

    @property
    def is_complete(self) -> bool:
        """Whether at least as many events are stored as the vendor counts."""
        return self.reported_count is not None and self.stored_count >= self.reported_count


def sync_engagement(
    client: Client,
    crm: Database,
    *,
    since: datetime | None = None,
    reread: bool = False,
    concurrency: int = CONCURRENCY,
) -> EngagementReport:
    """Read every stream that has something new into the ledger.

    Args:
        client: Of the account.
        crm: Where the ledger is.
        since: How far back to read; None: to the beginning. What is younger is read anyway.
        reread: Read all streams whole, whatever is stored.
        concurrency: How many streams are read at once; the budget paces all calls.

    Raises:
        Fatal, Later: At once; what was read stays.
        Retriable: After the others, if some streams could not be read.
    """
    report = EngagementReport()
    with crm.transaction() as connection:
        rows = database.rows(
            connection, "engagement/streams_to_read", {"since": since, "reread": reread}
        )
    report.streams = len(rows)
    readings = [_Reading(client, crm, _Stream.of(row), since, reread=reread) for row in rows]
    failure: Retriable | None = None
    for error in in_parallel(lambda reading, stop: reading.read(stop), readings, concurrency):
        if error is not None:
            report.failed_streams += 1
            failure = error
    added: Counter[str] = Counter()
    for reading in readings:
        report.pages += reading.pages
        report.malformed += reading.malformed
        report.refused_streams += reading.is_refused
        report.shortfall += reading.stream.shortfall
        added[reading.stream.activity_type] += reading.added
    report.events = {kind: count for kind, count in sorted(added.items()) if count}
    report.new_events = added.total()
    if failure is not None:
        _log.warning("%d streams could not be read; %s", report.failed_streams, report)
        raise failure
    if since is None:
        coverage.end(crm)
    return report


class _Reading:
    """The reading of one stream in one run."""

    def __init__(
        self,
        client: Client,
        crm: Database,
        stream: _Stream,
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
        self.is_refused = False
        self._stop = threading.Event()

    def read(self, stop: threading.Event) -> Retriable | None:
        """Bring the stream up to date; a refusal is kept with it and stops no other.

        Returns:
            Why the stream could not be read now; None if it was.
        """
        stream = self.stream
        self._stop = stop
        try:
            is_whole = True
            if stream.covered_to is not None and (self._reread or self._has_moved()):
                is_whole = self._read_head()
            if stream.covered_to is None or (stream.tail_cursor and self._is_wanted_deeper()):
                self._read_tail()
            self._reconcile(is_whole=is_whole)
        except Retriable as error:
            return error
        except Rejected as error:
            self.is_refused = True
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
        return stream.head_cursor is not None or stream.reported_count != stream.read_count

    def _is_wanted_deeper(self) -> bool:
        covered_from = self.stream.covered_from
        return self._since is None or covered_from is None or covered_from > self._since

    def _read_tail(self) -> None:
        """From the top (never read) or from where a reading ended, down to what is wanted."""
        stream = self.stream
        if stream.covered_to is None:
            with self._crm.transaction() as connection:
                stream.covered_to = state.database_now(connection)
        for page in self._pages(stream.tail_cursor):
            events = self._events(page)
            if events:
                oldest = min(event.occurred_at for event in events)
                stream.covered_from = min(oldest, stream.covered_from or oldest)
            stream.tail_cursor = page.next_href
            if page.next_href is None:
                stream.covered_from = None
            self._store(events)
            if page.next_href and not self._is_wanted_deeper():
                return

    def _read_head(self) -> bool:
        """From the top down to what was stored before: new events, and late ones below them.

        Returns:
            Whether the report was read to its end.
        """
        stream = self.stream
        if stream.head_started_at is None or stream.head_cursor is None:
            with self._crm.transaction() as connection:
                stream.head_started_at = state.database_now(connection)
        floor = stream.covered_to - _OVERLAP if stream.covered_to else None
        is_whole = True
        for page in self._pages(stream.head_cursor):
            events = self._events(page)
            stream.head_cursor = page.next_href
            added = self._store(events)
            # With a tail unread the counts say nothing: what is known ends the reading.
            is_known = added < len(events) and (stream.is_complete or stream.tail_cursor)
            is_below = bool(events and floor and events[-1].occurred_at < floor)
            if page.next_href and not self._reread and (is_known or is_below):
                is_whole = False
                break
        if is_whole:
            stream.tail_cursor = stream.covered_from = None
        stream.head_cursor = None
        stream.covered_to = max(filter(None, (stream.covered_to, stream.head_started_at)))
        stream.head_started_at = None
        return is_whole

    def _reconcile(self, *, is_whole: bool) -> None:
        """Compare with the vendor's count; a shortfall is read for once, then shown."""
        missing = self._missing()
        if missing and missing != self.stream.shortfall and not is_whole:
            _log.info("%s: %d events fewer than counted; reading all", self.stream.path, missing)
            self._reread = True
            self._read_head()
            missing = self._missing()
        if missing:
            _log.warning("%s: %d more are counted than listed", self.stream.path, missing)
        self.stream.shortfall = missing
        self.stream.read_count = self.stream.reported_count
        self._store([])

    def _missing(self) -> int:
        """How many events fewer are stored than counted; 0 while the tail is not read."""
        stream = self.stream
        if stream.tail_cursor is not None or stream.covered_from is not None:
            return 0
        return max(0, (stream.reported_count or 0) - stream.stored_count)

    def _pages(self, cursor: str | None) -> Iterator[Page]:
        """The report's pages from `cursor`, or from the top; also where the cursor is dead."""
        if cursor is not None:
            try:
                yield from self._client.pages(self.stream.path, cursor=cursor)
            except DeadCursor as error:
                _log.warning("%s; the stream is read from its top", error)
            else:
                return
        params = {"limit": vendor.EVENTS_PER_PAGE}
        yield from restarting(lambda: self._client.pages(self.stream.path, params))

    def _events(self, page: Page) -> list[EventRecord]:
        if self._stop.is_set():
            raise Stopped
        events, malformed = parse_events(page.rows("tracking_activities"))
        self.pages += 1
        self.malformed += malformed
        return events

    def _store(self, events: list[EventRecord]) -> int:
        """Add a page to the ledger and keep the stream's place, in one transaction."""
        stream = self.stream
        with self._crm.transaction() as connection:
            added = _add(connection, stream.stream_id, events) if events else 0
            stream.stored_count += added
            database.run(connection, "engagement/save_stream", stream.__dict__)
        self.added += added
        return added


def _add(connection: psycopg.Connection[Any], stream_id: int, events: list[EventRecord]) -> int:
    database.row(connection, "engagement/lock_writers")
    columns = database.columns(EventRecord, events)
    return database.run(connection, "engagement/add_page", columns | {"stream_id": stream_id})
