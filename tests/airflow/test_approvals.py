"""The circuit breaker asks a person in Airflow, and does what the person says."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow import alarms
from tests.airflow.airflow_runs import Start
from tests.airflow.questions import PAGE, PEOPLE, Question, runs
from tests.airflow.site import Site
from tests.support import Rows, contact_id, vendor_contact


def question() -> dict[str, Any]:
    """What Airflow shows under Required Actions."""
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session

    with create_session() as session:
        detail = session.query(HITLDetail).one()
        return {"subject": detail.subject, "body": detail.body, "options": detail.options}


def kept_by_airflow() -> str:
    """All that Airflow keeps of the run that asks: questions, returned values, rendered fields."""
    from airflow.utils.session import create_session
    from sqlalchemy import inspect, text

    # Airflow 3.4 has two tables of returned values.
    kinds = ("hitl_detail", "xcom", "rendered_task_instance_fields", "dag_run", "task_instance")
    with create_session() as session:
        tables = inspect(session.connection()).get_table_names()
        return "".join(
            str(row)
            for table in tables
            if table.startswith(kinds)
            for row in session.execute(text(f"SELECT * FROM {table}"))
        )


def test_the_question_says_how_many_and_where_to_look_and_nothing_of_anybody(
    asked: Question, connections: pytest.MonkeyPatch
) -> None:
    shown = question()
    assert shown["options"] == ["Approve", "Reject"]
    assert "unsubscribe 8 contacts at once?" in shown["subject"]
    assert (
        "8 contacts would be unsubscribed within a day, more than the circuit breaker allows (3)"
        in (shown["body"])
    )
    assert "8 contacts, changed between" in shown["body"]
    assert shown["body"].endswith("](/constant-contact/holds/1)")
    kept = kept_by_airflow()
    assert "more than the circuit breaker allows" in kept
    for personal in ("moved", "ann@", "example.com", "'c1", "c1,", '"c1'):
        assert personal not in kept, personal


@pytest.fixture
def alarmed(connections: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the adopter's callback was called with."""
    name = "AIRFLOW__CONSTANT_CONTACT__ON_HOLD_CALLBACK"
    connections.setenv(name, "tests.airflow.alarms.hold")
    alarms.rung.clear()
    return alarms.rung


def test_the_callback_is_told_of_the_question(
    alarmed: list[dict[str, Any]], asked: Question
) -> None:
    assert alarmed == [{name: question()[name] for name in ("subject", "body")}]


@pytest.fixture
def _broken_callback(connections: pytest.MonkeyPatch) -> None:
    name = "AIRFLOW__CONSTANT_CONTACT__ON_HOLD_CALLBACK"
    connections.setenv(name, "tests.airflow.alarms.broken")


@pytest.mark.usefixtures("_broken_callback", "asked")
def test_a_callback_that_fails_keeps_no_question_from_being_asked() -> None:
    assert question()["options"] == ["Approve", "Reject"]


@pytest.mark.parametrize(("by_contact", "alarms_a_day"), [(True, 1), (False, 0)])
def test_what_contacts_asked_for_is_told_of_each_day_that_it_waits(
    alarmed: list[dict[str, Any]], asked: Question, start_dag: Start, sql_rows: Rows,
    by_contact: bool, alarms_a_day: int,
) -> None:  # fmt: skip
    sql_rows("UPDATE crm_opt_out_change SET requested_by_contact = %s", by_contact)
    for day in range(2):
        alarmed.clear()
        for _ in range(2):
            start_dag("constant_contact_opt_outs")
        assert len(alarmed) == (alarms_a_day if day else 0)
        sql_rows("UPDATE ctct_hold SET held_at = now() - INTERVAL '25 hours'")
    assert all("more than the circuit breaker allows" in each["body"] for each in alarmed)


def test_a_hold_is_asked_about_by_one_run(asked: Question, start_dag: Start) -> None:
    start_dag("constant_contact_opt_outs")
    assert runs() == ["hold_1"]


@pytest.mark.parametrize(
    ("choice", "status", "unsubscribed"), [("Approve", "done", PEOPLE), ("Reject", "held", 0)]
)
def test_what_the_person_says_is_done_and_kept(
    asked: Question,
    start_dag: Start,
    mass_opt_out: Running,
    sql_rows: Rows,
    choice: str,
    status: str,
    unsubscribed: int,
) -> None:
    asked.answer(choice)
    asked.run("approval", "answer")
    start_dag("constant_contact_opt_outs")
    out = [
        contact
        for contact in mass_opt_out.control.truth_contacts()
        if contact["permission"] == "unsubscribed"
    ]
    assert len(out) == unsubscribed
    assert {row["status"] for row in sql_rows("SELECT status FROM crm_opt_out_change")} == {status}
    (row,) = sql_rows("SELECT answered_by FROM ctct_hold")
    assert row["answered_by"] == "op"


@pytest.mark.parametrize(
    ("noun", "deed"),
    [
        ("opt_outs", "unsubscribe 1 contact"),
        ("opt_ins", "let 1 contact be mailed again"),
        ("memberships", "take 1 contact off lists"),
        ("crm_contacts", "treat 1 contact as gone from the CRM"),
        ("links", "clear the links of 1 contact"),
        ("objections", "let Do Not Email alone decide about 1 contact"),
    ],
)
@pytest.mark.usefixtures("connections")
def test_the_page_says_what_an_approval_does(
    site: Site, sql_rows: Rows, noun: str, deed: str
) -> None:
    sql_rows("INSERT INTO ctct_hold (noun, detail) VALUES (%s, 'Too many.')", noun)
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, hold_id)"
        " VALUES ('c1', %s, 'held', 1)",
        noun == "opt_outs",
    )
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, action, status, hold_id)"
        " VALUES ('c1', 'l1', 'remove', 'held', 1)"
    )
    sql_rows(
        "INSERT INTO ctct_link"
        " (contact_id, absence_hold_id, link_hold_id, constant_contact_id, do_not_email)"
        " VALUES ('c1', 1, 1, 'v1', TRUE)"
    )
    sql_rows(
        "INSERT INTO ctct_objection (source, constant_contact_id, objected_at, hold_id)"
        " VALUES ('vendor_account', 'v1', now(), 1)"
    )
    shown = site.get(PAGE, "OP").text
    assert f"<h1>Hold 1: {deed} at once?</h1>" in shown


@pytest.mark.parametrize(
    ("choice", "word", "unsubscribed"), [("Approve", "Approved", PEOPLE), ("Reject", "Rejected", 0)]
)
def test_an_answer_on_our_page_is_the_one_that_airflow_asked_for(
    asked: Question,
    site: Site,
    start_dag: Start,
    set_do_not_email: Callable[..., None],
    add_crm_contact: Callable[..., None],
    mass_opt_out: Running,
    sql_rows: Rows,
    choice: str,
    word: str,
    unsubscribed: int,
) -> None:
    shown = site.get(PAGE, "OP").text
    assert "unsubscribe 8 contacts at once?" in shown
    assert '<td class="number">8</td><td>moved | to ann@example.com</td>' in shown
    assert "c1, c2, c3" in shown
    assert site.post(f"{PAGE}/answer", choice=choice).status == 303
    assert f"{choice}, by op" in site.get(PAGE).text
    # What is flagged after the question is none of what was shown.
    mass_opt_out.control.load(contacts=[vendor_contact(99, "late@example.com")])
    add_crm_contact("late", "late@example.com", constant_contact_id=contact_id(99))
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, hold_id)"
        " VALUES ('late', TRUE, 'held', 2)"
    )
    asked.run("approval", "answer")
    start_dag("constant_contact_opt_outs")
    out = {
        contact["email"]
        for contact in mass_opt_out.control.truth_contacts()
        if contact["permission"] == "unsubscribed"
    }
    assert len(out) == unsubscribed
    assert "late@example.com" not in out
    body = site.get(PAGE).text
    assert f"{word} by op" in body
    assert "<form" not in body
    assert f"{word.lower()} by op" in site.get("/constant-contact/opt-outs").text


def test_an_answer_reaches_airflow_wherever_it_is_mounted_and_is_logged_as_the_users(
    asked: Question, site: Site
) -> None:
    with site.below("/airflow"):
        assert site.post(f"{PAGE}/answer", choice="Approve").status == 303
        assert "Approve, by op" in site.get(PAGE).text
    logged = json.loads(site.get("/api/v2/eventLogs?order_by=-when&limit=2", "ADMIN").text)
    newest, before = logged["event_logs"]
    assert (newest["event"], newest["run_id"], newest["owner"]) == (
        "update_hitl_detail", "hold_1", "op",
    )  # fmt: skip
    assert before["event"] != "update_hitl_detail"


def test_a_question_is_answered_once_wherever(asked: Question, site: Site) -> None:
    asked.answer("Reject")
    answer = site.post(f"{PAGE}/answer", choice="Approve")
    assert answer.status == 409
    assert "This question was answered before" in answer.text
    assert "Reject, by op" in site.get(PAGE).text


def test_a_viewer_is_shown_the_question_and_no_button(asked: Question, site: Site) -> None:
    body = site.get(PAGE).text
    assert "c1, c2, c3" in body
    assert "<form" not in body
    assert site.post(f"{PAGE}/answer", "VIEWER", choice="Approve").status == 403


def test_a_hold_that_airflow_does_not_ask_about_yet_says_so(
    mass_opt_out: Running, site: Site, start_dag: Start
) -> None:
    start_dag("constant_contact_opt_outs")
    body = site.get(PAGE, "OP").text
    assert "Airflow asks with the next run of constant_contact_opt_outs" in body
    assert "<form" not in body
    assert site.post(f"{PAGE}/answer", choice="Approve").status == 404
    assert site.get("/constant-contact/holds/2").status == 404
