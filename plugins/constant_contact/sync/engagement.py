"""The engagement ledger: every event, once, for one call per 500 of what is new."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from constant_contact.api.client import Client
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import coverage
from constant_contact.sync.parallel import CONCURRENCY, in_parallel
from constant_contact.sync.reports import Report
from constant_contact.sync.streams import Stream, StreamReading

_log = logging.getLogger("constant_contact.engagement")


@dataclass
class EngagementReport(Report):
    """What a run added to the ledger.

    Attributes:
        events: New events by type.
        shortfall: Events the vendor counts that no reading found.
        failed_streams: Streams that could not be read now; the next run tries them again.
        refused_streams: Streams that the vendor refuses, this time or before; each is asked again
            a day later.
    """

    streams: int = 0
    pages: int = 0
    new_events: int = 0
    malformed: int = 0
    shortfall: int = 0
    failed_streams: int = 0
    refused_streams: int = 0
    events: dict[str, int] = field(default_factory=dict)


def sync_engagement(
    client: Client,
    crm: Database,
    *,
    since: datetime | None = None,
    reread: bool = False,
    active_days: int = 30,
    concurrency: int = CONCURRENCY,
) -> EngagementReport:
    """Read every stream that has something new into the ledger.

    Args:
        client: Of the account.
        crm: Where the ledger is.
        since: How far back to read; None: to the beginning. What is younger is read anyway.
        reread: Read all streams whole, whatever is stored.
        active_days: For how long after a sending a report without a count is read every time.
        concurrency: How many streams are read at once; the budget paces all calls.

    Raises:
        Fatal, Later: At once; what was read stays.
        Retriable: After the others, if some streams could not be read.
    """
    report = EngagementReport()
    with crm.transaction() as connection:
        rows = database.rows(
            connection,
            "engagement/streams_to_read",
            {"since": since, "reread": reread, "active_days": active_days},
        )
    report.streams = len(rows)
    readings = [StreamReading(client, crm, Stream.of(row), since, reread=reread) for row in rows]
    failures = []
    for error in in_parallel(lambda reading, stop: reading.read(stop), readings, concurrency):
        if error is not None:
            failures.append(error)
    added: Counter[str] = Counter()
    for reading in readings:
        report.pages += reading.pages
        report.malformed += reading.malformed
        report.shortfall += reading.stream.shortfall
        added[reading.stream.activity_type] += reading.added
    report.events = {kind: count for kind, count in sorted(added.items()) if count}
    report.new_events = added.total()
    report.failed_streams = len(failures)
    with crm.transaction() as connection:
        refused = database.row(connection, "engagement/count_failed_streams")
    report.refused_streams = (refused or {})["streams"]
    if failures:
        _log.warning("not all streams could be read: %s", report)
        raise failures[0]
    if since is None:
        coverage.end(crm)
    return report
