"""What is missing is shown by the run, on the overview and as a metric, until it is there."""

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start
from tests.airflow.overview_page import section, sync_row, text_of
from tests.airflow.site import Site
from tests.support import Rows

ACTIVITIES = "constant_contact_activities"
NO_REPORT = {"status": 404, "body": {"error_key": "not_found", "error_message": "no report"}}


@pytest.fixture
def account(simulator: Running) -> Running:
    """Campaigns that were sent twice, and those that no report has."""
    simulator.control.generate(
        seed=9, contacts=300, lists=4, campaigns=4, activities_per_campaign=2, events=3000,
        deleted_share=0.05, sms_only_share=0.02,
    )  # fmt: skip
    return simulator


def needs(site: Site) -> str:
    return section(site, "needs-a-person")


@pytest.mark.slow
@pytest.mark.usefixtures("dags_on")
@pytest.mark.parametrize("counts", ["activities", "contacts", "events"])
def test_nights_that_bring_all_find_nothing_missing(
    account: Running, site: Site, start_dag: Start, counts: str
) -> None:
    account.control.settings(summary_counts=counts)
    for _ in range(2):
        for noun in ("lists", "contacts", "activities", "opt_outs", "list_memberships"):
            assert start_dag(f"constant_contact_{noun}").state == "success"
    assert start_dag("constant_contact_after_restore", restored_to="2026-01-01").state == "success"
    assert start_dag("constant_contact_contacts", full=True).state == "success"
    assert "Nothing waits for you." in needs(site)


def test_a_role_without_a_report_is_told_with_what_is_missing_until_it_is_read(
    account: Running, site: Site, start_dag: Start, sql_rows: Rows
) -> None:
    account.control.settings(role_names={"resend": "follow_up"})
    resent = [each for each in account.world.campaigns.activities.values() if each.role == "resend"]
    for activity in resent:
        account.control.add_fault(
            "status", match={"path": activity.activity_id}, params=NO_REPORT, times=999
        )
    assert start_dag(ACTIVITIES).state == "success"
    assert sql_rows("SELECT DISTINCT reason FROM ctct_finding") == [{"reason": "refused"}]
    assert "difference" in text_of(sync_row(site, "activities"))
    shown = text_of(needs(site))
    assert "The ledger lacks contacts that Constant Contact counts: “Campaign" in shown
    assert "Constant Contact refuses a report" in shown
    assert "role follow_up" in shown
    assert f'/dags/{ACTIVITIES}"' in needs(site)
    account.control.clear_faults()
    account.control.settings(role_names={})
    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    assert start_dag(ACTIVITIES).state == "success"
    assert sql_rows("SELECT 1 FROM ctct_finding") == []
    assert "lacks contacts" not in needs(site)


@pytest.mark.usefixtures("dags_on")
def test_a_mirror_that_differs_is_told_until_the_next_run_has_read_all(
    account: Running, site: Site, start_dag: Start, sql_rows: Rows
) -> None:
    for noun in ("lists", "contacts"):
        assert start_dag(f"constant_contact_{noun}").state == "success"
    sql_rows(
        "UPDATE ctct_contact SET updated_at = updated_at - interval '9 years', created_at = NULL,"
        " opt_in_date = NULL, opt_out_date = NULL, permission_to_send = 'explicit', list_ids = '{}'"
    )
    assert start_dag("constant_contact_contacts").state == "success"
    shown = text_of(needs(site))
    assert "another number of contacts than Constant Contact counts: explicit" in shown
    assert "another number of members of lists than Constant Contact counts: “List 000" in shown
    assert start_dag("constant_contact_contacts").state == "success"
    assert "full pass" in text_of(sync_row(site, "contacts"))
    assert "Nothing waits for you." in needs(site)
