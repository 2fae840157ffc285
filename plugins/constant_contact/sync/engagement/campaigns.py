"""Campaigns: which exist, which moved, their activities, and how many events each has.

One page of the summary report tells which campaigns moved; exact counts are asked, ten activities
a call, for those that moved or still can.
"""

import json
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import (
    CampaignActivityRecord,
    CampaignRecord,
    SummaryRecord,
    identifier,
    iso,
    number,
    parse_campaign,
    parse_campaign_activity,
    parse_summary,
)
from constant_contact.errors import Rejected, ServerFault
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.engagement import discovery
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import in_parallel
from constant_contact.sync.report import Report, by_value
from constant_contact.sync.set_aside import SetAside

_log = logging.getLogger("constant_contact.campaigns")
_OVERLAP = timedelta(hours=24)
# What may be set aside: a campaign, its row of the summary report, an activity's counts.
_ASIDE = ("campaign", "summary", "activity")


@dataclass
class CampaignsReport(Report):
    """What a run learned.

    Attributes:
        ab_tests: Campaigns that the API does not report because they test subject lines.
        automated: Campaigns that are done but that no report has, such as welcome emails.
        refused: Campaigns whose activities the vendor refuses to name, this time or before, as when
            they were removed; each is asked for again ever more rarely.
        set_aside: Campaigns, their summaries and their activities' counts that met an unexpected
            error, this time or before; each is asked for by the next run.
        uncounted: Campaigns of which the summary leaves out a count; that one is not compared.
        unknown_values: Activities by a role, and campaigns by a status, that the contract does not
            name; they are asked for their reports all the same.
    """

    sent: int = 0
    changed: int = 0
    activities_asked: int = 0
    stats_asked: int = 0
    stats_refused: int = 0
    refused: int = 0
    malformed: int = 0
    set_aside: int = 0
    ab_tests: int = 0
    automated: int = 0
    uncounted: int = 0
    unknown_values: dict[str, int] = field(default_factory=dict)


def sync_campaigns(client: Client, crm: Database, *, active_days: int = 30) -> CampaignsReport:
    """Mirror campaigns, activities and their counts.

    For `active_days` after its last sending a campaign's counts are asked every time.
    """
    report = CampaignsReport()
    began_at = discovery.begin(crm)
    _mirror_summaries(client, crm, report)
    _mirror_campaigns(client, crm, report)
    database.recount(crm)
    _mirror_activities(client, crm, report, began_at)
    database.recount(crm)
    _mirror_counts(client, crm, report, active_days)
    discovery.end(crm, began_at)
    with crm.transaction() as connection:
        unreported = database.row(
            connection,
            "campaigns/count_unreported",
            {"ab_test_type_code": vendor.AB_TEST_TYPE_CODE},
        )
        known = {
            "roles": sorted(vendor.REPORTED_ROLES | vendor.UNREPORTED_ROLES),
            "statuses": sorted(vendor.CAMPAIGN_STATUSES),
        }
        unknown = database.rows(connection, "campaigns/count_unknown", known)
    report.unknown_values = by_value(unknown)
    report.set_aside = sum(SetAside(crm, noun).log_standing() for noun in _ASIDE)
    if report.uncounted:
        _log.warning("the summary report leaves out counts of %d campaigns", report.uncounted)
    report.ab_tests, report.automated, report.refused = (unreported or {}).values()
    if report.ab_tests or report.automated:
        _log.info(
            "the API reports no engagement of A/B tests (%d) and automated emails (%d)",
            report.ab_tests,
            report.automated,
        )
    return report


def _mirror_summaries(client: Client, crm: Database, report: CampaignsReport) -> None:
    listing = "/reports/summary_reports/email_campaign_summaries"
    params = {"limit": vendor.SUMMARIES_PER_PAGE}
    aside = SetAside(crm, "summary")
    for page in restarting(lambda: client.pages(listing, params)):
        rows = page.rows("bulk_email_campaign_summaries")
        records, malformed = aside.parse(rows, parse_summary)
        report.sent += len(records)
        report.malformed += malformed
        report.uncounted += sum(None in record.unique_counts.values() for record in records)
        with crm.transaction() as connection:
            aside.store(connection, records, partial(_store_summaries, connection))


def _store_summaries(connection: psycopg.Connection[Any], records: Sequence[SummaryRecord]) -> None:
    page = database.columns(SummaryRecord, records) | {
        "unique_counts": [json.dumps(record.unique_counts) for record in records],
        "mirrored_at": state.database_now(connection),
    }
    database.row(connection, "completeness/lock")
    database.run(connection, "completeness/note_summaries", page)
    database.run(connection, "campaigns/upsert_summaries", page)


def _mirror_campaigns(client: Client, crm: Database, report: CampaignsReport) -> None:
    """Names and kinds of the campaigns that changed since the last complete reading."""
    with crm.transaction() as connection:
        known = state.load(connection, "campaigns")
        started_at = state.database_now(connection)
    params: dict[str, Any] = {"limit": vendor.CAMPAIGNS_PER_PAGE}
    if known.covered_to is not None:
        params["after_date"] = iso(known.covered_to - _OVERLAP)
    newest = known.covered_to
    aside = SetAside(crm, "campaign")
    for page in restarting(lambda: client.pages("/emails", params)):
        rows = page.rows("campaigns")
        records, malformed = aside.parse(rows, parse_campaign)
        report.changed += len(records)
        report.malformed += malformed
        with crm.transaction() as connection:
            aside.store(connection, records, partial(_store_campaigns, connection))
        times = [time for record in records if (time := record.updated_at)]
        newest = max([*times, newest] if newest else times, default=None)
    with crm.transaction() as connection:
        covered_to = min(newest, started_at) if newest else None
        state.save(connection, "campaigns", known._replace(covered_to=covered_to))


def _store_campaigns(
    connection: psycopg.Connection[Any], records: Sequence[CampaignRecord]
) -> None:
    columns = database.columns(CampaignRecord, records)
    now = state.database_now(connection)
    database.run(connection, "campaigns/upsert_page", columns | {"mirrored_at": now})


def _mirror_activities(
    client: Client, crm: Database, report: CampaignsReport, began_at: datetime
) -> None:
    aside = SetAside(crm, "campaign")
    unknown = crm.rows(
        "campaigns/without_activities",
        {
            "ab_test_type_code": vendor.AB_TEST_TYPE_CODE,
            "statuses": sorted(vendor.CAMPAIGN_STATUSES),
        },
    )

    unasked: list[str] = []

    def ask_for_activities(campaign_id: str, _stop: threading.Event) -> None:
        if aside.is_vendor_out:
            unasked.append(campaign_id)
            return
        try:
            with aside.watch(campaign_id, is_call=True):
                _store_activities(crm, campaign_id, client.get(f"/emails/{campaign_id}"))
        except Rejected as error:
            aside.forget(campaign_id)
            crm.run("campaigns/mark_refused", {"campaign_id": campaign_id})
            _log.warning(
                "campaign %s is reported but refused; asked again ever more rarely: %s",
                campaign_id,
                error,
            )

    new = [row["campaign_id"] for row in unknown]
    ids = aside.put_last(list(dict.fromkeys(new + aside.to_try(began_at))))
    for _ in in_parallel(ask_for_activities, ids):
        report.activities_asked += 1
    aside.require(unasked)


def _store_activities(crm: Database, campaign_id: str, reply: dict[str, Any]) -> None:
    references = reply.get("campaign_activities")
    records = [
        record
        for reference in (references if isinstance(references, list) else [])
        if isinstance(reference, dict)
        and (record := parse_campaign_activity(reference, campaign_id))
    ]
    reported = [
        record.campaign_activity_id
        for record in records
        if record.role not in vendor.UNREPORTED_ROLES
    ]
    campaign = parse_campaign(reply | {"campaign_id": campaign_id}) if reply else None
    with crm.transaction() as connection:
        now = state.database_now(connection)
        if campaign is not None:
            columns = database.columns(CampaignRecord, [campaign])
            database.run(connection, "campaigns/upsert_page", columns | {"mirrored_at": now})
        database.run(
            connection,
            "campaigns/upsert_activities",
            database.columns(CampaignActivityRecord, records) | {"mirrored_at": now},
        )
        database.run(
            connection,
            "campaigns/add_streams",
            {
                "campaign_activity_id": reported,
                "activity_type": [tracker.activity_type for tracker in vendor.TRACKERS],
            },
        )
        database.run(
            connection,
            "campaigns/mark_activities_read",
            {"campaign_id": campaign_id, "read_at": now, "is_reported": bool(reported)},
        )


def _mirror_counts(
    client: Client, crm: Database, report: CampaignsReport, active_days: int
) -> None:
    with crm.transaction() as connection:
        wanted = database.rows(
            connection,
            "campaigns/without_stats",
            {
                "unreported_roles": sorted(vendor.UNREPORTED_ROLES),
                "now": state.database_now(connection),
                "active_days": active_days,
            },
        )
    aside = SetAside(crm, "activity")
    size = vendor.ACTIVITIES_PER_STATS_CALL
    # Those that are only due ride along in the last call of those that must be asked, or share one.
    must = sum(row["must"] for row in wanted)
    due = wanted[: must + size - must % size]
    ids = aside.put_last([row["campaign_activity_id"] for row in due])
    batches = [ids[start : start + size] for start in range(0, len(ids), size)]
    unasked: list[str] = []

    def ask_for_counts(batch: list[str], _stop: threading.Event) -> tuple[int, int]:
        with crm.transaction() as connection:
            asked_at = state.database_now(connection)
        results = _counts(client, batch, aside, unasked)
        left_out = {*aside.met, *unasked}
        asked = [each for each in batch if each not in left_out]
        with crm.transaction() as connection:
            aside.store(
                connection, asked, lambda some: _store_counts(connection, some, results, asked_at)
            )
        return len(asked), len(results)

    for asked, answered in in_parallel(ask_for_counts, batches):
        report.stats_asked += asked
        report.stats_refused += asked - answered
    aside.require(unasked)


def _counts(
    client: Client, batch: list[str], aside: SetAside, unasked: list[str]
) -> list[dict[str, Any]]:
    """The results of one stats call; one id may fail the call for all, so ask one by one then.

    An activity that is refused has none; one that the vendor fails at is set aside, and where it
    fails at one after the other, the rest is added to `unasked`.
    """
    if aside.is_vendor_out:
        unasked += batch
        return []
    reply: dict[str, Any] = {}
    path = f"/reports/stats/email_campaign_activities/{','.join(batch)}"
    try:
        if len(batch) == 1:
            with aside.watch(batch[0], is_call=True):
                reply = client.get(path)
        else:
            reply = client.get(path)
    except (Rejected, ServerFault) as error:
        if len(batch) == 1:
            _log.warning("no counts of activity %s: %s", batch[0], error)
            return []
        return [result for single in batch for result in _counts(client, [single], aside, unasked)]
    listed = reply.get("results")
    results = [
        each for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)
    ]
    answered = {identifier(result.get("campaign_activity_id")) for result in results}
    if unanswered := [each for each in batch if each not in answered]:
        _log.warning("the stats report has no counts of activities %s", ", ".join(unanswered))
    return results


def _store_counts(
    connection: psycopg.Connection[Any],
    activity_ids: Sequence[str],
    results: Iterable[dict[str, Any]],
    asked_at: datetime,
) -> None:
    counts = [
        (activity_id, tracker.activity_type, count)
        for result in results
        for tracker in vendor.TRACKERS
        if (activity_id := identifier(result.get("campaign_activity_id"))) in activity_ids
        and isinstance(stats := result.get("stats"), dict)
        and (count := number(stats.get(tracker.count_field))) is not None
    ]
    ids, types, reported = zip(*counts, strict=True) if counts else ((), (), ())
    database.run(
        connection,
        "campaigns/report_counts",
        {
            "campaign_activity_id": list(ids),
            "activity_type": list(types),
            "reported_count": list(reported),
        },
    )
    database.run(
        connection,
        "campaigns/mark_stats_read",
        {"campaign_activity_id": list(activity_ids), "read_at": asked_at},
    )
