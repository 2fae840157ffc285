"""The first load of engagement: ledger and interactions, beside others."""

import math
import sysconfig
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
from local.bench.measure import Figures, measured, middle
from local.bench.result import Result
from local.bench.rivals import SDK_PYTHON
from local.bench.stage import Stage, Vendor

_SIZE, _LARGE = 200_000, 1_000_000
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
    size, rounds = (_LARGE, 1) if stage.large else (_SIZE, stage.rounds)
    result = Result(
        "engagement",
        f"the first load of {size:,} events, median of {rounds}",
        ("who", "events/s", "seconds", "of it projection", "calls", "CPU s", "peak MB"),
    )
    account = {"contacts": size // 10, "lists": 5, "campaigns": _CAMPAIGNS, "events": size}
    with stage.vendor(**account) as vendor:
        found = [_round(stage, vendor) for _ in range(rounds)]
        events = sum(vendor.control.truth()["events"].values())
        sdk = _sdk(stage, vendor)
    ours, bare = [each[0] for each in found], [each[1] for each in found]
    for name, figures in (("ours", ours), ("bare loop", bare)):
        shown = [middle(figures, key) for key in ("speed", "seconds", "projection_s")]
        calls, cpu_s = middle(figures, "calls"), middle(figures, "cpu_s")
        peak_mb = max(each["peak_mb"] for each in figures)
        result.rows.append((name, *shown, int(calls), cpu_s, peak_mb))
    if sdk["rows"] != events:
        raise AssertionError(f"the vendor's SDK has {sdk['rows']} of {events} events")
    of_it = [sdk[key] for key in ("calls", "cpu_s", "peak_mb")]
    result.rows.append(("vendor's SDK", sdk["speed"], sdk["seconds"], "", *of_it))
    ratio = middle([{"of": a["speed"] / b["speed"]} for a, b in found], "of")
    result.at_least("events/s, ours / bare loop", ratio, _LEAST_SHARE_OF_BARE)
    again = {key: middle(ours, f"again_{key}") for key in ("seconds", "calls")}
    result.rows.append(("ours, again", "", again["seconds"], "", int(again["calls"]), "", ""))
    result.notes.append(
        "Ours has found what moved, kept its place and every call, and made interactions; the "
        "others find and read all, and read all of it again the next time."
    )
    ledger = middle(ours, lambda each: each["rows"] / (each["seconds"] - each["projection_s"]))
    result.rows.append(("ours, ledger alone", ledger, "", "", "", "", ""))
    result.at_most("peak memory of ours", max(e["peak_mb"] for e in ours), _MOST_MB, " MB")
    allowed = (
        _MOST_OVER_PAGES * math.ceil(events / limits.EVENTS_PER_PAGE)
        + ours[0]["streams"]
        + ours[0]["campaigns"]
        + math.ceil(ours[0]["activities"] / limits.ACTIVITIES_PER_STATS_CALL)
    )
    result.at_most("calls of ours, with campaigns", ours[0]["calls"], math.floor(allowed))
    return [result]


def _round(stage: Stage, vendor: Vendor) -> tuple[Figures, Figures]:
    with stage.database() as crm_url:
        measured("local.bench.contacts:mirror", crm_url=crm_url, account=vendor.account())
        make(crm_url, "linked_contacts")
        settle(crm_url)
        _, ours = _night(crm_url, vendor)
        streams = _streams(crm_url)
        ours |= {
            "streams": len(streams),
            "campaigns": _count(crm_url, "ctct_campaign WHERE last_sent_at IS NOT NULL"),
            "activities": _count(crm_url, "ctct_campaign_activity WHERE role <> 'permalink'"),
        }
        found, nothing = _night(crm_url, vendor)
        ours |= {
            "again_seconds": found["seconds"] + nothing["seconds"],
            "again_calls": nothing["calls"],
        }
        vendor.control.clear_calls()
        bare = measured(
            "local.bench.rivals.bare:events",
            url=vendor.url,
            token=vendor.access_token(),
            crm_url=crm_url,
            streams=streams,
        )
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
        found = measured(
            "local.bench.rivals.sdk:events",
            python=SDK_PYTHON,
            url=vendor.url,
            token=vendor.access_token(),
            crm_url=crm_url,
            site_packages=sysconfig.get_path("platlib"),
        )
    found |= {"calls": vendor.calls(), "speed": found["rows"] / found["seconds"]}
    stage.say(f"engagement: the vendor's SDK {found['speed']:,.0f} events/s")
    return found


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
