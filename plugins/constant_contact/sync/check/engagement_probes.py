"""Probes of campaigns, reports and bulk jobs; none of them writes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import uuid4

from constant_contact.api import vendor
from constant_contact.api.records import (
    CampaignRecord,
    SummaryRecord,
    iso,
    moment,
    number,
    parse_campaign,
    parse_campaign_activity,
    parse_events,
    parse_summary,
    text,
)
from constant_contact.errors import BadRequest, NotFound, Rejected
from constant_contact.sync.check import engagement_assumptions as says
from constant_contact.sync.check.account import Account, Row
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.probes import NotTried, judge, judge_values, name_failure, probe

_BEFORE: Final = timedelta(seconds=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
# Those with a field of their own, and sends, which each campaign has.
_TRACKERS: Final = ("send", "open", "click", "bounce")
_NO_CAMPAIGN: Final = "no campaign was sent: send one to yourself"


@probe(2, says.CAMPAIGNS_PER_PAGE, says.CAMPAIGN_STATUSES)
def _campaigns(account: Account) -> Iterator[Line]:
    first = account.largest_page(
        "/emails", {}, "campaigns", vendor.CAMPAIGNS_PER_PAGE, says.CAMPAIGNS_PER_PAGE
    )
    account.campaigns = first.rows
    account.campaign_limit = first.limit
    yield first.size
    statuses = (record.current_status for record in _parsed(first.rows))
    yield judge_values(says.CAMPAIGN_STATUSES, statuses, vendor.CAMPAIGN_STATUSES)


def _parsed(rows: list[Row]) -> list[CampaignRecord]:
    return [record for row in rows if (record := parse_campaign(row))]


@probe(1, says.CAMPAIGN_DATES)
def _campaign_dates(account: Account) -> Iterator[Line]:
    dated = [each for each in _parsed(account.campaigns) if each.updated_at]
    if not dated:
        raise NotTried("no campaign shows when it was updated: make one")
    newest = max(dated, key=lambda each: each.updated_at or _NEVER)
    since = (newest.updated_at or _NEVER) - _BEFORE
    params = {"limit": account.campaign_limit, "after_date": iso(since)}
    page = account.page("/emails", params)
    found = _parsed([row for row in page.rows("campaigns") if isinstance(row, dict)])
    older = sum(each.updated_at is None or each.updated_at < since for each in found)
    is_brought = newest.campaign_id in {each.campaign_id for each in found} or page.next_href
    problem = None
    if older:
        problem = f"{older} of {len(found)} campaigns were updated before"
    elif not is_brought:
        problem = "a campaign that was updated after that date is not brought"
    yield judge(says.CAMPAIGN_DATES, problem, f"{len(found)} campaigns, none updated before")


@probe(2, says.SUMMARIES_PER_PAGE, says.SUMMARY_ORDER, says.SUMMARY_FIELDS)
def _summaries(account: Account) -> Iterator[Line]:
    first = account.largest_page(
        "/reports/summary_reports/email_campaign_summaries",
        {},
        "bulk_email_campaign_summaries",
        vendor.SUMMARIES_PER_PAGE,
        says.SUMMARIES_PER_PAGE,
    )
    yield first.size
    account.summaries = found = [record for row in first.rows if (record := parse_summary(row))]
    if not found:
        raise NotTried(_NO_CAMPAIGN)
    # One that has events of each kind, and so old that its counts no longer move.
    account.summary = max(reversed(found), key=_counted)
    without = sum(None in each.unique_counts.values() for each in found)
    problem = f"{without} of {len(found)} summaries lack one" if without else None
    yield judge(says.SUMMARY_FIELDS, problem, f"of {len(found)} campaigns")
    sent = [each.last_sent_at for each in found if each.last_sent_at]
    if len(set(sent)) < 2:  # noqa: PLR2004 - an order takes two
        raise NotTried("fewer than two campaigns were sent: send another")
    is_ordered = all(one >= next_one for one, next_one in pairwise(sent))
    problem = None if is_ordered else "they come in another order"
    yield judge(says.SUMMARY_ORDER, problem, f"of {len(sent)} campaigns")


@probe(1, says.ROLES)
def _roles(account: Account) -> Iterator[Line]:
    if account.summary is None:
        raise NotTried(_NO_CAMPAIGN)
    campaign_id = account.summary.campaign_id
    references = account.client.get(f"/emails/{campaign_id}")["campaign_activities"]
    found = [record for row in references if (record := parse_campaign_activity(row, campaign_id))]
    account.activity_ids = [
        record.campaign_activity_id
        for record in found
        if record.role not in vendor.UNREPORTED_ROLES
    ]
    known = vendor.REPORTED_ROLES | vendor.UNREPORTED_ROLES
    yield judge_values(says.ROLES, (record.role for record in found), known)


@probe(3, says.STATS_OF_TEN, says.UNKNOWN_STATS, says.STATS_FIELDS, says.SUMMARY_COUNTS)
def _stats(account: Account) -> Iterator[Line]:
    """Ask for ten ids in one call, nine of them made up; if refused, find out why."""
    if not account.activity_ids:
        raise NotTried(_NO_CAMPAIGN)
    known = account.activity_ids[0]
    others = [str(uuid4()) for _ in range(vendor.ACTIVITIES_PER_STATS_CALL - 1)]
    try:
        account.stats = _stats_of(account, known, *others)
    except Rejected as error:
        ten = name_failure(account.client, error)
        yield from _judge_refused(account, ten, known, others[0])
    else:
        yield judge(says.STATS_OF_TEN, None, "ten ids in one call")
        yield judge(says.UNKNOWN_STATS, None, "nine made-up ids are left out")
    stats = account.stats
    missing = [
        tracker.count_field
        for tracker in vendor.TRACKERS
        if number(stats.get(tracker.count_field)) is None
    ]
    problem = f"no {', '.join(missing)}" if missing else None
    yield judge(says.STATS_FIELDS, problem, "all six")
    yield _judge_summary(account)


def _judge_refused(account: Account, ten: str, known: str, other: str) -> Iterator[Line]:
    try:
        account.stats = _stats_of(account, known, other)
    except Rejected:
        yield Line(says.STATS_OF_TEN, Result.NOT_TRIED, "unknown ids are refused")
        yield judge(says.UNKNOWN_STATS, ten, "")
        account.stats = _stats_of(account, known)
    else:
        yield judge(says.STATS_OF_TEN, ten, "")
        yield judge(says.UNKNOWN_STATS, None, "a made-up id is left out")


def _stats_of(account: Account, known: str, *others: str) -> Row:
    """The statistics of an activity that is asked for together with others."""
    ids = ",".join([known, *others])
    results = account.client.get(f"/reports/stats/email_campaign_activities/{ids}")["results"]
    for each in results:
        if text(each.get("campaign_activity_id")) == known:
            return dict(each["stats"])
    raise NotTried("the activity that was asked for has no statistics")


def _counted(summary: SummaryRecord) -> int:
    return sum(map(bool, summary.unique_counts.values()))


def _judge_summary(account: Account) -> Line:
    """Whether the summary's unique opens are those of the statistics, or all of them."""
    line = says.SUMMARY_COUNTS
    opens = account.summary and account.summary.unique_counts["open"]
    unique, every = (number(account.stats.get(name)) for name in ("em_opens", "em_opens_all"))
    if opens is None or unique is None:
        return Line(line, Result.NOT_TRIED, "opens are not counted")
    if len(account.activity_ids) > 1:
        return Line(line, Result.NOT_TRIED, "the campaign has several activities")
    seen = f"{opens} opens in the summary, {unique} unique of {every} in statistics"
    return judge(line, None if opens == unique else seen, seen)


class _Report(NamedTuple):
    """The first page of one tracker of the campaign that is looked at."""

    tracker: vendor.Tracker
    rows: list[Row]
    is_whole: bool


@probe(
    2 * len(_TRACKERS),
    says.EVENTS_PER_PAGE,
    says.TRACKER_ORDER,
    says.TRACKER_COUNTS,
    says.EVENT_FIELDS,
    says.EVENT_TYPES,
    says.CLICKED_LINKS,
    says.DEVICE_TYPES,
    says.BOUNCE_CODES,
)
def _trackers(account: Account) -> Iterator[Line]:
    if not account.activity_ids:
        raise NotTried(_NO_CAMPAIGN)
    reports, sizes = [], []
    for activity_type in _TRACKERS:
        tracker = vendor.TRACKER_BY_TYPE[activity_type]
        path = _path(account.activity_ids[0], tracker)
        first = account.largest_page(
            path, {}, "tracking_activities", vendor.EVENTS_PER_PAGE, says.EVENTS_PER_PAGE
        )
        sizes.append(first.size)
        reports.append(_Report(tracker, first.rows, first.page.next_href is None))
    yield max(sizes, key=lambda line: (line.result is not Result.OK, len(line.seen)))
    rows = [row for report in reports for row in report.rows]
    if not rows:
        raise NotTried("the campaign has no event")
    _, malformed = parse_events(rows)
    problem = f"{malformed} of {len(rows)} events lack one" if malformed else None
    yield judge(says.EVENT_FIELDS, problem, f"of {len(rows)} events")
    yield _judge_order(reports)
    odd = [
        report.tracker.path_part
        for report in reports
        if any(row.get("tracking_activity_type") != report.tracker.row_type for row in report.rows)
    ]
    problem = f"not those of {', '.join(odd)}" if odd else None
    yield judge(says.EVENT_TYPES, problem, f"of {len(rows)} events")
    yield from _judge_fields({report.tracker.activity_type: report.rows for report in reports})
    yield _judge_counts(account, reports)


def _path(activity_id: str, tracker: vendor.Tracker) -> str:
    return f"/reports/email_reports/{activity_id}/tracking/{tracker.path_part}"


def _judge_order(reports: list[_Report]) -> Line:
    times = [[moment(row.get("created_time")) for row in report.rows] for report in reports]
    dated = [[time for time in each if time] for each in times]
    if all(len(set(each)) < 2 for each in dated):  # noqa: PLR2004 - an order takes two
        return Line(says.TRACKER_ORDER, Result.NOT_TRIED, "the events have one time only")
    is_ordered = all(one >= next_one for each in dated for one, next_one in pairwise(each))
    problem = None if is_ordered else "they come in another order"
    return judge(says.TRACKER_ORDER, problem, f"in {len(reports)} trackers")


def _judge_fields(rows: dict[str, list[Row]]) -> Iterator[Line]:
    opens, clicks, bounces = rows["open"], rows["click"], rows["bounce"]
    devices = (row.get("device_type") for row in (*opens, *clicks))
    yield judge_values(says.DEVICE_TYPES, devices, vendor.DEVICE_TYPES)
    codes = (row.get("bounce_code") for row in bounces)
    yield judge_values(says.BOUNCE_CODES, codes, vendor.BOUNCE_CODES)
    if not clicks:
        yield Line(says.CLICKED_LINKS, Result.NOT_TRIED, "the campaign has no click")
        return
    without = sum(not (text(row.get("url_id")) and text(row.get("link_url"))) for row in clicks)
    problem = f"{without} of {len(clicks)} clicks do not" if without else None
    yield judge(says.CLICKED_LINKS, problem, f"of {len(clicks)} clicks")


def _judge_counts(account: Account, reports: list[_Report]) -> Line:
    compared = []
    differ = False
    for tracker, rows, is_whole in reports:
        count = number(account.stats.get(tracker.count_field))
        if count is None:
            continue
        differ |= count != len(rows) if is_whole else count < len(rows)
        listed = len(rows) if is_whole else f"more than {len(rows)}"
        compared.append(f"{tracker.path_part}: {count} counted, {listed} listed")
    if not compared:
        return Line(
            says.TRACKER_COUNTS, Result.NOT_TRIED, "there are no statistics to compare with"
        )
    seen = "; ".join(compared)
    return judge(says.TRACKER_COUNTS, seen if differ else None, seen)


@probe(1, says.UNKNOWN_REPORTS)
def _unknown_report(account: Account) -> Iterator[Line]:
    path = _path(str(uuid4()), vendor.TRACKER_BY_TYPE["send"])
    try:
        account.page(path, {"limit": vendor.EVENTS_PER_PAGE})
    except (BadRequest, NotFound) as error:
        yield judge(says.UNKNOWN_REPORTS, None, f"{error.status} {error.error_key or ''}".strip())
    else:
        yield judge(says.UNKNOWN_REPORTS, "it is answered with a page", "")


@probe(2, says.JOBS_PER_PAGE, says.JOB_STATES)
def _jobs(account: Account) -> Iterator[Line]:
    first = account.largest_page(
        "/activities", {}, "activities", vendor.ACTIVITIES_PER_PAGE, says.JOBS_PER_PAGE
    )
    yield first.size
    if not first.rows:
        raise NotTried("the account had no bulk job in ten days: put a contact on a list")
    states = (row.get("state") for row in first.rows)
    yield judge_values(says.JOB_STATES, states, vendor.JOB_STATES)


ENGAGEMENT_PROBES: Final = (
    _campaigns, _campaign_dates, _summaries, _roles, _stats, _trackers, _unknown_report, _jobs,
)  # fmt: skip
