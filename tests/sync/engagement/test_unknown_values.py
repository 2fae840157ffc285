"""What the contract does not name is read all the same, counted and named."""

from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import TRACKERS
from constant_contact.errors import GatewayReply
from constant_contact.store.database import Database
from constant_contact.store.sql import SQL_DIR
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from simulator.server import Running
from tests.support import Calls, Rows, vendor_contact
from tests.sync.engagement.events import ledger, truth

FOLLOW_UP = "00000000-0000-4000-9000-00000000000f"
NO_REPORT = {"status": 404, "body": {"error_key": "not_found", "error_message": "no report"}}


@pytest.fixture
def account(simulator: Running) -> Running:
    """Campaigns that were sent twice."""
    simulator.control.generate(
        seed=5, contacts=400, lists=1, campaigns=6, activities_per_campaign=2, events=3000
    )
    return simulator


@pytest.fixture
def follow_up(simulator: Running) -> Running:
    """A campaign with an activity of a role that the contract does not name, without a report."""
    activities = [
        {"role": "primary_email"},
        {"role": "follow_up", "campaign_activity_id": FOLLOW_UP},
    ]
    sent = {"name": "Series", "last_sent_date": "2026-05-01T10:00:00Z"}
    simulator.control.load(campaigns=[sent | {"campaign_activities": activities}])
    return simulator


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"resend": "follow_up"}, id="follow-up"),
        pytest.param({"primary_email": "series_email", "resend": "RESEND"}, id="all"),
    ],
)
def test_activities_of_roles_that_the_contract_does_not_name_are_read_for_as_many_calls(
    account: Running, night: Any, sql_rows: Rows, calls: Calls, names: dict[str, str],
) -> None:  # fmt: skip
    account.control.settings(role_names=names)
    calls()
    report = night()
    made = calls()
    assert ledger(sql_rows) == truth(account)
    assert (report.without_report, report.refused_streams) == (0, 0)
    sql_rows("TRUNCATE ctct_campaign, ctct_campaign_activity, ctct_engagement_stream")
    sql_rows("TRUNCATE ctct_engagement, ctct_sync_state")
    account.control.settings(role_names={})
    night()
    assert calls() == made


def test_unknown_roles_and_statuses_are_counted_by_name(
    account: Running, client: Client, crm: Database
) -> None:
    account.control.settings(
        role_names={"resend": "follow_up"}, status_names={"Done": "Sent", "Draft": "Sketch"}
    )
    report = sync_campaigns(client, crm)
    assert report.unknown_values == {"role follow_up": 6, "status Sent": 8, "status Sketch": 1}


def test_a_campaign_of_an_unknown_status_is_read_though_the_summary_leaves_it_out(
    account: Running, night: Any, sql_rows: Rows, calls: Calls
) -> None:
    account.control.settings(status_names={"Done": "Sent"})
    account.control.add_fault(
        "status", match={"path": "summaries"}, times=99,
        params={"status": 200, "body": {"bulk_email_campaign_summaries": []}},
    )  # fmt: skip
    night()
    assert ledger(sql_rows) == truth(account)
    calls()
    night()
    # Each campaign is asked for its activities once.
    assert calls("/emails/") == 0


def test_a_role_without_a_report_is_named_and_asked_again_ever_more_rarely(
    follow_up: Running, night: Any, sql_rows: Rows, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    report = night()
    assert (report.without_report, report.refused_streams) == (1, 0)
    assert f"activity {FOLLOW_UP}" in caplog.text
    assert "role follow_up, has no report, as Constant Contact says" in caplog.text
    calls()

    def days_later(days: float) -> int:
        sql_rows(
            "UPDATE ctct_engagement_stream SET failed_at = failed_at - %s * interval '1 day',"
            " no_report_since = no_report_since - %s * interval '1 day'",
            days,
            days,
        )
        assert night().without_report == 1
        return calls(f"{FOLLOW_UP}/tracking")

    # After a day, another day; then in double the time.
    each = len(TRACKERS)
    assert [days_later(1) for _ in range(8)] == [each, each, 0, each, 0, 0, 0, each]


def test_a_report_that_comes_to_an_unknown_role_is_read(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.settings(role_names={"resend": "follow_up"})
    activity = sorted(account.control.truth()["reportable_activities"])[0]
    account.control.add_fault("status", match={"path": activity}, params=NO_REPORT, times=99)
    night()
    assert ledger(sql_rows) != truth(account)
    account.control.clear_faults()
    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    night()
    assert ledger(sql_rows) == truth(account)


def test_a_refusal_by_a_gateway_says_nothing_of_a_report(
    follow_up: Running, night: Any, sql_rows: Rows
) -> None:
    html = {"status": 404, "body": "<html>not here</html>"}
    follow_up.control.add_fault(
        "status", match={"path": f"{FOLLOW_UP}/tracking"}, params=html, times=99
    )
    with pytest.raises(GatewayReply):
        night()
    assert sql_rows("SELECT 1 FROM ctct_engagement_stream WHERE no_report_since IS NOT NULL") == []
    follow_up.control.clear_faults()
    assert night().refused_streams == 0


def test_devices_and_codes_that_nobody_knows_are_counted_and_kept(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.add_fault("unknown_fields", match={"path": "tracking"}, times=999)
    report = night()
    assert sum(truth(account).values()) == sum(ledger(sql_rows).values())
    assert set(report.unknown_values) == {"bounce code Q", "device type refrigerator"}


def test_contacts_of_a_permission_that_nobody_knows_are_mirrored_and_counted(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(number, f"{number}@example.com") for number in range(1, 4)]
    )
    simulator.control.add_fault("unknown_fields", match={"path": "/contacts"}, times=99)
    report = sync_contacts(client, crm)
    assert report.unknown_values == {"permission sunset": 3}
    assert len(sql_rows("SELECT 1 FROM ctct_contact WHERE permission_to_send = 'sunset'")) == 3


def test_an_upgrade_makes_the_streams_of_roles_that_were_left_out(
    account: Running, night: Any, sql_rows: Rows
) -> None:
    account.control.settings(role_names={"resend": "follow_up"})
    night()
    left_out = "(SELECT campaign_activity_id FROM ctct_campaign_activity WHERE role = 'follow_up')"
    # the types that there were then
    known = "activity_type IN ('send', 'open', 'click', 'bounce', 'forward', 'opt_out')"
    sql_rows(
        "DELETE FROM ctct_engagement USING ctct_engagement_stream AS s WHERE s.stream_id ="
        f" ctct_engagement.stream_id AND campaign_activity_id IN {left_out} AND {known}"
    )
    sql_rows(
        f"DELETE FROM ctct_engagement_stream WHERE campaign_activity_id IN {left_out} AND {known}"
    )
    assert night().new_events == 0
    migration = SQL_DIR / "schema" / "0023_completeness.sql"
    sql_rows(migration.read_text(encoding="utf-8").partition(";")[0])
    night()
    assert ledger(sql_rows) == truth(account)
