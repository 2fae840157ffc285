"""How many calls it takes, exactly: the first load, a quiet night, a night when nothing moved."""

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import EVENTS_PER_PAGE
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement
from simulator.server import Running
from tests.support import Calls
from tests.sync.engagement.ledgers import happened, stored

Night = Callable[[], EngagementReport]

CAMPAIGNS, RECENT_DAYS_AGO = 37, (2, 9, 20)


@pytest.fixture
def account(simulator: Running) -> list[str]:
    """Old campaigns, and three of the last month; returns the activities of these."""
    now = datetime.now(UTC)
    # The clock jumps, and a token that it outdates would cost a call.
    simulator.control.settings(access_token_ttl_s=7 * 86_400)
    simulator.control.generate(
        seed=3, contacts=1200, lists=1, campaigns=CAMPAIGNS, events=10_000, recent_campaigns=0,
        end=(now - timedelta(days=31)).isoformat(),
    )  # fmt: skip
    contacts = living(simulator)
    sent = [
        simulator.control.send_campaign(
            name=f"Recent {days}",
            contact_ids=contacts,
            sent_at=(now - timedelta(days=days)).isoformat(),
        )
        for days in RECENT_DAYS_AGO
    ]
    return [each["campaign_activity_id"] for each in sent]


def living(simulator: Running) -> list[str]:
    return [
        each["contact_id"]
        for each in simulator.control.truth_contacts()
        if each["permission"] != "unsubscribed" and each["email"]
    ][:1200]


@pytest.fixture
def night(client: Client, crm: Database) -> Night:
    def run() -> EngagementReport:
        sync_campaigns(client, crm)
        return sync_engagement(client, crm)

    return run


def streams(simulator: Running) -> Counter[tuple[str, str]]:
    """How many events each report has that has any."""
    return Counter(event[:2] for event in happened(simulator).elements())


def test_the_first_load_stays_within_its_formula_and_is_exactly_its_parts(
    simulator: Running, account: list[str], night: Night, calls: Calls, crm_url: str
) -> None:
    calls()
    night()
    made = calls()
    assert stored(crm_url) == happened(simulator)
    sizes = streams(simulator).values()
    campaigns = CAMPAIGNS + len(account)
    discovery = 1 + 1 + campaigns + math.ceil(campaigns / 10)
    assert made == discovery + sum(math.ceil(size / EVENTS_PER_PAGE) for size in sizes)
    by_tens = math.ceil(campaigns / 10)
    assert made <= 1.02 * math.ceil(sum(sizes) / EVENTS_PER_PAGE) + len(sizes) + campaigns + by_tens


def add_a_days_events(simulator: Running, activities: list[str], count: int) -> int:
    """New events over all of them; returns the fewest pages that hold them."""
    simulator.control.clock(advance_s=86_400)
    now = datetime.fromisoformat(simulator.control.clock()["now"])
    contacts, kinds = living(simulator), ("opens", "opens", "clicks", "forwards")
    events = [
        {
            "type": kinds[number % len(kinds)],
            "campaign_activity_id": activities[number % len(activities)],
            "contact_id": contacts[number % len(contacts)],
            "created_time": (now - timedelta(seconds=number)).isoformat(timespec="milliseconds"),
        }
        for number in range(count)
    ]
    simulator.control.add_events(events)
    sizes = Counter((each["type"], each["campaign_activity_id"]) for each in events)
    return sum(math.ceil(size / EVENTS_PER_PAGE) for size in sizes.values())


def test_a_quiet_night_costs_its_pages_and_three_calls(
    simulator: Running, account: list[str], night: Night, calls: Calls, crm_url: str
) -> None:
    night()
    pages = add_a_days_events(simulator, account, 5000)
    calls()
    assert night().new_events == 5000
    assert calls() == 3 + pages
    assert 3 + pages <= 30
    assert stored(crm_url) == happened(simulator)


def test_a_night_when_nothing_moved_costs_three_calls(
    simulator: Running, account: list[str], night: Night, calls: Calls
) -> None:
    night()
    simulator.control.clock(advance_s=86_400)
    calls()
    assert night().new_events == 0
    assert calls() == 3


@pytest.mark.parametrize(
    ("overlap", "found", "pages"),
    [
        pytest.param(timedelta(hours=24), 1, 3, id="24 h"),
        pytest.param(timedelta(0), 0, 1, id="none"),
    ],
)
def test_the_overlap_decides_how_late_an_event_may_come_where_no_count_tells(
    simulator: Running, client: Client, crm: Database, calls: Calls,
    overlap: timedelta, found: int, pages: int,
) -> None:  # fmt: skip
    simulator.control.generate(seed=3, contacts=20, lists=1, campaigns=1, recent_campaigns=1)
    (activity,) = simulator.control.truth()["reportable_activities"]
    (someone, *_) = living(simulator)
    no_counts = {"status": 200, "body": {"results": []}}
    simulator.control.add_fault("status", match={"path": "/stats/"}, params=no_counts, times=99)
    opened = {"type": "opens", "campaign_activity_id": activity, "contact_id": someone}

    def add(*minutes_ago: float) -> None:
        now = datetime.now(UTC)
        times = [now - timedelta(minutes=each) for each in minutes_ago]
        simulator.control.add_events(
            [opened | {"created_time": each.isoformat(timespec="milliseconds")} for each in times]
        )

    # Three pages: the last 5 h, 5 h to 10 h ago, and before.
    apart = 300 / EVENTS_PER_PAGE
    add(*(number * apart + 1 for number in range(2 * EVENTS_PER_PAGE)), 60 * 30)
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    calls()
    add(60 * 7)
    assert sync_engagement(client, crm, overlap=overlap).new_events == found
    assert calls("/tracking/opens") == pages
