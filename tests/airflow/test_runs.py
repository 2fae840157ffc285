"""The DAGs, run by Airflow itself against the simulator and a real CRM database."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Run, account_connection
from tests.support import CONN_ID, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id, on_lists

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"


@pytest.fixture
def account(simulator: Running) -> Running:
    simulator.control.generate(seed=9, contacts=600, lists=4, campaigns=3, events=2000)
    return simulator


@pytest.fixture
def crm_with_contacts(account: Running, add_crm_contact: Callable[..., None]) -> None:
    """The first hundred of the account's contacts are the CRM's too."""
    for number, contact in zip(range(100), account.control.truth_contacts(), strict=False):
        add_crm_contact(f"c{number}", contact["email"])


@pytest.mark.usefixtures("crm_with_contacts")
def test_a_night_runs_end_to_end(account: Running, run_dag: Run, sql_rows: Rows) -> None:
    lists = run_dag("constant_contact_lists")
    contacts = run_dag("constant_contact_contacts")
    activities = run_dag("constant_contact_activities")
    assert {lists.state, contacts.state, activities.state} == {"success"}
    assert lists.returned["lists"]["active"] == 4
    assert contacts.returned["contacts"]["read"] == 600
    assert contacts.returned["links"]["linked"] > 80
    assert activities.returned["engagement"]["new_events"] == 2000
    linked = {
        r["constant_contact_id"] for r in sql_rows("SELECT constant_contact_id FROM crm_contact")
    }
    happened = [e for e in account.control.truth_events() if e["contact_id"] in linked]
    (shown,) = sql_rows("SELECT count(*) AS n FROM crm_interaction")
    assert shown["n"] == len(happened) > 0
    # Each call can be traced to the task that made it.
    (untraced,) = sql_rows("SELECT count(*) AS n FROM ctct_api_call WHERE task_id IS NULL")
    assert untraced["n"] == 0
    made = {
        r["dag_id"]: r["n"]
        for r in sql_rows("SELECT dag_id, count(*) AS n FROM ctct_api_call GROUP BY 1")
    }
    assert sum(made.values()) == len(account.control.calls())
    assert "example.com" not in lists.log + contacts.log + activities.log
    second = run_dag("constant_contact_activities")
    assert second.returned["engagement"]["new_events"] == 0
    assert second.returned["interactions"]["of_new_events"] == 0


def test_opt_outs_that_wait_are_carried_and_the_run_ends(
    simulator: Running, run_dag: Run, add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    set_do_not_email("c1", True, by_contact=True)
    ran = run_dag("constant_contact_opt_outs")
    assert ran.state == "success"
    assert ran.returned["opt_outs"]["unsubscribed"] == 1
    assert simulator.control.truth_contact(contact_id(1))["permission"] == "unsubscribed"


def test_a_refused_opt_out_makes_the_run_red(
    simulator: Running,
    run_dag: Run,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    set_do_not_email("c1", True)
    refusal = {"status": 400, "body": [{"error_key": "k", "error_message": "no"}]}
    simulator.control.add_fault("status", match={"method": "PUT"}, params=refusal, times=99)
    ran = run_dag("constant_contact_opt_outs")
    assert ran.state == "failed"
    assert "Constant Contact refused 1 changes" in ran.log


@pytest.mark.parametrize(
    ("dag_id", "task_id", "state"),
    [
        # It compares the CRM with what was seen of it, whether or not a change tells of one.
        ("constant_contact_opt_outs", "opt_outs", "success"),
        ("constant_contact_list_memberships", "memberships", "skipped"),
    ],
)
def test_with_nothing_waiting_the_run_asks_nobody_and_calls_nothing(
    simulator: Running, run_dag: Run, dag_id: str, task_id: str, state: str
) -> None:
    ran = run_dag(dag_id)
    assert ran.tasks == {"waiting": "skipped", task_id: state, "ask": "skipped"}
    assert simulator.control.calls() == []


def test_a_flag_that_no_change_tells_of_is_carried_by_the_scheduled_run(
    simulator: Running, run_dag: Run, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    assert run_dag("constant_contact_contacts").state == "success"
    sql_rows("DROP TRIGGER constant_contact_no ON crm_contact")
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert sql_rows("SELECT change_id FROM crm_opt_out_change") == []
    ran = run_dag("constant_contact_opt_outs")
    assert (ran.returned["opt_outs"]["found"], ran.returned["opt_outs"]["unsubscribed"]) == (1, 1)
    assert simulator.control.truth_contact(contact_id(1))["permission"] == "unsubscribed"


def test_a_membership_is_requested_in_bulk_and_carried(
    simulator: Running, run_dag: Run, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    one, two = list_id(1), list_id(2)
    simulator.control.load(lists=[{"list_id": each, "name": each} for each in (one, two)])
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com", list_memberships=[two])])
    add_crm_contact("c1", "Ann@example.com")
    add_crm_contact("c2", "new@example.com", first_name="007")
    run_dag("constant_contact_lists")
    both = {"list_id": one, "contact_ids": ["c1", "c2"]}
    foretold = run_dag("constant_contact_bulk_memberships", dry_run=True, **both)
    assert foretold.returned["bulk_memberships"]["carried"] == 2
    assert sql_rows("SELECT * FROM crm_list_membership") == []
    run_dag("constant_contact_bulk_memberships", **both)
    run_dag("constant_contact_bulk_memberships", list_id=two, contact_ids=["c1"], action="remove")
    requested, there = sql_rows("SELECT * FROM crm_list_membership"), on_lists(simulator)
    rehearsed = run_dag("constant_contact_list_memberships", dry_run=True)
    assert "a dry run: what follows is what would be done" in rehearsed.log
    assert (sql_rows("SELECT * FROM crm_list_membership"), on_lists(simulator)) == (
        requested,
        there,
    )
    ran = run_dag("constant_contact_list_memberships")
    assert ran.state == "success"
    assert rehearsed.returned["memberships"] == ran.returned["memberships"]
    report = ran.returned["memberships"]
    assert (report["added"], report["removed"], report["created"]) == (2, 1, 1)
    assert on_lists(simulator) == {"ann@example.com": {1}, "new@example.com": {1}}
    assert "example.com" not in ran.log + foretold.log


def test_memberships_that_fail_make_the_run_red_and_one_that_is_rejected_does_not(
    simulator: Running, run_dag: Run, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    simulator.control.load(lists=[{"list_id": list_id(1), "name": "One"}])
    numbers = range(1, 9)
    people = [vendor_contact(number, f"p{number}@example.com") for number in numbers]
    simulator.control.load(contacts=people)
    for number in numbers:
        add_crm_contact(f"c{number}", f"p{number}@example.com")
    request = "INSERT INTO crm_list_membership (contact_id, list_id) VALUES (%s, %s)"
    sql_rows(request, "nobody", list_id(1))
    ran = run_dag("constant_contact_list_memberships")
    assert (ran.state, ran.returned["memberships"]["rejected"]) == ("success", 1)
    for number in numbers:
        sql_rows(request, f"c{number}", list_id(1))
    # The call itself is refused, with any contact.
    refusal = {"status": 400, "body": [{"error_key": "k", "error_message": "no"}]}
    simulator.control.add_fault("status", match={"path": "add_list"}, times=99, params=refusal)
    ran = run_dag("constant_contact_list_memberships")
    assert ran.state == "failed"
    assert "list memberships failed: crm_list_membership says why" in ran.log


def test_a_dry_run_has_nobody_asked_about_what_the_circuit_breaker_holds(
    run_dag: Run, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_hold (noun, detail) VALUES ('memberships', 'too many')")
    rehearsed = run_dag("constant_contact_list_memberships", dry_run=True)
    assert rehearsed.tasks == {"waiting": "skipped", "memberships": "skipped", "ask": "skipped"}


def test_params_reach_the_job(account: Running, run_dag: Run) -> None:
    run_dag("constant_contact_contacts")
    again = run_dag("constant_contact_contacts", full=True, dry_run=True)
    assert again.returned["contacts"]["full_pass"] is True
    assert "a dry run: what follows is what would be done" in again.log
    refused = run_dag("constant_contact_activities", since="last week")
    assert refused.tasks["engagement"] == "failed"
    assert "param since: 'last week' is no date" in refused.log


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"login": ""}, "field Login (API key): is empty", id="no key"),
        pytest.param({"password": "wrong"}, "Constant Contact refuses them", id="wrong secret"),
        pytest.param(
            {"extra": {"refresh_token": ""}}, "holds no refresh token", id="no refresh token"
        ),
        pytest.param(
            {"extra": {"refresh_token": "dead"}}, "must authorize again", id="dead refresh token"
        ),
        pytest.param({"extra": {"rate_plan": "gold"}}, "field rate_plan", id="unknown plan"),
        pytest.param({"host": "http://api.example.com"}, "field Host (API base URL)", id="http"),
    ],
)
def test_a_wrong_setting_fails_at_once_with_one_line_that_names_it(
    simulator: Running,
    connections: pytest.MonkeyPatch,
    run_dag: Run,
    fields: dict[str, Any],
    says: str,
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator, **fields))
    ran = run_dag("constant_contact_lists")
    assert ran.state == "failed"
    first = next(line for line in ran.log.splitlines() if "error" in line.lower())
    assert says in first
    assert "demo-secret" not in ran.log


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        (None, "connection crm_default: does not exist"),
        ('{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}',
         "connection crm_default: the CRM database does not answer"),
    ],
)  # fmt: skip
def test_a_crm_that_cannot_be_reached_is_named(
    connections: pytest.MonkeyPatch, run_dag: Run, connection: str | None, says: str
) -> None:
    if connection is None:
        connections.delenv("AIRFLOW_CONN_CRM_DEFAULT")
    else:
        connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", connection)
    ran = run_dag("constant_contact_lists")
    assert ran.state == "failed"
    assert says in ran.log
    assert "hunter2" not in ran.log


def test_a_crm_without_its_tables_says_what_to_do(run_dag: Run, sql_rows: Rows) -> None:
    sql_rows("DROP TABLE ctct_list CASCADE")
    ran = run_dag("constant_contact_lists")
    assert ran.state == "failed"
    assert "run `make migrate`" in ran.log


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["html_503", "malformed_json"])
def test_an_api_that_stays_broken_fails_the_task_with_the_call_and_its_answer(
    simulator: Running, run_dag: Run, kind: str
) -> None:
    simulator.control.add_fault(kind, match={"path": "contact_lists"}, times=99)
    ran = run_dag("constant_contact_lists")
    assert ran.state == "failed"
    assert "GET /v3/contact_lists" in ran.log


def test_a_missing_scope_is_named(
    simulator: Running, connections: pytest.MonkeyPatch, run_dag: Run
) -> None:
    seed = simulator.control.grant(scopes=["contact_data", "offline_access"])
    extra = {"refresh_token": seed}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=extra))
    ran = run_dag("constant_contact_activities")
    assert ran.state == "failed"
    assert "lacks the scope campaign_data" in ran.log


def test_tokens_live_in_a_variable_and_a_second_run_refreshes_nothing(
    account: Running, run_dag: Run, sql_rows: Rows
) -> None:
    run_dag("constant_contact_lists")
    run_dag("constant_contact_lists")
    tokens = [call for call in account.control.calls() if call["path"].endswith("/token")]
    assert len(tokens) == 1
    assert sql_rows("SELECT conn_id, refresh_count FROM ctct_token") == [
        {"conn_id": CONN_ID, "refresh_count": 1}
    ]
    from airflow.models import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        stored = session.query(Variable).filter_by(key=f"{CONN_ID}_tokens").one()
        assert stored.is_encrypted
        assert "access_token" not in stored._val


def test_the_nightly_maintenance_uses_the_refresh_token_only_if_nothing_else_did(
    account: Running, run_dag: Run
) -> None:
    def refreshes() -> int:
        return sum(call["path"].endswith("/token") for call in account.control.calls())

    assert run_dag("constant_contact_retention").state == "success"
    assert refreshes() == 1
    assert run_dag("constant_contact_retention").state == "success"
    assert refreshes() == 1
    assert account.control.calls_summary()["api_calls"] == 0


def test_the_nightly_maintenance_is_red_when_the_grant_is_gone(
    simulator: Running, connections: pytest.MonkeyPatch, run_dag: Run
) -> None:
    dead = {"refresh_token": "dead"}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=dead))
    ran = run_dag("constant_contact_retention")
    assert ran.tasks == {"retention": "success", "tokens": "failed"}
    assert "A person must authorize again" in ran.log


def test_two_shards_read_each_event_once(
    account: Running, connections: pytest.MonkeyPatch, run_dag: Run, sql_rows: Rows
) -> None:
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__ENGAGEMENT_SHARDS", "2")
    ran = run_dag("constant_contact_activities")
    assert ran.state == "success"
    assert sum(report["new_events"] for report in ran.returned["engagement"]) == 2000
    assert all(report["new_events"] for report in ran.returned["engagement"])
    assert sql_rows("SELECT count(*) AS n FROM ctct_engagement") == [{"n": 2000}]


def test_the_option_decides_which_types_the_crm_shows(
    account: Running, connections: pytest.MonkeyPatch, run_dag: Run
) -> None:
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__INTERACTION_TYPES", "open,teleport")
    ran = run_dag("constant_contact_activities")
    assert ran.tasks["interactions"] == "failed"
    assert "[constant_contact] interaction_types: 'teleport' is none of send, open" in ran.log


@pytest.mark.usefixtures("account")
def test_a_task_ends_with_how_many_calls_it_made_and_how_many_of_the_day_are_used(
    run_dag: Run, sql_rows: Rows
) -> None:
    ran = run_dag("constant_contact_lists")
    (made,) = sql_rows("SELECT count(*) AS n FROM ctct_api_call")
    (used,) = sql_rows("SELECT calls AS n FROM ctct_api_budget")
    # The first one is the token's, which the vendor does not count.
    assert (made["n"], used["n"]) == (2, 1)
    assert "lists: API calls: 1 in this try; 1 of the day's 1,000,000 are used" in ran.log


def test_calls_without_success_are_told_also_where_the_task_fails(
    account: Running, run_dag: Run
) -> None:
    account.control.add_fault("status", match={"path": "contact_lists"}, params={"status": 400})
    ran = run_dag("constant_contact_lists")
    assert ran.state == "failed"
    assert "lists: API calls: 1 in this try, 1 of them without success; 1 of the day's" in ran.log


@pytest.mark.usefixtures("account")
def test_a_misspelt_param_ends_the_run_before_any_call_and_is_named(
    run_dag: Run, sql_rows: Rows
) -> None:
    ran = run_dag("constant_contact_contacts", dryrun=True)
    assert ran.state == "failed"
    assert "param dryrun: constant_contact_contacts has no such param" in ran.log
    assert "it has full, since, dry_run" in ran.log
    assert sql_rows("SELECT path FROM ctct_api_call") == []
