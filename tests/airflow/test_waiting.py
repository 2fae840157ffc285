"""A task that is out of calls: it waits, says why, and goes on when the plan is raised."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import ROOT, account_connection
from tests.support import CONN_ID

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
LISTS = "constant_contact_lists"
DAGS = ROOT / "dags"
Start = Callable[[], Any]


@pytest.fixture
def start(start_dag: Callable[..., Any]) -> Start:
    return lambda: start_dag(LISTS)


@pytest.fixture
def spent(simulator: Running, connections: pytest.MonkeyPatch) -> Running:
    """An account whose connection allows no call to engagement's lane."""
    extra = {"calls_per_day": "1"}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=extra))
    return simulator


def of_the_task(statement: str) -> Any:
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        return session.execute(text(statement)).scalar()


def resumes_at() -> datetime:
    found = of_the_task("SELECT max(reschedule_date) FROM task_reschedule")
    assert isinstance(found, datetime)
    return found


@pytest.mark.usefixtures("spent")
def test_out_of_calls_the_task_is_rescheduled_to_shortly_after_midnight_and_its_note_says_so(
    start: Start,
) -> None:
    outcome = start()
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert f"goes on after {tomorrow} 00:02:00 UTC" in outcome.waits
    assert resumes_at().astimezone(UTC) == datetime.combine(
        tomorrow, datetime.min.time(), UTC
    ) + timedelta(minutes=2)
    note = of_the_task("SELECT content FROM task_instance_note")
    assert "the day's API calls are used up for engagement" in note
    assert f"goes on at {tomorrow} 00:02 UTC" in note
    # No retry was used.
    assert of_the_task("SELECT max(try_number) FROM task_instance") == 1


def test_a_task_that_goes_on_does_not_say_any_more_that_it_waits(
    spent: Running, start: Start, connections: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    from local.task_run import run_task

    start()
    connections.setenv(ACCOUNT, account_connection(spent))
    with create_session() as session:
        (instance,) = session.query(TaskInstance).filter_by(dag_id=LISTS, task_id="lists")
    run_task(instance, DagBag(DAGS / f"{LISTS}.py").dags[LISTS].task_dict["lists"])
    assert spent.control.calls_summary()["api_calls"] == 1
    assert of_the_task("SELECT count(*) FROM task_instance_note") == 0


def test_the_waiting_are_listed_with_their_reason(spent: Running, start: Start) -> None:
    from airflow.utils.session import create_session

    from constant_contact.web.overview.waiting import waiting_tasks

    start()
    with create_session() as session:
        (waiting,) = waiting_tasks(session, [LISTS])
        # A user who may not read that DAG sees nothing of it.
        assert waiting_tasks(session, ["constant_contact_contacts"]) == []
    assert (waiting.dag_id, waiting.task_id) == (LISTS, "lists")
    assert "used up" in waiting.reason
    assert spent.control.calls_summary()["api_calls"] == 0


@pytest.mark.parametrize(("conn_type", "wakes"), [("constant_contact", True), ("postgres", False)])
@pytest.mark.usefixtures("spent")
def test_an_edit_of_the_connection_wakes_the_waiting(
    start: Start, conn_type: str, wakes: bool
) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.add(Connection(conn_id="edited", conn_type=conn_type, extra="{}"))
    try:
        start()
        with create_session() as session:
            edited = session.query(Connection).filter_by(conn_id="edited").one()
            edited.set_extra('{"calls_per_day": "20000"}')
        assert (resumes_at() <= datetime.now(UTC)) is wakes
    finally:
        with create_session() as session:
            session.execute(delete(Connection).where(Connection.conn_id == "edited"))
