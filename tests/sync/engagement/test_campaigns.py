"""The first half of the activities job: which campaigns moved, and their counts."""

from contextlib import suppress
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import TRACKERS
from constant_contact.errors import ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from simulator.server import Running
from tests.support import Calls, Rows


@pytest.fixture
def account(simulator: Running) -> Running:
    """25 campaigns that were sent long ago, and two that no report has."""
    simulator.control.generate(
        seed=2, contacts=200, lists=1, campaigns=25, events=2000, recent_campaigns=0,
        start="2024-01-01T00:00:00Z", end="2025-01-01T00:00:00Z",
    )  # fmt: skip
    return simulator


def test_the_first_run_asks_each_campaign_once_and_counts_by_ten(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    report = sync_campaigns(client, crm)
    sent = report.sent
    assert sent == 25
    assert report.activities_asked == sent
    # Summaries, campaigns, one for each campaign, one for each ten activities.
    assert calls() == 2 + sent + -(-report.stats_asked // 10)


def test_a_night_when_nothing_moved_costs_two_calls(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    sync_campaigns(client, crm)
    calls()
    sync_campaigns(client, crm)
    assert calls() == 2


def test_only_campaigns_that_moved_are_counted_again(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    sync_campaigns(client, crm)
    activity = account.control.truth()["reportable_activities"][0]
    someone = next(iter(account.control.truth_contacts()))["contact_id"]
    account.control.add_events(
        [{"type": "forwards", "contact_id": someone, "campaign_activity_id": activity}]
    )
    calls()
    assert sync_campaigns(client, crm).stats_asked == 1
    assert calls() == 3


def test_a_campaign_is_counted_every_night_while_it_can_move(
    account: Running, client: Client, crm: Database
) -> None:
    ids = [c["contact_id"] for c in account.control.truth_contacts()][:5]
    account.control.send_campaign(name="Fresh", contact_ids=ids)
    sync_campaigns(client, crm)
    assert sync_campaigns(client, crm).stats_asked == 1
    assert sync_campaigns(client, crm, active_days=0).stats_asked == 0


def test_a_resend_is_noticed_as_an_activity_of_its_own(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    ids = [c["contact_id"] for c in account.control.truth_contacts()][:5]
    sent = account.control.send_campaign(name="Twice", contact_ids=ids)
    sync_campaigns(client, crm)
    account.control.clock(advance_s=3600)
    account.control.send_campaign(
        campaign_id=sent["campaign_id"], contact_ids=ids[:2], role="resend"
    )
    report = sync_campaigns(client, crm)
    assert report.activities_asked == 1
    roles = sql_rows(
        "SELECT role FROM ctct_campaign_activity WHERE campaign_id = %s ORDER BY role",
        sent["campaign_id"],
    )
    assert [row["role"] for row in roles if row["role"] != "permalink"] == [
        "primary_email",
        "resend",
    ]


def test_what_the_api_cannot_report_is_counted(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    report = sync_campaigns(client, crm)
    assert report.ab_tests >= 1
    assert "A/B tests" in caplog.text


def test_an_old_campaign_is_counted_ever_more_rarely_but_never_never(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    sync_campaigns(client, crm)
    age = "(now() - last_sent_at) / 10"
    aged = (
        "UPDATE ctct_campaign_activity a SET stats_refreshed_at = now() - {}, mirrored_at = now()"
        " FROM ctct_campaign c WHERE c.campaign_id = a.campaign_id AND role = 'primary_email'"
    )
    moved = "UPDATE ctct_campaign SET moved_at = moved_at - interval '30 years'"
    sql_rows(moved)
    sql_rows(aged.format(f"{age} * 0.9"))
    assert sync_campaigns(client, crm).stats_asked == 0
    sql_rows(aged.format(f"{age} * 1.1"))
    calls()
    assert sync_campaigns(client, crm).stats_asked == 10
    assert calls() == 3
    assert sync_campaigns(client, crm).stats_asked == 10
    assert sync_campaigns(client, crm).stats_asked == 5


def test_a_renamed_campaign_has_its_new_name(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    sync_campaigns(client, crm)
    (one, *others) = sql_rows("SELECT campaign_id, name FROM ctct_campaign ORDER BY campaign_id")
    account.control.rename_campaign(one["campaign_id"], "Another name")
    # A resend changes it as well.
    assert [sync_campaigns(client, crm).activities_asked for _ in range(2)] == [1, 0]
    assert sql_rows("SELECT campaign_id, name FROM ctct_campaign ORDER BY campaign_id") == [
        one | {"name": "Another name"},
        *others,
    ]


def test_one_refused_id_does_not_cost_the_other_nine_their_counts(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "status", match={"path": "/stats/.*,"}, params={"status": 404, "body": {"error_key": "x"}},
        times=99,
    )  # fmt: skip
    report = sync_campaigns(client, crm)
    assert report.stats_asked == 25
    assert report.stats_refused == 0
    assert sql_rows(
        "SELECT count(*) AS n FROM ctct_engagement_stream WHERE reported_count IS NULL"
    ) == [{"n": 0}]


def test_a_campaign_that_is_gone_stops_no_other(
    account: Running, client: Client, crm: Database
) -> None:
    account.control.add_fault(
        "status", match={"path": "/emails/.+"}, params={"status": 404}, times=1
    )
    report = sync_campaigns(client, crm)
    assert (report.activities_asked, report.refused, report.stats_asked) == (25, 1, 24)
    again = sync_campaigns(client, crm)
    assert (again.activities_asked, again.refused, again.stats_asked) == (1, 0, 1)


def test_campaigns_that_were_removed_cost_ever_fewer_calls_and_are_counted_each_night(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    """The summary report still has them, and GET /emails/… is 404."""
    account.control.add_fault(
        "status", match={"path": "/emails/.+"}, params={"status": 404}, times=9999
    )
    assert sync_campaigns(client, crm).refused == 25
    calls()

    def a_day_later() -> int:
        day = "- interval '1 day'"
        sql_rows(
            f"UPDATE ctct_campaign SET refused_at = refused_at {day},"
            f" refused_since = refused_since {day}"
        )
        assert sync_campaigns(client, crm).refused == 25
        return calls("/emails/")

    assert [a_day_later() for _ in range(8)] == [25, 25, 0, 25, 0, 0, 0, 25]
    account.control.clear_faults()
    for _ in range(8):
        sql_rows("UPDATE ctct_campaign SET refused_at = refused_at - interval '1 day'")
    assert sync_campaigns(client, crm).refused == 0
    assert sql_rows(
        "SELECT count(*) AS n FROM ctct_campaign WHERE refused_since > '-infinity'"
    ) == [{"n": 0}]


def test_a_removed_campaign_that_changes_is_asked_for_the_next_night(
    account: Running, client: Client, crm: Database
) -> None:
    summaries = client.get("/reports/summary_reports/email_campaign_summaries")
    first = summaries["bulk_email_campaign_summaries"][0]["campaign_id"]
    account.control.add_fault(
        "status", match={"path": f"/emails/{first}"}, params={"status": 404}, times=2
    )
    assert sync_campaigns(client, crm).refused == 1
    # It may have been for a moment.
    assert sync_campaigns(client, crm).activities_asked == 1
    assert sync_campaigns(client, crm).activities_asked == 0
    account.control.clock(advance_s=3600)
    account.control.rename_campaign(first, "Once more")
    report = sync_campaigns(client, crm)
    assert (report.activities_asked, report.refused) == (1, 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, [{"error_key": "e", "error_message": "Oops"}]), (404, ""), (504, "<html></html>")],
)
def test_a_campaign_that_the_vendor_fails_at_stops_no_other(
    account: Running, client: Client, crm: Database, sql_rows: Rows, status: int, body: Any
) -> None:
    summaries = client.get("/reports/summary_reports/email_campaign_summaries")
    first = summaries["bulk_email_campaign_summaries"][0]["campaign_id"]
    odd = {"status": status, "body": body}
    account.control.add_fault("status", match={"path": f"/emails/{first}"}, times=99, params=odd)
    report = sync_campaigns(client, crm)
    assert (report.activities_asked, report.set_aside) == (25, 1)
    missing = sql_rows(
        "SELECT campaign_id FROM ctct_campaign WHERE activities_read_at IS NULL"
        " AND moved_at IS NOT NULL"
    )
    assert missing == [{"campaign_id": first}]
    account.control.clear_faults()
    report = sync_campaigns(client, crm)
    assert (report.activities_asked, report.set_aside) == (1, 0)


def test_an_activity_whose_counts_the_vendor_fails_at_keeps_the_others_counts(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    odd = account.control.truth()["reportable_activities"][0]
    account.control.add_fault("status", match={"path": f"stats.*{odd}"}, times=99)
    report = sync_campaigns(client, crm)
    assert report.set_aside == 1
    uncounted = "SELECT DISTINCT campaign_activity_id AS id FROM ctct_engagement_stream"
    uncounted += " WHERE reported_count IS NULL"
    assert sql_rows(uncounted) == [{"id": odd}]
    account.control.clear_faults()
    assert sync_campaigns(client, crm).set_aside == 0
    assert sql_rows(uncounted) == []


def test_where_the_vendor_fails_at_many_campaigns_the_run_ends_and_the_next_begins_with_others(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    summaries = client.get("/reports/summary_reports/email_campaign_summaries")
    sent = summaries["bulk_email_campaign_summaries"]
    newest = sorted(sent, key=lambda each: str(each["last_sent_date"]), reverse=True)[:10]
    bad = [each["campaign_id"] for each in newest]
    failing = {"match": {"path": f"/emails/({'|'.join(bad)})"}, "times": 999}
    account.control.add_fault("status", **failing)
    # Those that are asked for meanwhile are answered later than these fail.
    account.control.add_fault(
        "slow_drip",
        match={"path": "/emails/.+"},
        times=999,
        params={"chunk_bytes": 200, "delay_s": 0.5},
    )
    with pytest.raises(ServerFault, match=r"one campaign; [0-9]+ more were not asked for"):
        sync_campaigns(client, crm)
    account.control.clear_faults()
    account.control.add_fault("status", **failing)
    unread = (
        "SELECT campaign_id FROM ctct_campaign"
        " WHERE activities_read_at IS NULL AND moved_at IS NOT NULL"
    )
    tries = 1
    while sql_rows("SELECT count(*) AS n FROM ctct_set_aside")[0]["n"] < len(bad):
        tries += 1
        with suppress(ServerFault):
            sync_campaigns(client, crm)
        # All others are read by the second.
        assert {row["campaign_id"] for row in sql_rows(unread)} == {*bad}
    assert tries <= 4
    assert sync_campaigns(client, crm).set_aside == len(bad)


def test_activities_that_come_later_than_the_summary_are_asked_for_again(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    people = [c["contact_id"] for c in account.control.truth_contacts()][:5]
    sync_campaigns(client, crm)
    sent = account.control.send_campaign(name="Now", contact_ids=people)
    path = f"/emails/{sent['campaign_id']}"
    late = {"fields": ["campaign_activities"]}
    account.control.add_fault("nulls", match={"path": path}, times=2, params=late)
    for night in (1, 2, 3):
        assert sync_campaigns(client, crm).activities_asked == 1, night
    assert sync_campaigns(client, crm).activities_asked == 0


def test_a_campaign_whose_last_sending_has_no_date_is_read_all_the_same(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "nulls", match={"path": "summaries"}, params={"fields": ["last_sent_date"]}, times=99
    )
    report = sync_campaigns(client, crm)
    assert report.activities_asked == report.sent == 25
    assert len(sql_rows("SELECT stream_id FROM ctct_engagement_stream")) == 25 * len(TRACKERS)
    # It may still move, and nothing says otherwise.
    again = sync_campaigns(client, crm)
    assert (again.activities_asked, again.stats_asked) == (0, report.stats_asked)


def test_an_activity_that_says_no_role_is_taken_for_a_reported_one(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "nulls", match={"path": "/emails/"}, params={"fields": ["role"]}, times=99
    )
    sync_campaigns(client, crm)
    primary = account.control.truth()["reportable_activities"]
    counted = sql_rows(
        "SELECT DISTINCT campaign_activity_id AS id FROM ctct_engagement_stream"
        " WHERE reported_count IS NOT NULL"
    )
    assert {row["id"] for row in counted} >= set(primary)


def test_what_a_later_reply_leaves_out_of_a_campaign_stays(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    kept = ["name", "type", "type_code", "current_status", "created_at", "updated_at"]
    account.control.add_fault(
        "nulls", match={"path": "/emails/"}, params={"fields": kept}, times=99
    )
    sync_campaigns(client, crm)
    columns = ", ".join(kept)
    rows = sql_rows(f"SELECT {columns} FROM ctct_campaign WHERE activities_read_at IS NOT NULL")
    assert len(rows) == 25
    assert all(None not in row.values() for row in rows)
