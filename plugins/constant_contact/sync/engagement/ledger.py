"""The engagement ledger: every event, once, for one call per 500 of what is new."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.errors import Retriable
from constant_contact.redact import redact
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.engagement.stream_locks import Claims, WantedStreams
from constant_contact.sync.engagement.streams import Reach, Stream, StreamReading
from constant_contact.sync.parallel import CONCURRENCY
from constant_contact.sync.report import NAME_CHARS, Report

_log = logging.getLogger("constant_contact.engagement")
OVERLAP = timedelta(hours=24)
# No clock is wrong by more, and no first load takes longer.
_FUTURE_AFTER = timedelta(days=1)
_NAMED = 20


@dataclass
class EngagementReport(Report):
    """What a run added to the ledger.

    Attributes:
        events: New events by type.
        malformed: Rows without a contact or a time.
        future_dated: Rows that are dated in the future; kept.
        unknown_types: Rows of types that are not known, by type; kept.
        unknown_values: Rows by a value that the contract does not name; kept.
        without_report: Activities of a role that the contract does not name and of which the vendor
            says that they have no report; each is asked again ever more rarely.
        failed_streams: Streams that could not be read now; the next run tries them again.
        refused_streams: Streams that the vendor refuses, this time or before; each is asked again
            a day later.
        set_aside: Streams that met an unexpected error; likewise.
        short_streams: Streams of which the vendor counts more events than it lists.
        shortfall: How many events those are.
    """

    streams: int = 0
    pages: int = 0
    new_events: int = 0
    malformed: int = 0
    future_dated: int = 0
    failed_streams: int = 0
    refused_streams: int = 0
    set_aside: int = 0
    short_streams: int = 0
    shortfall: int = 0
    events: dict[str, int] = field(default_factory=dict)
    unknown_types: dict[str, int] = field(default_factory=dict)
    unknown_values: dict[str, int] = field(default_factory=dict)
    without_report: int = 0


def sync_engagement(
    client: Client,
    crm: Database,
    *,
    since: datetime | None = None,
    reread: bool = False,
    active_days: int = 30,
    overlap: timedelta = OVERLAP,
    concurrency: int = CONCURRENCY,
    shard: int = 0,
    shards: int = 1,
) -> EngagementReport:
    """Read every stream that has something new into the ledger.

    Any number of runs may do this at once: each stream has one reader at a time, and a run that
    finds it taken waits and looks whether something is left to read.

    Args:
        client: Of the account.
        crm: Where the ledger is.
        since: How far back to read; None: to the beginning. What is younger is read anyway.
        reread: Read all streams whole, whatever is stored.
        active_days: For how long after a sending a report without a count is read every time.
        overlap: How late events may be reported.
        concurrency: How many streams are read at once; the budget paces all calls.
        shard: Which part of the streams to read, from 0.
        shards: Of how many parts.

    Raises:
        Fatal, Later: At once; what was read stays.
        Retriable: After the others, if some streams could not be read.
    """
    wanted = WantedStreams(since, reread, active_days, shard, shards)
    database.recount(crm)
    with crm.transaction() as connection:
        future = state.database_now(connection) + _FUTURE_AFTER
    reach = Reach(since, reread, overlap, future)
    readings: list[StreamReading] = []

    def begin(stream: Stream) -> StreamReading:
        readings.append(StreamReading(client, crm, stream, reach))
        return readings[-1]

    with crm.session() as session:
        failures = Claims(session, crm, wanted).read_all(begin, concurrency)
    report = _report(crm, readings, failures)
    if failures:
        _log.warning("not all streams could be read: %s", report)
        raise failures[0]
    return report


def _report(
    crm: Database, readings: list[StreamReading], failures: list[Retriable]
) -> EngagementReport:
    report = EngagementReport(streams=len(readings), failed_streams=len(failures))
    added: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    values: Counter[str] = Counter()
    for reading in readings:
        report.pages += reading.tracker.pages_read
        report.malformed += reading.tracker.malformed
        report.future_dated += reading.tracker.future_dated
        unknown += reading.tracker.unknown_types
        values += reading.tracker.unknown_values
        added[reading.stream.activity_type] += reading.added
    report.events = {kind: count for kind, count in sorted(added.items()) if count}
    report.unknown_types = dict(sorted(unknown.items()))
    report.unknown_values = dict(sorted(values.items()))
    report.new_events = added.total()
    _tell_troubles(crm, report)
    return report


def _tell_troubles(crm: Database, report: EngagementReport) -> None:
    """Count and name what stays: it is shown in each run, not only in the one that met it."""
    roles = {"reported_roles": sorted(vendor.REPORTED_ROLES)}
    with crm.transaction() as connection:
        troubled = database.rows(connection, "engagement/troubled_streams", roles)
        unreported = database.rows(connection, "engagement/without_report", roles)
    for row in troubled[:_NAMED]:
        _log.warning(
            "%s of activity %s: %s",
            row["activity_type"],
            row["campaign_activity_id"],
            row["failure"] or f"{row['shortfall']:,} more are counted than listed",
        )
    if len(troubled) > _NAMED:
        _log.warning("%d more such streams: ctct_engagement_stream", len(troubled) - _NAMED)
    for row in unreported[:_NAMED]:
        _log.info(
            "activity %s of campaign %s, role %s, has no report, as Constant Contact says since "
            "%s; it is asked again at %s: %s",
            row["campaign_activity_id"],
            row["campaign_id"],
            redact(row["role"], NAME_CHARS),
            f"{row['since'].astimezone(UTC):%Y-%m-%d}",
            f"{row['next_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            row["failure"],
        )
    report.without_report = len(unreported)
    report.set_aside = sum(row["is_unexpected"] for row in troubled)
    report.refused_streams = sum(row["failure"] is not None for row in troubled) - report.set_aside
    report.short_streams = sum(row["shortfall"] > 0 for row in troubled)
    report.shortfall = sum(row["shortfall"] for row in troubled)
