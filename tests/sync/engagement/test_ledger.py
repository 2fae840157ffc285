"""The ledger: few calls, no event lost, none doubled."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import EVENTS_PER_PAGE
from constant_contact.errors import BudgetSpent, RefreshUncertain, ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import sync_engagement
from simulator.server import Running
from tests.support import Calls, Rows
from tests.sync.engagement.events import event, ledger, truth


def test_the_first_load_costs_one_call_per_page_of_events(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    report = night()
    assert ledger(sql_rows) == truth(account)
    assert report.new_events == 4000
    streams = Counter(
        (e["campaign_activity_id"], e["tracking_activity_type"])
        for e in account.control.truth_events()
    )
    floor = sum(-(-count // EVENTS_PER_PAGE) for count in streams.values())
    assert calls("/tracking/") == floor


def test_a_second_run_calls_no_tracker_and_adds_nothing(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    night()
    before = ledger(sql_rows)
    calls()
    assert night().new_events == 0
    assert calls("/tracking/") == 0
    assert ledger(sql_rows) == before


def test_new_events_cost_one_call_per_page_of_each_stream_that_moved(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    night()
    contacts = [c["contact_id"] for c in account.control.truth_contacts()]
    now, one = datetime.now(UTC), event(account)
    account.control.add_events(
        [
            one
            | {
                "contact_id": contacts[n % len(contacts)],
                "created_time": (now - timedelta(seconds=n)).isoformat(timespec="milliseconds"),
            }
            for n in range(1200)
        ]
    )
    calls()
    assert night().events == {"open": 1200}
    assert calls("/tracking/") == -(-1200 // EVENTS_PER_PAGE)
    assert ledger(sql_rows) == truth(account)


@pytest.mark.parametrize("hours_late", [1, 20, 24 * 20])
def test_an_event_that_comes_late_is_found(
    account: Running, night: Any, sql_rows: Rows, hours_late: int
) -> None:
    night()
    when = datetime.now(UTC) - timedelta(hours=hours_late)
    account.control.add_events(
        [event(account, created_time=when.isoformat(timespec="milliseconds"))]
    )
    assert night().new_events == 1
    assert ledger(sql_rows) == truth(account)


def test_counts_that_lag_lose_no_event(account: Running, night: Any, sql_rows: Rows) -> None:
    account.control.settings(stats_lag_s=7200)
    night()
    account.control.add_events([event(account)])
    night()
    account.control.clock(advance_s=7300)
    night()
    assert ledger(sql_rows) == truth(account)


def test_a_run_that_failed_goes_on_where_it_was(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    account.control.add_fault("html_503", match={"path": "tracking/sends"}, after=5, times=30)
    with pytest.raises(ServerFault):
        night()
    account.control.clear_faults()
    missing = sum(truth(account).values()) - sum(ledger(sql_rows).values())
    assert missing > 0
    calls()
    assert night().new_events == missing
    assert ledger(sql_rows) == truth(account)


def test_out_of_budget_the_progress_is_kept(account: Running, night: Any, sql_rows: Rows) -> None:
    account.control.add_fault("quota_exceeded", match={"path": "tracking"}, after=10, times=99)
    with pytest.raises(BudgetSpent):
        night()
    stored = sum(ledger(sql_rows).values())
    assert stored > 0
    account.control.clear_faults()
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = NULL")
    assert night().new_events == 4000 - stored
    assert ledger(sql_rows) == truth(account)


@pytest.mark.parametrize(
    "kind", ["dead_cursor", "repeated_page", "empty_page", "shifted_page", "reset_after"]
)
def test_odd_pages_lose_and_double_nothing(
    account: Running, night: Any, sql_rows: Rows, kind: str
) -> None:
    account.control.add_fault(kind, match={"path": "tracking"}, after=2, times=3)
    night()
    account.control.clear_faults()
    night()
    assert ledger(sql_rows) == truth(account)


def test_values_that_nobody_knows_are_kept(account: Running, night: Any, sql_rows: Rows) -> None:
    account.control.add_fault("unknown_fields", match={"path": "tracking"}, times=999)
    assert night().new_events == 4000
    known = {"B", "D", "F", "S", "V", "X", "Z", None}
    codes = {r["bounce_code"] for r in sql_rows("SELECT DISTINCT bounce_code FROM ctct_engagement")}
    assert codes - known


def test_a_report_that_is_refused_is_named_and_stops_no_other(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    activity = account.control.truth()["reportable_activities"][0]
    account.control.add_fault(
        "status", match={"path": f"{activity}/tracking/opens"}, times=99,
        params={"status": 404, "body": {"error_key": "reportingsvc.not_found"}},
    )  # fmt: skip
    assert night().refused_streams == 1
    failures = sql_rows("SELECT failure FROM ctct_engagement_stream WHERE failure IS NOT NULL")
    assert "404" in failures[0]["failure"]
    calls()
    assert night().refused_streams == 1
    assert calls("/tracking/") == 0
    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    account.control.clear_faults()
    assert night().refused_streams == 0
    assert ledger(sql_rows) == truth(account)


def test_since_reads_back_that_far_and_a_later_run_the_rest(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    since = datetime.now(UTC) - timedelta(days=10)
    night(since=since)
    stored = ledger(sql_rows)
    recent = Counter({key: n for key, n in truth(account).items() if key[3] >= since})
    assert recent <= stored
    assert stored != truth(account)
    account.control.add_events([event(account)])
    night()
    assert ledger(sql_rows) == truth(account)


def test_a_shortfall_is_read_for_and_then_shown(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    night()
    sql_rows("UPDATE ctct_engagement_stream SET read_count = 0 WHERE activity_type = 'open'")
    sql_rows(
        "WITH gone AS (DELETE FROM ctct_engagement USING ctct_engagement_stream s"
        " WHERE ctct_engagement.stream_id = s.stream_id AND s.activity_type = 'open'"
        " AND occurred_at < now() - interval '40 days' RETURNING s.stream_id)"
        " UPDATE ctct_engagement_stream s SET stored_count = stored_count - g.n"
        " FROM (SELECT stream_id, count(*) AS n FROM gone GROUP BY 1) g"
        " WHERE s.stream_id = g.stream_id"
    )
    night()
    assert ledger(sql_rows) == truth(account)


def add_opens(simulator: Running, count: int, days_ago: float) -> None:
    """As many more opens of the one campaign, within hours."""
    people = [each["contact_id"] for each in simulator.control.truth_contacts()]
    one, at = event(simulator), datetime.now(UTC) - timedelta(days=days_ago)
    times = [(at - timedelta(seconds=n)).isoformat(timespec="milliseconds") for n in range(count)]
    simulator.control.add_events(
        [
            one | {"contact_id": people[n % len(people)], "created_time": time}
            for n, time in enumerate(times)
        ]
    )


@pytest.fixture
def ahead(simulator: Running, night: Any, sql_rows: Rows, calls: Calls) -> Callable[[int], int]:
    """Plays a night, a day later, in which the statistics are so many opens ahead of the report.

    It has eleven pages and is read; each night brings a few. Returns how many pages were read.
    """
    simulator.control.generate(
        seed=3, contacts=200, lists=1, campaigns=1, events=300, recent_campaigns=1
    )
    add_opens(simulator, 5000, days_ago=5)
    night()

    def a_day_later(opens: int, new: int = 20) -> int:
        add_opens(simulator, new, days_ago=0)
        simulator.control.settings(surplus_opens=opens)
        sql_rows(
            "UPDATE ctct_engagement_stream SET reread_at = reread_at - interval '1 day',"
            " reread_since = reread_since - interval '1 day'"
        )
        calls()
        night()
        return calls("/tracking/opens")

    return a_day_later


def test_statistics_ahead_by_another_number_each_night_cost_ever_fewer_whole_readings(
    ahead: Callable[[int], int],
) -> None:
    spent = [ahead(opens) for opens in (4, 7, 3, 6, 5, 8, 2, 9, 4)]
    # What is new is on the first page, the overlap of a day on it or on the next.
    assert [calls > 3 for calls in spent] == [
        True, True, True, False, True, False, False, False, True,
    ]  # fmt: skip


def test_an_event_that_was_missed_while_none_is_read_whole_is_found_when_one_is(
    simulator: Running, ahead: Callable[[int], int], sql_rows: Rows
) -> None:
    for opens in (4, 7, 3):
        ahead(opens)
    add_opens(simulator, 1, days_ago=20)
    ahead(3)
    assert truth(simulator) - ledger(sql_rows)
    # The counts move no more.
    assert ahead(3, new=0) > 3
    assert ledger(sql_rows) == truth(simulator)


def test_what_a_whole_reading_brought_has_the_next_shortfall_read_for_at_once(
    simulator: Running, ahead: Callable[[int], int], sql_rows: Rows
) -> None:
    for opens in (4, 7, 3):
        ahead(opens)
    ahead(3)
    for _ in range(2):
        add_opens(simulator, 1, days_ago=20)
        ahead(0)
    assert ledger(sql_rows) == truth(simulator)


def test_an_event_of_the_future_is_kept(account: Running, night: Any, sql_rows: Rows) -> None:
    account.control.add_events([event(account, created_time="2031-01-01T00:00:00.000Z")])
    night()
    account.control.add_events([event(account)])
    night()
    assert ledger(sql_rows) == truth(account)


def test_a_report_without_a_count_is_read_again_while_its_campaign_can_move(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "status",
        match={"path": "/stats/"},
        times=999,
        params={"status": 200, "body": {"results": []}},
    )
    night()
    account.control.add_events([event(account)])
    assert night().new_events == 1
    assert ledger(sql_rows) == truth(account)


def test_a_report_whose_links_lead_in_a_circle_stops_no_other(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    activity = account.control.truth()["reportable_activities"][0]
    account.control.add_fault(
        "repeated_page", match={"path": f"{activity}/tracking/sends"}, times=999
    )
    assert night().refused_streams == 1
    missing = truth(account) - ledger(sql_rows)
    assert {(key[0], key[1]) for key in missing} <= {(activity, "send")}


def test_two_runs_at_once_store_and_count_each_event_once(
    account: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows
) -> None:
    client = make_client()
    sync_campaigns(client, crm)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: sync_engagement(client, crm, concurrency=3), range(2)))
    assert ledger(sql_rows) == truth(account)
    wrong = sql_rows(
        "SELECT s.stream_id, s.stored_count, count(e.*) AS n FROM ctct_engagement_stream s"
        " LEFT JOIN ctct_engagement e USING (stream_id)"
        " GROUP BY 1, 2 HAVING s.stored_count <> count(e.*)"
    )
    assert wrong == []


@pytest.mark.parametrize("kind", ["html_503", "reset_after", "malformed_json"])
def test_a_refresh_that_fails_is_sent_once_for_all_streams(
    account: Running, client: Client, crm: Database, kind: str
) -> None:
    sync_campaigns(client, crm)
    account.control.expire_access_tokens()
    account.control.clear_calls()
    account.control.add_fault(kind, match={"path": "/token"}, times=99)
    with pytest.raises(RefreshUncertain):
        sync_engagement(client, crm)
    asked = [call for call in account.control.calls() if call["path"].endswith("/token")]
    assert len(asked) == 1
