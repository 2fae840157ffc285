"""The circuit breaker asks a person in Airflow, and does what the person says."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import ROOT
from tests.support import contact_id, vendor_contact

Rows = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Any]
APPROVALS = "constant_contact_approvals"
PEOPLE = 8


@pytest.fixture
def mass_opt_out(
    simulator: Running,
    connections: pytest.MonkeyPatch,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> Running:
    """More people than the breaker lets pass are flagged at once."""
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__BREAKER_CONTACTS", "3")
    numbers = range(1, PEOPLE + 1)
    simulator.control.load(
        contacts=[vendor_contact(number, f"p{number}@example.com") for number in numbers]
    )
    for number in numbers:
        add_crm_contact(
            f"c{number}", f"p{number}@example.com", constant_contact_id=contact_id(number)
        )
        set_do_not_email(f"c{number}", True, "moved | to ann@example.com")
    return simulator


def question() -> dict[str, Any]:
    """What Airflow shows under Required Actions."""
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session

    with create_session() as session:
        detail = session.query(HITLDetail).one()
        return {"subject": detail.subject, "body": detail.body, "options": detail.options}


def runs() -> list[str]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        return [run.run_id for run in session.query(DagRun).filter_by(dag_id=APPROVALS)]


class Question:
    """The run that asks: carried on with as a scheduler does."""

    def __init__(self) -> None:
        from airflow.api_fastapi.app import create_app
        from airflow.dag_processing.dagbag import DagBag
        from starlette.testclient import TestClient

        self._dag = DagBag(ROOT / "dags" / f"{APPROVALS}.py").dags[APPROVALS]
        self._site = TestClient(create_app(apps="core"))

    def run(self, *task_ids: str) -> None:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session

        from local.task_run import run_task

        with create_session() as session:
            run = session.query(DagRun).filter_by(dag_id=APPROVALS).one()
            instances = {each.task_id: each for each in run.get_task_instances()}
        for task_id in task_ids:
            instance = instances[task_id]
            instance.try_number = max(instance.try_number, 1)
            run_task(instance, self._dag.task_dict[task_id])

    def answer(self, choice: str) -> None:
        """A person answers, by Airflow's own route."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        user = SimpleAuthManagerUser(username="ann", role="OP")
        said = self._site.patch(
            f"/api/v2/dags/{APPROVALS}/dagRuns/hold_1/taskInstances/approval/-1/hitlDetails",
            json={"chosen_options": [choice], "params_input": {}},
            headers={"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"},
        )
        assert said.status_code == 200, said.text


@pytest.fixture
def asked(mass_opt_out: Running, start_dag: Start) -> Question:
    """The breaker has stopped, and the next run has put the question."""
    assert start_dag("constant_contact_opt_outs").state == "success"
    assert start_dag("constant_contact_opt_outs").state == "success"
    assert runs() == ["hold_1"]
    question = Question()
    question.run("ask", "approval")
    return question


def test_the_question_says_how_many_why_and_whom_and_shows_no_address(asked: Question) -> None:
    shown = question()
    assert shown["options"] == ["Approve", "Reject"]
    assert "unsubscribe 8 contacts at once?" in shown["subject"]
    assert (
        "8 contacts would be unsubscribed at once, more than the circuit breaker allows (3)"
        in (shown["body"])
    )
    assert "moved \\| to <email>" in shown["body"]
    assert "c1, c2, c3" in shown["body"]


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
    assert row["answered_by"] == "ann"
