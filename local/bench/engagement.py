"""The first load of engagement: ledger and interactions, beside others."""

import math
import time
from typing import Any, LiteralString

import psycopg

from constant_contact.api import vendor as limits
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured, middle, middle_ratio
from local.bench.others import bare_loop, vendors_sdk
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_SIZE = 200_000
_CAMPAIGNS = 100
_LEAST_SHARE_OF_BARE = 0.4
_MOST_MB = 300
_MOST_OVER_PAGES = 1.02


def discover(gauge: Gauge, *, crm_url: str, account: dict[str, Any]) -> Figures:
    """What the task before does: campaigns, activities, counts."""
    with gauge, connected(crm_url, **account) as (client, crm):
        return sync_campaigns(client, crm).as_dict()


def load(gauge: Gauge, *, crm_url: str, account: dict[str, Any]) -> Figures:
    """Ledger and projection."""
    with gauge, connected(crm_url, **account) as (client, crm):
        report = sync_engagement(client, crm)
        ledger_ended = time.perf_counter()
        interactions = project_interactions(crm)
        projection_s = time.perf_counter() - ledger_ended
    return {
        "rows": report.new_events,
        "interactions": interactions.of_new_links + interactions.of_new_events,
        "projection_s": projection_s,
    }


def run(stage: Stage) -> list[Result]:
    """The bare loop reads the streams that ours found."""
    result = Result(
        "engagement",
        f"the first load of {_SIZE:,} events, median of {stage.rounds}",
        ("who", "events/s", "seconds", "of it projection", "calls", "CPU s", "peak MB"),
    )
    account = {"contacts": _SIZE // 10, "lists": 5, "campaigns": _CAMPAIGNS, "events": _SIZE}
    with stage.vendor(**account) as vendor:
        found = [_round(stage, vendor) for _ in range(stage.rounds)]
        events = sum(vendor.control.truth()["events"].values())
        sdk = _sdk(stage, vendor)
    ours, bare = [each[0] for each in found], [each[1] for each in found]
    for name, figures in (("ours", ours), ("bare loop", bare), ("vendor's SDK", [sdk])):
        keys = ("speed", "seconds", "projection_s", "calls", "cpu_s")
        shown = (middle(figures, key) for key in keys)
        result.rows.append((name, *shown, max(each["peak_mb"] for each in figures)))
    if sdk["rows"] != events:
        raise AssertionError(f"the vendor's SDK has {sdk['rows']} of {events} events")
    ratio = middle_ratio(ours, bare, "speed")
    result.at_least("events/s, ours / bare loop", ratio, _LEAST_SHARE_OF_BARE)
    again = (middle(ours, f"again_{key}") for key in ("seconds", "calls"))
    result.rows.append(("ours, again", "", next(again), "", next(again), "", ""))
    result.rows.append(("ours, ledger alone", middle(ours, "ledger"), "", "", "", "", ""))
    result.notes.append(
        "Ours has found what moved, kept its place and every call, and made interactions; the "
        "others find and read all, and read all of it again the next time."
    )
    result.at_most("peak memory of ours", max(e["peak_mb"] for e in ours), _MOST_MB, " MB")
    allowed = _MOST_OVER_PAGES * math.ceil(events / limits.EVENTS_PER_PAGE) + ours[0]["others"]
    result.at_most("calls of ours, with campaigns", ours[0]["calls"], math.floor(allowed))
    return [result]


def _round(stage: Stage, vendor: Vendor) -> tuple[Figures, Figures]:
    with stage.database() as crm_url:
        measured("local.bench.contacts:mirror", crm_url=crm_url, account=vendor.account())
        make(crm_url, "linked_contacts")
        settle(crm_url)
        _, ours = _night(crm_url, vendor)
        streams = _streams(crm_url)
        # a call for the end of each stream, one for each campaign, one for the counts of ten
        campaigns = _count(crm_url, "ctct_campaign WHERE last_sent_at IS NOT NULL")
        activities = _count(crm_url, "ctct_campaign_activity WHERE role <> 'permalink'")
        counted = math.ceil(activities / limits.ACTIVITIES_PER_STATS_CALL)
        ours["others"] = len(streams) + campaigns + counted
        ours["ledger"] = ours["rows"] / (ours["seconds"] - ours["projection_s"])
        found, nothing = _night(crm_url, vendor)
        ours["again_seconds"] = found["seconds"] + nothing["seconds"]
        ours["again_calls"] = nothing["calls"]
        vendor.control.clear_calls()
        bare = bare_loop("events", vendor, crm_url, streams=streams)
        bare |= {"calls": vendor.calls(), "projection_s": 0.0}
    for figures in (ours, bare):
        figures["speed"] = figures["rows"] / figures["seconds"]
    if ours["rows"] != bare["rows"]:
        raise AssertionError(f"ours has {ours['rows']} events, the bare loop {bare['rows']}")
    stage.say(f"engagement: ours {ours['speed']:,.0f}, bare loop {bare['speed']:,.0f} events/s")
    return ours, bare


def _night(crm_url: str, vendor: Vendor) -> tuple[Figures, Figures]:
    """Discovery, then ledger and projection; the calls of both are with the second."""
    vendor.control.clear_calls()
    found = measured("local.bench.engagement:discover", crm_url=crm_url, account=vendor.account())
    loaded = measured("local.bench.engagement:load", crm_url=crm_url, account=vendor.account())
    return found, loaded | {"calls": vendor.calls()}


def _sdk(stage: Stage, vendor: Vendor) -> Figures:
    """Once: the same events, with what it takes to find their reports, and nothing kept."""
    with stage.database() as crm_url:
        vendor.control.clear_calls()
        found = vendors_sdk("events", vendor, crm_url)
    found |= {"calls": vendor.calls(), "speed": found["rows"] / found["seconds"]}
    stage.say(f"engagement: the vendor's SDK {found['speed']:,.0f} events/s")
    return found | {"projection_s": 0.0}


def _streams(crm_url: str) -> list[tuple[int, str]]:
    """Those that have events: id, and path of the report."""
    with psycopg.connect(crm_url) as connection:
        rows = connection.execute(
            "SELECT stream_id, campaign_activity_id, activity_type FROM ctct_engagement_stream"
            " WHERE stored_count > 0 ORDER BY stream_id"
        ).fetchall()
    parts = {kind: tracker.path_part for kind, tracker in limits.TRACKER_BY_TYPE.items()}
    return [
        (stream_id, f"/reports/email_reports/{activity}/tracking/{parts[kind]}")
        for stream_id, activity, kind in rows
    ]


def _count(crm_url: str, relation: LiteralString) -> int:
    with psycopg.connect(crm_url) as connection:
        row = connection.execute("SELECT count(*) FROM " + relation).fetchone()
    return int(row[0]) if row else 0
