"""A stream: one tracker report, read newest first, down to what is stored.

Its coverage commits with each page, so a killed run goes on at its page, and reading anything twice
adds nothing.
"""

import logging
import threading
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import EventRecord
from constant_contact.errors import ContractBroken, Rejected, Retriable, unforeseen
from constant_contact.store import database, engagement, state
from constant_contact.store.database import Database
from constant_contact.sync.engagement.report_pages import TrackerReport
from constant_contact.sync.parallel import Stopped
from constant_contact.sync.set_aside import is_about_all

_log = logging.getLogger("constant_contact.engagement")


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
    malformed_count: int
    left_out_count: int
    reread_shortfall: int
    reread_since: datetime | None
    reread_at: datetime | None
    may_reread: bool

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
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


class Reach(NamedTuple):
    """How far a reading goes.

    Attributes:
        since: How far back; None: to the beginning.
        reread: Whole, whatever is stored.
        overlap: Events may be reported late: so far below what is covered, unless the counts
            agree before.
        future: Events from then on are dated in the future.
    """

    since: datetime | None
    reread: bool
    overlap: timedelta
    future: datetime


class StreamReading:
    """The reading of one stream in one run."""

    def __init__(self, client: Client, crm: Database, stream: Stream, reach: Reach) -> None:
        row_type = vendor.TRACKER_BY_TYPE[stream.activity_type].row_type
        self._crm = crm
        self._since = reach.since
        self._reread = reach.reread
        self._overlap = reach.overlap
        self.stream = stream
        self.tracker = TrackerReport(client, stream.path, row_type, reach.future)
        self.added = 0
        self._left_out: set[str] = set()
        self._stop = threading.Event()

    def read(self, stop: threading.Event) -> Retriable | None:
        """Bring the stream up to date; a refusal, or what is unexpected, is kept with it.

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
            is_vendors = isinstance(error, Rejected) and error.error_key is not None
            self._fail(str(error), has_no_report=is_vendors)
        except Stopped:
            raise
        except Exception as error:
            if is_about_all(error):
                raise
            named = f"{stream.activity_type} of activity {stream.campaign_activity_id}"
            self._fail(str(unforeseen(named, error)), is_unexpected=True)
        finally:
            self.tracker.warn()
        return None

    def _fail(
        self, failure: str, *, has_no_report: bool = False, is_unexpected: bool = False
    ) -> None:
        """Keep with the stream why it could not be read: it is asked again a day later."""
        stream = self.stream
        _log.warning("%s of activity %s: %s", stream.activity_type, stream.path, failure)
        failed = {
            "stream_id": stream.stream_id,
            "failure": failure,
            "has_no_report": has_no_report,
            "is_unexpected": is_unexpected,
        }
        self._crm.run("engagement/fail_stream", failed)

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
        begins_at_top, malformed = stream.tail_cursor is None, self.tracker.malformed
        for events, next_href in self.tracker.pages(stream.tail_cursor, self._stop):
            if events:
                oldest = min(event.occurred_at for event in events)
                stream.covered_from = min(oldest, stream.covered_from or oldest)
            stream.tail_cursor = next_href
            if next_href is None:
                stream.covered_from = None
            self._count_malformed(malformed, is_whole=begins_at_top and next_href is None)
            self._store(events)
            if next_href and not self._is_wanted_deeper():
                return

    def _read_head(self) -> None:
        """From the top down to what was stored before: new events, and late ones below them."""
        stream = self.stream
        if stream.head_started_at is None or stream.head_cursor is None:
            with self._crm.transaction() as connection:
                stream.head_started_at = state.database_now(connection)
        floor = stream.covered_to - self._overlap if stream.covered_to else None
        begins_at_top, malformed = stream.head_cursor is None, self.tracker.malformed
        is_whole = True
        for events, next_href in self.tracker.pages(stream.head_cursor, self._stop):
            stream.head_cursor = next_href
            added = self._store(events)
            is_known = added < len(events) and stream.is_complete
            is_below = bool(events and floor and events[-1].occurred_at < floor)
            if next_href and not self._reread and (is_known or is_below):
                is_whole = False
                break
        self._count_malformed(malformed, is_whole=begins_at_top and is_whole)
        if is_whole:
            stream.tail_cursor = stream.covered_from = None
        stream.head_cursor = None
        stream.covered_to = max(filter(None, (stream.covered_to, stream.head_started_at)))
        stream.head_started_at = None

    def _count_malformed(self, before: int, *, is_whole: bool) -> None:
        """Only a whole reading says that there are fewer than before."""
        count = self.tracker.malformed - before
        known = 0 if is_whole else self.stream.malformed_count
        self.stream.malformed_count = max(count, known)

    def _reconcile(self) -> None:
        """Compare with the vendor's count; a shortfall is read for once, then shown."""
        stream = self.stream
        missing = self._missing_after_doubts()
        if missing and missing != stream.reread_shortfall and stream.may_reread:
            missing = self._read_whole(missing)
        if missing:
            _log.warning("%s: %d more are counted than listed", stream.path, missing)
        stream.shortfall = missing
        stream.read_count = stream.reported_count
        self._store([])

    def _read_whole(self, missing: int) -> int:
        """Read all for a shortfall; keep whether that brought anything. Return what is missing."""
        stream, added = self.stream, self.added
        _log.info("%s: %d events fewer than counted; reading all", stream.path, missing)
        self._reread = True
        self._read_head()
        stream.reread_shortfall = self._missing_after_doubts()
        stream.reread_at = None
        if self.added == added:
            with self._crm.transaction() as connection:
                stream.reread_at = state.database_now(connection)
        stream.reread_since = stream.reread_at and (stream.reread_since or stream.reread_at)
        return stream.reread_shortfall

    def _missing_after_doubts(self) -> int:
        """Settle the doubts while the vendor counts more; return how many are still missing.

        Where it counts nothing, all of them are settled.
        """
        is_uncounted = self.stream.reported_count is None
        for doubt in self.tracker.doubtful:
            missing = self._missing()
            if missing or is_uncounted:
                events = self.tracker.confirmed(doubt)
                self._store(events if is_uncounted else events[:missing])
        self.tracker.doubtful = []
        return self._missing()

    def _missing(self) -> int:
        """How many events fewer are stored than counted; 0 while the tail is not read."""
        stream = self.stream
        if stream.tail_cursor is not None or stream.covered_from is not None:
            return 0
        return max(0, (stream.reported_count or 0) - stream.stored_count)

    def _store(self, events: list[EventRecord]) -> int:
        """Add a page to the ledger and keep the stream's place, in one transaction."""
        stream = self.stream
        with self._crm.transaction() as connection:
            added = 0
            if events:
                added, left_out = engagement.add_page(connection, stream.stream_id, events)
                self._left_out |= left_out
            stream.left_out_count = max(stream.left_out_count, len(self._left_out))
            saved = database.row(
                connection, "engagement/save_stream", stream.__dict__ | {"added": added}
            )
            stream.stored_count = (saved or {})["stored_count"]
        self.added += added
        return added
