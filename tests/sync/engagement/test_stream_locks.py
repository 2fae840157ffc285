"""Several readers of one account: each event once, each page once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import EVENTS_PER_PAGE
from constant_contact.errors import ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement
from simulator.server import Running
from tests.support import Calls
from tests.sync.engagement.ledgers import happened, stored

MakeClient = Callable[..., Client]


@pytest.fixture
def account(simulator: Running, client: Client, crm: Database, calls: Calls) -> Running:
    """What moved is known; nothing is read yet."""
    simulator.control.generate(
        seed=4, contacts=600, lists=1, campaigns=4, events=4000, recent_campaigns=2
    )
    sync_campaigns(client, crm)
    calls()
    return simulator


def pages(simulator: Running) -> int:
    """The fewest pages that hold all events."""
    streams: dict[tuple[str, str], int] = {}
    for each in happened(simulator).elements():
        streams[each[:2]] = streams.get(each[:2], 0) + 1
    return sum(-(-count // EVENTS_PER_PAGE) for count in streams.values())


def side_by_side(*work: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(each) for each in work]
        return [future.result() for future in futures]


def test_two_shards_at_once_read_each_event_once_and_call_no_more_than_one(
    account: Running, make_client: MakeClient, crm: Database, crm_url: str, calls: Calls
) -> None:
    reports = side_by_side(
        *(
            lambda shard=shard: sync_engagement(make_client(), crm, shard=shard, shards=2)
            for shard in range(2)
        )
    )
    assert all(report.new_events > 0 for report in reports)
    assert stored(crm_url) == happened(account)
    assert calls("/tracking/") == pages(account)


def test_a_shard_that_failed_is_tried_again_and_reads_the_rest(
    account: Running, make_client: MakeClient, crm: Database, crm_url: str, calls: Calls
) -> None:
    client = make_client()
    account.control.add_fault("html_503", match={"path": "tracking"}, after=3, times=999)
    with pytest.raises(ServerFault):
        sync_engagement(client, crm, shard=0, shards=2)
    account.control.clear_faults()
    sync_engagement(client, crm, shard=1, shards=2)
    assert stored(crm_url) != happened(account)
    sync_engagement(client, crm, shard=0, shards=2)
    assert stored(crm_url) == happened(account)


@pytest.fixture
def held_up(account: Running, make_client: MakeClient) -> Iterator[tuple[Client, threading.Event]]:
    """A client that stops in the middle of each of its streams until it may go on."""
    account.control.clear_calls()
    client, go_on = make_client(), threading.Event()
    pages_of = client.pages

    def slowly(path: str, *args: Any, **options: Any) -> Iterator[Any]:
        for page in pages_of(path, *args, **options):
            yield page
            go_on.wait(120)

    client.pages = slowly  # type: ignore[method-assign]
    yield client, go_on
    go_on.set()


def test_a_run_that_finds_streams_taken_waits_and_reads_nothing_twice(
    account: Running,
    make_client: MakeClient,
    held_up: tuple[Client, threading.Event],
    crm: Database,
    crm_url: str,
    calls: Calls,
) -> None:
    slow, go_on = held_up

    def second() -> EngagementReport:
        until(lambda: bool(account.control.calls()))
        return sync_engagement(make_client(), crm)

    def let_go() -> None:
        try:
            until(lambda: someone_waits(crm))
        finally:
            go_on.set()

    one, other, _ = side_by_side(lambda: sync_engagement(slow, crm, concurrency=3), second, let_go)
    assert stored(crm_url) == happened(account)
    assert one.new_events + other.new_events == 4000
    assert other.new_events > 0
    assert calls("/tracking/") == pages(account)


def until(happens: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, "it never happened"


def someone_waits(crm: Database) -> bool:
    with crm.transaction() as connection:
        return bool(
            connection.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND classid = 726351 AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchall()[0][0]
        )


def test_a_reader_that_died_holds_nothing_back(
    account: Running, client: Client, crm: Database, crm_url: str
) -> None:
    with crm.session() as session:
        session.execute("SELECT pg_advisory_lock(726351, stream_id) FROM ctct_engagement_stream")
    sync_engagement(client, crm)
    assert stored(crm_url) == happened(account)
