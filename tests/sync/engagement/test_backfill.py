"""Ninety days in ninety runs cost what one reading costs, in any order."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import BudgetSpent
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.discovery import is_discovered
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement
from simulator.server import Running
from tests.databases import Databases
from tests.support import Calls, Rows
from tests.sync.engagement.ledgers import happened, stored

Span = tuple[datetime, datetime]

DAYS = 90
TODAY = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
# The last day ended yesterday: all of the range is past.
SPANS = [
    (TODAY - timedelta(days=number + 1), TODAY - timedelta(days=number))
    for number in range(DAYS, 0, -1)
]
BEGINS, ENDS = SPANS[0][0], SPANS[-1][1]
ORDERS: dict[str, Callable[[list[Span]], list[Span]]] = {
    "ascending": lambda spans: spans,
    "descending": lambda spans: spans[::-1],
    "shuffled": lambda spans: random.Random(7).sample(spans, len(spans)),
}


@pytest.fixture
def account(simulator: Running) -> Running:
    """Two years of ten campaigns; a part of each stream lies before the range."""
    simulator.control.generate(
        seed=5, contacts=2000, lists=1, campaigns=10, events=10_000, recent_campaigns=2
    )
    return simulator


@pytest.fixture
def other_crm(databases: Databases) -> Iterator[Database]:
    name = databases.create()
    url = databases.our_url(databases.url(name))
    crm = Database(lambda: psycopg.connect(url), name="connection crm_default")
    yield crm
    crm.close()
    databases.take_back(name)


def run(client: Client, crm: Database, span: Span) -> EngagementReport:
    """A backfill's run, as the operators make it."""
    if not is_discovered(crm, span[1]):
        sync_campaigns(client, crm)
    return sync_engagement(client, crm, since=span[0])


@pytest.fixture
def at_once(account: Running, client: Client, other_crm: Database, calls: Calls) -> int:
    """What the range costs in a single load."""
    calls()
    run(client, other_crm, (BEGINS, ENDS))
    return calls()


def within_range(when: datetime) -> bool:
    return BEGINS <= when < ENDS


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_ninety_runs_cost_what_a_single_load_costs_and_find_every_event(
    account: Running,
    client: Client,
    crm: Database,
    crm_url: str,
    calls: Calls,
    at_once: int,
    order: str,
) -> None:
    for span in ORDERS[order](SPANS):
        run(client, crm, span)
    assert calls() <= 1.05 * at_once
    assert happened(account, within_range) <= stored(crm_url) <= happened(account)


def test_ascending_the_first_run_pays_and_covered_days_cost_no_call(
    account: Running, client: Client, crm: Database, calls: Calls, at_once: int
) -> None:
    costs = []
    for span in SPANS:
        run(client, crm, span)
        costs.append(calls())
    assert costs == [at_once] + [0] * (DAYS - 1)


def test_a_range_after_a_whole_load_costs_no_call(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    calls()
    for span in SPANS:
        assert run(client, crm, span).streams == 0
    assert calls() == 0


@pytest.mark.slow
def test_a_longer_range_reads_on_below_the_shorter_one(
    account: Running, client: Client, crm: Database, crm_url: str, calls: Calls, at_once: int
) -> None:
    for span in SPANS[60:]:
        run(client, crm, span)
    for span in SPANS:
        run(client, crm, span)
    assert calls() <= 1.05 * at_once
    assert happened(account, within_range) <= stored(crm_url)


@pytest.mark.slow
def test_out_of_budget_a_backfill_goes_on_where_it_was(
    account: Running,
    client: Client,
    crm: Database,
    crm_url: str,
    calls: Calls,
    at_once: int,
    sql_rows: Rows,
) -> None:
    account.control.add_fault("quota_exceeded", match={"path": "tracking"}, after=20, times=99)
    with pytest.raises(BudgetSpent):
        run(client, crm, SPANS[0])
    account.control.clear_faults()
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = NULL")
    refused = sum(call["status"] == 429 for call in account.control.calls())
    for span in SPANS:
        run(client, crm, span)
    assert calls() - refused <= 1.05 * at_once
    assert happened(account, within_range) <= stored(crm_url)


def test_a_discovery_that_failed_covers_nothing_whoever_reads_meanwhile(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault("quota_exceeded", match={"path": "/stats/"}, times=99)
    with pytest.raises(BudgetSpent):
        sync_campaigns(client, crm)
    account.control.clear_faults()
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = NULL")
    assert sync_engagement(client, crm).new_events > 0
    assert not is_discovered(crm, SPANS[0][1])
