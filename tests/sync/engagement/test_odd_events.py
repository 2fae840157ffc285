"""Bad input: counted, named, and never a stop for the others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement
from simulator.server import Running
from tests.support import Calls, Rows
from tests.sync.engagement.ledgers import happened, stored
from tests.sync.engagement.one_campaign import ACTIVITY, CAMPAIGN, load, of_ann

EVENTS = [
    of_ann("sends"),
    of_ann("opens", "2026-05-01T12:00:00.000Z"),
    of_ann("opens", "2026-05-02T12:00:00.000Z"),
    of_ann("clicks", "2026-05-02T12:00:01.000Z"),
]


@pytest.fixture
def account(simulator: Running) -> Running:
    load(simulator, *EVENTS)
    return simulator


@pytest.fixture
def night(client: Client, crm: Database) -> Callable[..., EngagementReport]:
    def run(**options: Any) -> EngagementReport:
        sync_campaigns(client, crm, active_days=10_000)
        return sync_engagement(client, crm, **options)

    return run


def opens_answer(account: Running, *rows: dict[str, Any]) -> None:
    """The opens' report has these rows from now on."""
    common = {
        "campaign_activity_id": ACTIVITY,
        "contact_id": "00000000-0000-4000-8000-000000000001",
        "tracking_activity_type": "em_opens",
        "created_time": "2026-05-01T12:00:00.000Z",
    }
    body = {"tracking_activities": [common | row for row in rows], "_links": {}}
    account.control.add_fault(
        "status", match={"path": "tracking/opens"}, params={"status": 200, "body": body}, times=99
    )


def opened_at(sql_rows: Rows) -> list[str]:
    rows = sql_rows(
        "SELECT occurred_at FROM ctct_engagement JOIN ctct_engagement_stream USING (stream_id)"
        " WHERE activity_type = 'open' ORDER BY 1"
    )
    return [row["occurred_at"].astimezone(UTC).isoformat() for row in rows]


def test_a_row_without_a_contact_is_counted_and_named(
    account: Running, night: Any, sql_rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    opens_answer(account, {"contact_id": None}, {}, {"created_time": "yesterday"})
    report = night()
    # Asked for once more, since the vendor counts two and one could be stored.
    assert report.malformed == 4
    assert (report.short_streams, report.shortfall) == (1, 1)
    assert f"{ACTIVITY}/tracking/opens: 4 rows have no contact or no time" in caplog.text
    assert opened_at(sql_rows) == ["2026-05-01T12:00:00+00:00"]
    assert report.events == {"click": 1, "open": 1, "send": 1}


def test_a_row_of_an_unknown_type_is_counted_named_and_kept(
    account: Running, night: Any, caplog: pytest.LogCaptureFixture
) -> None:
    opens_answer(
        account,
        {"tracking_activity_type": "em_glances", "created_time": "2026-05-02T12:00:00Z"},
        {"tracking_activity_type": ["odd"]},
    )
    report = night()
    assert report.unknown_types == {"['odd']": 1, "em_glances": 1}
    assert report.new_events == 4
    assert "1 rows say they are em_glances, not em_opens" in caplog.text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-05-01T12:00:00+05:30", "2026-05-01T06:30:00+00:00"),
        ("2026-05-01T12:00:00-0330", "2026-05-01T15:30:00+00:00"),
        ("2026-05-01T12:00:00+14:00", "2026-04-30T22:00:00+00:00"),
        ("2026-05-01T12:00:00", "2026-05-01T12:00:00+00:00"),
        ("2026-05-01", "2026-05-01T00:00:00+00:00"),
    ],
)
def test_a_time_with_an_odd_offset_is_the_moment_that_it_means(
    account: Running, night: Any, sql_rows: Rows, said: str, meant: str
) -> None:
    opens_answer(account, {"created_time": said})
    night()
    assert opened_at(sql_rows) == [meant]


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_no_clock_could_show_is_none(account: Running, night: Any, said: str) -> None:
    opens_answer(account, {"created_time": said}, {})
    report = night()
    assert report.malformed > 0
    assert report.events == {"click": 1, "open": 1, "send": 1}
    assert night().new_events == 0


def test_an_event_of_the_future_is_counted_named_and_kept(
    account: Running, night: Any, crm_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    soon = datetime.now(UTC) + timedelta(days=400)
    account.control.add_events([of_ann("opens", soon.isoformat(timespec="milliseconds"))])
    report = night()
    assert (report.future_dated, report.new_events) == (1, 5)
    assert f"{ACTIVITY}/tracking/opens: 1 rows are dated in the future" in caplog.text
    # It does not hide what comes after it.
    account.control.add_events([of_ann("opens", "2026-05-03T12:00:00.000Z")])
    assert night().new_events == 1
    assert stored(crm_url) == happened(account)


def test_an_activity_without_stats_is_read_all_the_same(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    error = {"error_key": "x", "error_message": f"Could not find any stats for {ACTIVITY}."}
    account.control.add_fault(
        "status",
        match={"path": "/stats/"},
        params={"status": 200, "body": {"results": [], "errors": [error]}},
        times=99,
    )
    assert sync_campaigns(client, crm).stats_refused == 1
    assert f"the stats report has no counts of activities {ACTIVITY}" in caplog.text
    assert sync_engagement(client, crm).new_events == 4


def test_stats_that_are_refused_name_the_activity_and_stop_no_other(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    account.control.send_campaign(name="June News", contact_ids=[EVENTS[0]["contact_id"]])
    account.control.add_fault(
        "status",
        match={"path": f"/stats/.*{ACTIVITY}"},
        params={"status": 404, "body": {"error_key": "reportingsvc.not_found"}},
        times=99,
    )
    report = sync_campaigns(client, crm)
    assert (report.stats_asked, report.stats_refused) == (2, 1)
    said = [record.message for record in caplog.records if record.name.endswith(".campaigns")]
    assert [f"no counts of activity {ACTIVITY}" in line for line in said] == [True]
    assert sync_engagement(client, crm).new_events == 5


def test_an_activity_that_is_not_found_is_named_in_every_run(
    account: Running, night: Any, caplog: pytest.LogCaptureFixture
) -> None:
    account.control.add_fault(
        "status",
        match={"path": "tracking/clicks"},
        params={"status": 404, "body": {"error_key": "reportingsvc.not_found"}},
        times=99,
    )
    assert night().events == {"open": 2, "send": 1}
    caplog.clear()
    report = night()
    assert report.refused_streams == 1
    assert f"click of activity {ACTIVITY}" in caplog.text
    assert "404" in caplog.text


def test_a_campaign_that_is_not_found_is_named_and_stops_no_other(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    account.control.send_campaign(name="June News", contact_ids=[EVENTS[0]["contact_id"]])
    account.control.add_fault(
        "status", match={"path": f"/emails/{CAMPAIGN}"}, params={"status": 404}, times=9
    )
    report = sync_campaigns(client, crm)
    assert (report.activities_asked, report.refused) == (2, 1)
    assert f"campaign {CAMPAIGN} is reported but refused" in caplog.text
    assert sync_engagement(client, crm).new_events == 1


def test_a_shortfall_that_stays_is_read_for_once_and_shown_in_every_run(
    account: Running, night: Any, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    opens_answer(account, {})
    calls()
    assert (report := night()).shortfall == 1
    assert calls("tracking/opens") == 2
    caplog.clear()
    report = night()
    assert (report.short_streams, report.shortfall) == (1, 1)
    assert "short streams 1, shortfall 1" in str(report)
    assert f"open of activity {ACTIVITY}: 1 more are counted than listed" in caplog.text
    assert calls("tracking/opens") == 0
