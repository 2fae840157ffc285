"""Identical events, and rows that are pushed from page to page: none lost, none doubled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client, Page
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import sync_engagement
from simulator.server import Running
from tests.support import Rows
from tests.sync.engagement.events import event, ledger, truth


@pytest.fixture
def straddling(account: Running) -> None:
    """Two identical opens, the last of a page and the first of the next."""
    one = event(account)
    contacts = [c["contact_id"] for c in account.control.truth_contacts()]
    now = datetime.now(UTC)
    later = [
        one
        | {
            "contact_id": contacts[n],
            "created_time": (now + timedelta(seconds=n + 1)).isoformat(timespec="milliseconds"),
        }
        for n in range(499)
    ]
    account.control.add_events([one, one, *later])


@pytest.mark.usefixtures("straddling")
def test_identical_events_across_the_edge_of_a_page_are_two(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    night()
    assert ledger(sql_rows) == truth(account)


@pytest.mark.usefixtures("straddling")
def test_identical_events_across_the_edge_of_a_page_are_two_without_a_count_as_well(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "nulls", match={"path": "/stats/"}, params={"fields": ["em_opens_all"]}, times=99
    )
    night()
    night()
    assert ledger(sql_rows) == truth(account)


@pytest.mark.usefixtures("straddling")
def test_pushed_rows_are_no_events_of_their_own(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "shifted_page",
        match={"path": "tracking/opens", "query": "cursor"},
        params={"by": -1},
        times=9,
    )
    night()
    account.control.clear_faults()
    night(reread=True)
    assert ledger(sql_rows) == truth(account)


@pytest.mark.usefixtures("straddling")
def test_a_page_that_is_pushed_while_it_is_read_doubles_nothing(
    account: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows
) -> None:
    client = make_client()
    sync_campaigns(client, crm)
    pages = client.pages
    pushed = []

    def push_between(path: str, *args: Any, **options: Any) -> Any:
        for page in pages(path, *args, **options):
            yield page
            if path.endswith("/opens") and page.next_href and not pushed:
                pushed.append(path)
                activity = path.split("/")[3]
                account.control.add_events([event(account, campaign_activity_id=activity)])

    client.pages = push_between  # type: ignore[method-assign]
    sync_engagement(client, crm)
    assert pushed
    client.pages = pages  # type: ignore[method-assign]
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    assert ledger(sql_rows) == truth(account)


@pytest.mark.usefixtures("straddling")
def test_a_pushed_row_is_not_taken_for_an_event_that_the_vendor_counts_too_many(
    account: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows
) -> None:
    client = make_client()
    sync_campaigns(client, crm)
    sql_rows("UPDATE ctct_engagement_stream SET reported_count = reported_count + 3")
    pages = client.pages
    pushed = []

    def push_between(path: str, *args: Any, **options: Any) -> Any:
        for page in pages(path, *args, **options):
            yield page
            if path.endswith("/sends") and page.next_href and len(pushed) < 2:
                pushed.append(path)
                activity = path.split("/")[3]
                account.control.add_events([event(account, "sends", campaign_activity_id=activity)])

    client.pages = push_between  # type: ignore[method-assign]
    sync_engagement(client, crm)
    assert pushed
    assert not ledger(sql_rows) - truth(account)


def test_a_row_that_a_shifted_page_skipped_is_found(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "shifted_page", match={"path": "tracking/sends", "query": "cursor"}, params={"by": 1}
    )
    night()
    assert ledger(sql_rows) == truth(account)


def test_identical_events_are_all_kept_and_read_again_as_the_same(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    night()
    twin = event(account)
    account.control.add_events([twin, twin, twin])
    assert night().new_events == 3
    account.control.add_events([event(account, created_time="2026-01-01T00:00:00.000Z")])
    night()
    night(reread=True)
    assert ledger(sql_rows) == truth(account)


@pytest.mark.usefixtures("straddling")
def test_an_empty_page_between_identical_events_makes_them_no_one(
    account: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows
) -> None:
    client = make_client()
    pages = client.pages

    def empty_between(path: str, *args: Any, **options: Any) -> Any:
        for page in pages(path, *args, **options):
            yield page
            if path.endswith("/opens") and page.next_href:
                yield Page(f"{page.href}&nothing", {}, page.next_href)

    client.pages = empty_between  # type: ignore[method-assign]
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    assert ledger(sql_rows) == truth(account)
