"""Nothing is missing in silence: the ledger is held against the vendor's own summary."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import TRACKERS
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Calls, Rows
from tests.sync.engagement.events import event, ledger, truth
from tests.sync.upkeep.comparison import LONG_AGO, Night, compared

NO_REPORT = {"status": 404, "body": {"error_key": "not_found", "error_message": "no report"}}


def findings(sql_rows: Rows) -> list[dict[str, Any]]:
    return sql_rows("SELECT * FROM ctct_finding ORDER BY noun, subject_id, kind")


@pytest.mark.parametrize("counts", ["activities", "contacts", "events"])
def test_a_ledger_that_has_all_has_no_finding_however_the_summary_counts(
    account: Running, night: Night, sql_rows: Rows, counts: str
) -> None:
    account.control.settings(summary_counts=counts)
    report = night()
    assert ledger(sql_rows) == truth(account)
    assert report.compared == 6 * len(TRACKERS)
    assert (report.findings, report.in_flight, report.partly_read) == (0, 0, 0)
    account.control.add_events([event(account)])
    assert night().findings == 0
    assert findings(sql_rows) == []


def test_the_comparison_calls_nothing_and_counts_only_what_changed(
    account: Running, night: Night, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    night()
    calls()
    before = sql_rows("SELECT xmin::text, * FROM ctct_campaign_count ORDER BY 1, 2")
    compared(crm)
    assert calls() == 0
    assert sql_rows("SELECT xmin::text, * FROM ctct_campaign_count ORDER BY 1, 2") == before


@pytest.mark.parametrize("counts", ["activities", "contacts"])
def test_what_the_ledger_lacks_is_found_named_and_settled_when_it_is_read(
    account: Running, night: Night, sql_rows: Rows, lose: Callable[..., str],
    caplog: pytest.LogCaptureFixture, counts: str,
) -> None:  # fmt: skip
    account.control.settings(summary_counts=counts)
    night()
    campaign = lose()
    report = night()
    (found,) = findings(sql_rows)
    assert (found["noun"], found["subject_id"], found["kind"]) == ("campaign", campaign, "send")
    assert found["reason"] is None
    lacking = found["vendor_count"] - found["our_count"]
    assert lacking > 0
    assert (report.findings, report.difference, report.reasons) == (1, lacking, {"unknown": 1})
    assert (
        f"campaign {campaign}, sends: Constant Contact counts {found['vendor_count']:,}, the "
        f"ledger has {found['our_count']:,}: why is not known; trigger activities with reread"
    ) in caplog.text
    assert night().findings == 1
    (still,) = findings(sql_rows)
    assert (still["found_at"], still["checked_at"] > found["checked_at"]) == (
        found["found_at"],
        True,
    )
    report = night(reread=True)
    assert ledger(sql_rows) == truth(account)
    assert (report.findings, report.settled, findings(sql_rows)) == (0, 1, [])


def test_a_role_without_a_report_that_the_summary_counts_is_found_at_once_with_the_answer(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    account.control.settings(role_names={"resend": "follow_up"})
    resent = sql_rows_of_resends(account)
    for activity in resent:
        account.control.add_fault(
            "status", match={"path": f"{activity}/tracking"}, params=NO_REPORT, times=99
        )
    report = night()
    assert set(report.reasons) == {"refused"}
    found = findings(sql_rows)
    assert {row["subject_id"] for row in found} == set(campaigns(sql_rows))
    assert all("answered 404 not_found" in row["detail"] for row in found)
    account.control.clear_faults()
    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    assert night().findings == 0
    assert ledger(sql_rows) == truth(account)


def sql_rows_of_resends(account: Running) -> list[str]:
    activities = account.world.campaigns.activities.values()
    return [each.activity_id for each in activities if each.role == "resend"]


def campaigns(sql_rows: Rows) -> list[str]:
    rows = sql_rows("SELECT campaign_id FROM ctct_campaign WHERE moved_at IS NOT NULL")
    return [row["campaign_id"] for row in rows]


def test_what_the_vendor_lists_fewer_of_than_it_counts_is_found_with_the_shortfall(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    activity = account.control.truth()["reportable_activities"][0]
    nothing = {"status": 200, "body": {"tracking_activities": [], "_links": {}}}
    account.control.add_fault(
        "status", match={"path": f"{activity}/tracking/sends"}, params=nothing, times=99
    )
    assert night().reasons == {"shortfall": 1}
    (found,) = findings(sql_rows)
    assert found["detail"] == str(found["vendor_count"] - found["our_count"])
    sql_rows(
        "INSERT INTO ctct_contact (contact_id, deleted_at, mirrored_at)"
        " SELECT n, now(), now() FROM generate_series(1, %s) AS n",
        int(found["detail"]),
    )
    assert night().reasons == {"purged": 1}


def test_rows_without_a_contact_are_the_reason_for_what_is_missing(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    activity = account.control.truth()["reportable_activities"][0]
    account.control.add_fault(
        "nulls", match={"path": f"{activity}/tracking/sends"}, times=99,
        params={"fields": ["contact_id"]},
    )  # fmt: skip
    report = night()
    (found,) = findings(sql_rows)
    assert report.reasons == {"malformed": 1}
    assert found["detail"] == str(found["vendor_count"] - found["our_count"])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("type_code", "57", "ab_test"),
        ("type", "'Automated'", "automated"),
        ("current_status", "'Removed'", "removed"),
    ],
)
def test_a_campaign_of_a_kind_that_is_not_reported_says_so(
    account: Running, night: Night, crm: Database, sql_rows: Rows, lose: Callable[..., str],
    column: str, value: str, reason: str,
) -> None:  # fmt: skip
    night()
    campaign = lose()
    sql_rows(f"UPDATE ctct_campaign SET {column} = {value} WHERE campaign_id = %s", campaign)
    assert compared(crm).reasons == {reason: 1}


def test_a_campaign_that_is_deleted_and_left_out_of_the_summary_is_no_finding(
    account: Running, night: Night, crm: Database, sql_rows: Rows, lose: Callable[..., str]
) -> None:
    night()
    campaign = lose()
    assert night().findings == 1
    account.world.campaigns.campaigns[campaign].status = "Removed"
    sql_rows("UPDATE ctct_campaign SET current_status = 'Removed' WHERE campaign_id = %s", campaign)
    assert night().findings == 0


def test_a_history_that_is_read_back_to_a_time_only_is_no_finding(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    account.control.generate(seed=6, contacts=900, lists=1, campaigns=2, events=6000)
    report = night(since=datetime.now(UTC) - timedelta(days=1))
    assert ledger(sql_rows) != truth(account)
    assert report.findings == 0
    assert report.partly_read > 0
    report = night()
    assert (report.findings, report.partly_read) == (0, 0)


def test_a_report_that_the_statistics_count_nothing_in_is_read_where_the_summary_counts(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    (activity, *_) = account.control.truth()["reportable_activities"]
    none = {f"em_{kind}": 0 for kind in ("sends", "opens_all", "forwards", "optouts", "bounces")}
    result = {"campaign_activity_id": activity, "stats": none | {"em_clicks_all": 0}}
    account.control.add_fault(
        "status", match={"path": "/stats/.*,"}, params={"status": 404, "body": {"error_key": "x"}},
        times=99,
    )  # fmt: skip
    account.control.add_fault(
        "status", match={"path": f"/stats/.*{activity}"}, times=99,
        params={"status": 200, "body": {"results": [result]}},
    )  # fmt: skip
    assert night().findings == 0
    assert ledger(sql_rows) == truth(account)


@pytest.mark.parametrize("kind", ["forwards", "optouts", "bounces"])
def test_a_few_that_the_vendor_counts_each_time_are_no_finding(
    account: Running, night: Night, client: Client, kind: str
) -> None:
    account.control.generate(
        seed=6, contacts=50, lists=1, campaigns=1, events=0, recent_campaigns=0, end=LONG_AGO
    )
    twice = [event(account, kind, created_time=f"2026-05-0{day}T10:00:00Z") for day in (1, 2)]
    account.control.add_events(twice)
    account.control.settings(summary_counts="events")
    assert night().findings == 0


def test_one_campaign_is_no_proof_of_how_the_vendor_counts(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    """Two contacts opened twice: of one that is missing, the other's two opens tell nothing."""
    account.control.generate(
        seed=6, contacts=50, lists=1, campaigns=1, events=0, recent_campaigns=0, end=LONG_AGO
    )
    activity = event(account)["campaign_activity_id"]
    (ann, bob) = strangers(account, activity, 2)
    account.control.add_events(
        [
            event(account, contact_id=contact, created_time=f"2026-05-0{day}T10:00:00Z")
            for contact in (ann, bob)
            for day in (1, 2)
        ]
    )
    assert night().findings == 0
    sql_rows("DELETE FROM ctct_engagement WHERE contact_id = %s", bob)
    assert night().findings == 1


def test_what_the_summary_shows_before_the_reports_is_on_its_way_for_a_day_only(
    account: Running, night: Night, sql_rows: Rows
) -> None:
    night()
    nothing = {"status": 200, "body": {"results": []}}
    account.control.add_fault("status", match={"path": "/stats/"}, params=nothing, times=99)
    activity = event(account)["campaign_activity_id"]
    account.control.add_fault(
        "status", match={"path": f"{activity}/tracking"}, times=99,
        params={"status": 200, "body": {"tracking_activities": [], "_links": {}}},
    )  # fmt: skip
    account.control.add_events(
        [event(account) | {"contact_id": contact} for contact in strangers(account, activity, 3)]
    )
    report = night()
    assert (report.findings, report.in_flight) == (0, 1)
    assert (night().findings, findings(sql_rows)) == (0, [])
    sql_rows("UPDATE ctct_campaign_count SET noted_at = noted_at - interval '1 day'")
    night()
    sql_rows("UPDATE ctct_campaign_count SET noted_at = noted_at - interval '1 day'")
    assert night().findings == 1


def strangers(account: Running, activity: str, count: int) -> list[str]:
    """Contacts that have not opened."""
    opened = {
        row["contact_id"]
        for row in account.control.truth_events()
        if row["campaign_activity_id"] == activity and row["tracking_activity_type"] == "em_opens"
    }
    ids = [each["contact_id"] for each in account.control.truth_contacts()]
    return [each for each in ids if each not in opened][:count]


def test_erased_people_whose_events_are_left_out_are_no_finding(
    account: Running, night: Night, client: Client, crm: Database, sql_rows: Rows
) -> None:
    sync_contacts(client, crm)
    activity = event(account)["campaign_activity_id"]
    (stranger,) = strangers(account, activity, 1)
    sql_rows("INSERT INTO ctct_erased (constant_contact_id, erased_by) VALUES (%s, 'a')", stranger)
    report = night()
    assert (report.findings, report.in_flight) == (0, 0)
    account.control.add_events([event(account) | {"contact_id": stranger}])
    assert night().findings == 0
