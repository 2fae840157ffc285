"""How many calls a night takes: the first one, a quiet one, one in which nothing moved."""

import math
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from constant_contact.api import vendor as limits
from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.campaigns import sync_campaigns
from constant_contact.sync.contacts import sync_contacts
from constant_contact.sync.engagement import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.reports import Report
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.measure import Figures, measured
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_CONTACTS, _OLD_CAMPAIGNS, _OLD_EVENTS = 100_000, 497, 50_000
_SENT_DAYS_AGO = (2, 9, 20)
_SENT_TO = 5_000
_NEW_EVENTS, _CHANGED, _OPTED_OUT = 5_000, 200, 20
_SHARES = {"opens": 55, "clicks": 28, "bounces": 8, "optouts": 5, "forwards": 4}
_MOST_CALLS, _MOST_CALLS_NOTHING_MOVED = 30, 3
_JOBS: dict[str, Callable[[Client, Database], Report]] = {
    "lists": sync_lists,
    "contacts": sync_contacts,
    "campaigns": sync_campaigns,
    "engagement": sync_engagement,
}


def job(gauge: Gauge, *, name: str, crm_url: str, account: dict[str, Any]) -> Figures:
    """One task of a night."""
    with gauge, connected(crm_url, **account) as (client, crm):
        return _JOBS[name](client, crm).as_dict()


def run(stage: Stage) -> list[Result]:
    """Three nights of one account."""
    result = Result(
        "nights",
        f"calls for {_CONTACTS:,} contacts and {_OLD_CAMPAIGNS + len(_SENT_DAYS_AGO)} campaigns, "
        f"{len(_SENT_DAYS_AGO)} of them sent in the last 30 days",
        ("night", *_JOBS, "seconds"),
    )
    dice = random.Random(1)  # noqa: S311 - the same night each time
    with stage.vendor() as vendor, stage.database() as crm_url:
        contact_ids, activity_ids = _account(vendor, dice)
        _night(stage, result, "first", vendor, crm_url)
        floor = _day(vendor, dice, contact_ids, activity_ids)
        quiet = _night(stage, result, f"{_NEW_EVENTS:,} new events", vendor, crm_url)
        nothing = _night(stage, result, "nothing moved", vendor, crm_url)
    activities = quiet["campaigns"] + quiet["engagement"]
    result.at_most("calls for activities", activities, _MOST_CALLS)
    result.notes.append(
        f"The {_NEW_EVENTS:,} events fill at least {floor} pages of {limits.EVENTS_PER_PAGE}."
    )
    result.at_most(
        "calls for activities, nothing moved",
        nothing["campaigns"] + nothing["engagement"],
        _MOST_CALLS_NOTHING_MOVED,
    )
    changed = math.ceil(_CHANGED / limits.CONTACTS_PER_PAGE)
    opted_out = math.ceil(_OPTED_OUT / limits.CONTACTS_PER_PAGE)
    result.at_most("calls for contacts", quiet["contacts"], changed + opted_out)
    return [result]


def _account(vendor: Vendor, dice: random.Random) -> tuple[list[str], list[str]]:
    """Campaigns of the last two years, none of the last month but three."""
    now = datetime.now(UTC)
    vendor.control.clock(now=now.isoformat())
    vendor.control.generate(
        contacts=_CONTACTS, lists=20, campaigns=_OLD_CAMPAIGNS, recent_campaigns=0,
        events=_OLD_EVENTS, end=(now - timedelta(days=31)).isoformat(),
    )  # fmt: skip
    living = [
        each["contact_id"]
        for each in vendor.control.truth_contacts()
        if each["permission"] != "unsubscribed" and each["email"]
    ]
    contact_ids = dice.sample(living, _SENT_TO)
    sent = [
        vendor.control.send_campaign(
            name=f"Recent {days}",
            contact_ids=contact_ids,
            sent_at=(now - timedelta(days=days)).isoformat(),
        )
        for days in _SENT_DAYS_AGO
    ]
    return contact_ids, [each["campaign_activity_id"] for each in sent]


def _day(
    vendor: Vendor, dice: random.Random, contact_ids: list[str], activity_ids: list[str]
) -> int:
    """What happens at the vendor between two nights; returns the pages its events fill."""
    vendor.control.clock(advance_s=86_400)
    now = datetime.fromisoformat(vendor.control.clock()["now"])
    kinds = dice.choices(list(_SHARES), list(_SHARES.values()), k=_NEW_EVENTS)
    events = [
        {
            "type": kind,
            "campaign_activity_id": dice.choice(activity_ids),
            "contact_id": dice.choice(contact_ids),
            "created_time": (now - timedelta(seconds=dice.randrange(80_000))).isoformat(),
        }
        for kind in kinds
    ]
    vendor.control.add_events(events)
    for contact_id in contact_ids[:_CHANGED]:
        vendor.control.update_contact(contact_id, first_name="Changed")
    for contact_id in contact_ids[-_OPTED_OUT:]:
        vendor.control.unsubscribe(contact_id)
    streams = Counter((each["type"], each["campaign_activity_id"]) for each in events)
    return sum(math.ceil(count / limits.EVENTS_PER_PAGE) for count in streams.values())


def _night(
    stage: Stage, result: Result, label: str, vendor: Vendor, crm_url: str
) -> dict[str, int]:
    calls, seconds = {}, 0.0
    for name in _JOBS:
        vendor.control.clear_calls()
        figures = measured(
            "local.bench.nights:job", name=name, crm_url=crm_url, account=vendor.account()
        )
        calls[name] = vendor.calls()
        seconds += figures["seconds"]
    stage.say(f"nights, {label}: {calls}")
    result.rows.append((label, *calls.values(), seconds))
    return calls
