"""What needs a person, on the overview: a line for each kind, which says what to do and where."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start, account_connection, pause_all
from tests.airflow.overview_page import section, text_of
from tests.airflow.site import Site
from tests.support import CONN_ID, Rows, contact_id, vendor_contact

pytestmark = pytest.mark.usefixtures("dags_on")

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
LISTS = "constant_contact_lists"

# Each kind of row: the statement that makes it, what is said, and where the line leads.
OUTBOXES = {
    "a refused change": (
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
        " VALUES ('a', TRUE, 'failed'), ('b', TRUE, 'failed'), ('b', TRUE, 'pending'),"
        " ('c', TRUE, 'failed')",
        "2 changes of Do Not Email were refused by Constant Contact, so these contacts may",
        "/opt-outs",
    ),
    "a stopped mass opt-out": (
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
        " SELECT n, TRUE, 'held' FROM generate_series(1, 1200) AS n",
        "1,200 opt-outs are held by the circuit breaker",
        "/opt-outs",
    ),
    "an opt-in of a contact that opted out": (
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
        " VALUES ('a', FALSE, 'held')",
        "1 opt-in is held, because these contacts opted out themselves",
        "/opt-outs",
    ),
    "a stopped mass removal": (
        "INSERT INTO crm_list_membership (contact_id, list_id, action, status)"
        " VALUES ('a', 'l', 'remove', 'held'), ('b', 'l', 'remove', 'held')",
        "2 removals from lists are held by the circuit breaker",
        "/memberships",
    ),
    "a request that failed": (
        "INSERT INTO crm_list_membership (contact_id, list_id, status) VALUES ('a', 'l', 'failed')",
        "1 list membership has failed several times",
        "/memberships",
    ),
    "a request that was rejected": (
        "INSERT INTO crm_list_membership (contact_id, list_id, status, processed_at) VALUES"
        " ('a', 'l', 'rejected', now()), ('b', 'l', 'rejected', now() - interval '8 days')",
        "1 list membership was rejected in the last 7 days",
        "/memberships",
    ),
    "a report that is refused": (
        "UPDATE ctct_engagement_stream SET failed_at = now(), failure = 'said no'",
        "1 engagement report is refused by Constant Contact",
        "/calls",
    ),
    "a row that is set aside": (
        "INSERT INTO ctct_set_aside (noun, row_id, reason) VALUES ('contact', 'x', 'KeyError')",
        "1 row of Constant Contact was set aside, and the others are read without: KeyError",
        "/calls",
    ),
    "a report that is set aside": (
        "UPDATE ctct_engagement_stream SET failed_at = now(), failure = 'KeyError',"
        " is_unexpected = TRUE",
        "1 row of Constant Contact was set aside, and the others are read without: KeyError",
        "/calls",
    ),
    "a report that lists too little": (
        "UPDATE ctct_engagement_stream SET shortfall = 7",
        "1 engagement report lists 7 events fewer than Constant Contact counts",
        "/dags/constant_contact_activities",
    ),
}


def needs(site: Site, role: str = "VIEWER") -> str:
    return section(site, "needs-a-person", role)


@pytest.fixture
def one_stream(sql_rows: Rows) -> None:
    sql_rows("INSERT INTO ctct_campaign (campaign_id, mirrored_at) VALUES ('c', now())")
    sql_rows("INSERT INTO ctct_campaign_activity VALUES ('a', 'c', NULL, NULL, now())")
    sql_rows(
        "INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)"
        " VALUES ('a', 'open')"
    )


@pytest.mark.usefixtures("one_stream")
def test_each_kind_of_trouble_in_the_crm_has_its_line_and_no_other(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    for kind, (statement, said, path) in OUTBOXES.items():
        sql_rows(statement)
        shown = needs(site)
        assert said in text_of(shown), kind
        assert f'{path}"' in shown, kind
        assert shown.count("<li>") == 1, kind
        sql_rows("TRUNCATE crm_opt_out_change, crm_list_membership, ctct_set_aside")
        sql_rows(
            "UPDATE ctct_engagement_stream SET failed_at = NULL, failure = NULL, shortfall = 0"
        )
    assert "Nothing waits for you." in needs(site)


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("opt_outs", "Opt-outs is paused, so no change of Do Not Email reaches Constant Contact"),
        ("contacts", "Contacts is paused, so no opt-out at Constant Contact is read"),
        ("activities", "Activities is paused, so no engagement is read"),
    ],
)
def test_a_sync_that_is_paused_is_unpaused_where_that_is_told(
    site: Site, noun: str, said: str
) -> None:
    pause_all(True, f"constant_contact_{noun}")
    shown = needs(site, "OP")
    assert said in text_of(shown)
    action = f"/constant-contact/runs/{noun}/unpause"
    assert shown.count("<li>") == shown.count(f'action="{action}"') == 1
    assert "unpause" not in needs(site).replace("unpaused", "")
    assert f'href="/dags/constant_contact_{noun}"' in needs(site)
    assert site.post(action, "OP").status == 303
    assert "Nothing waits for you." in needs(site)


def test_a_run_that_failed_is_named_until_a_later_one_works(
    site: Site, simulator: Running, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    simulator.control.deactivate()
    assert start_dag(LISTS).state == "failed"
    shown = needs(site)
    assert f"The last run of {LISTS} failed" in shown
    assert f'href="/dags/{LISTS}/runs/manual__' in shown
    assert "data-airflow" in shown
    simulator.control.deactivate(False)
    assert start_dag(LISTS).state == "success"
    assert "failed" not in needs(site)


def test_a_run_by_hand_that_failed_for_a_missing_param_can_be_deleted_says_its_line(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    assert start_dag("constant_contact_erasure").state == "failed"
    shown = text_of(needs(site))
    assert "The last run of constant_contact_erasure failed" in shown
    assert "a run you do not need can be deleted" in shown


def test_a_connection_without_a_token_is_to_be_authorized(
    site: Site, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator, extra={"refresh_token": ""}))
    shown = needs(site)
    assert f"Connection {CONN_ID} is not authorized" in shown
    assert 'href="/constant-contact/connection"' in shown


def test_a_refused_refresh_is_told_until_there_are_newer_tokens(
    site: Site, simulator: Running, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    good = account_connection(simulator)
    dead = account_connection(simulator, extra={"refresh_token": "of somebody else"})
    connections.setenv(ACCOUNT, dead)
    assert start_dag(LISTS).state == "failed"
    shown = needs(site)
    assert f"refused to renew the tokens of connection {CONN_ID}" in text_of(shown)
    assert "(invalid_grant)" in shown
    assert "of somebody else" not in shown
    connections.setenv(ACCOUNT, good)
    assert start_dag(LISTS).state == "success"
    assert "Nothing waits for you." in needs(site)


@pytest.mark.parametrize(("days", "warns"), [(149, False), (151, True)])
def test_a_refresh_token_that_lies_idle_is_told_in_time(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start, days: int, warns: bool
) -> None:
    from airflow.models import Variable

    assert start_dag(LISTS).state == "success"
    key = f"{CONN_ID}_tokens"
    pair = json.loads(Variable.get(key))
    pair["obtained_at_utc"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    Variable.set(key, json.dumps(pair))
    # As the api-server's own process is: there the SDK reads Airflow's database.
    connections.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    shown = needs(site)
    assert ("was last used 151 days ago" in text_of(shown)) is warns
    assert pair["refresh_token"] not in shown


def test_engagement_of_a_type_that_nobody_knows_is_told(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    dag_id = "constant_contact_activities"
    ran = start_dag(dag_id)
    assert ran.state == "success"
    assert "Nothing waits for you." in needs(site)
    patched = site.patch(
        f"/api/v2/dags/{dag_id}/dagRuns/{quote(ran.run_id)}/taskInstances/engagement"
        "/xcomEntries/return_value",
        value={"streams": 1, "unknown_types": {"em_<b>fax</b>": 3}},
    )
    assert patched.status == 200, patched.text
    shown = needs(site)
    assert "em_&lt;b&gt;fax&lt;/b&gt;" in shown
    assert "Look for a newer version of this package." in shown


def test_a_no_of_who_can_be_mailed_at_a_new_address_needs_nobody_it_is_carried(
    site: Site, simulator: Running, connections: pytest.MonkeyPatch, start_dag: Start,
    add_crm_contact: Callable[..., None],
) -> None:  # fmt: skip
    simulator.control.load(
        contacts=[vendor_contact(1, "old@example.com"), vendor_contact(2, "new@example.com")]
    )
    add_crm_contact("c1", "new@example.com", constant_contact_id=contact_id(1), do_not_email=True)
    assert start_dag("constant_contact_contacts").state == "success"
    assert start_dag("constant_contact_opt_outs").state == "success"
    for number in (1, 2):
        truth = simulator.control.truth_contact(contact_id(number))
        assert truth["permission"] == "unsubscribed"
    assert "Nothing waits for you." in needs(site)


def test_a_setting_under_a_name_that_no_option_has_is_told_with_the_one_that_may_be_meant(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__BREAKER_SHARE", "0.1")
    assert "Nothing waits for you." in needs(site)
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__BREAKER_CONTACT", "10")
    shown = needs(site)
    assert "[constant_contact] breaker_contact, which is no option" in shown
    assert "breaker_contacts may be meant" in shown


def test_a_question_to_a_person_leads_to_where_it_is_answered(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_hold (noun, detail) VALUES ('opt_outs', 'so many')")
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, hold_id)"
        " VALUES ('c1', TRUE, 'held', 1)"
    )
    start_dag("constant_contact_approvals", hold_id=1)
    shown = needs(site)
    assert "Constant Contact: unsubscribe 1 contact at once? Answer the question." in shown
    assert "/tasks/approval/required_actions" in shown
