"""A nightly run that takes too long is reported, by Airflow's own deadlines."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.airflow import alarms
from tests.airflow.airflow_runs import ROOT

DAG_ID = "a_night"
NIGHTLY = {
    "constant_contact_lists",
    "constant_contact_contacts",
    "constant_contact_activities",
    "constant_contact_retention",
}


@pytest.fixture
def session(airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Airflow's database, with the DAG in it as it is with these options."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.utils.session import create_session

    monkeypatch.setenv("AIRFLOW__CONSTANT_CONTACT__DEADLINE_MINUTES", "90")
    monkeypatch.setenv(
        "AIRFLOW__CONSTANT_CONTACT__ON_DEADLINE_CALLBACK", "tests.airflow.alarms.ring"
    )
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(ROOT / "tests" / "airflow" / "dags" / f"{DAG_ID}.py")
    assert bag.import_errors == {}
    sync_bag_to_db(bag, "dags-folder", None)
    alarms.rung.clear()
    with create_session() as made:
        yield made
        made.rollback()


def started(session: Any) -> Any:
    """The deadline of a new run of the DAG."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models.deadline import Deadline
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import select

    run = trigger_dag(DAG_ID, triggered_by=DagRunTriggeredByType.TEST, session=session)
    assert run
    run.run_type = "scheduled"
    session.flush()
    return session.scalars(select(Deadline).where(Deadline.dagrun_id == run.id)).one()


def missed(session: Any, deadline: Any) -> None:
    """What scheduler and triggerer do when it has passed."""
    from airflow.triggers.callback import CallbackTrigger

    deadline.handle_miss(session)

    async def run() -> list[Any]:
        trigger = CallbackTrigger(**deadline.callback.trigger.kwargs)
        return [event.payload["state"] async for event in trigger.run()]

    assert asyncio.run(run())[-1] == "success"


def test_a_run_may_take_as_long_as_the_option_says(session: Any) -> None:
    deadline = started(session)
    took = deadline.deadline_time - deadline.dagrun.queued_at
    assert took.total_seconds() == 90 * 60


def test_a_late_run_is_told_to_whoever_wants_to_know(session: Any) -> None:
    deadline = started(session)
    missed(session, deadline)
    (alarm,) = alarms.rung
    assert alarm["dag_run"]["dag_id"] == DAG_ID


@pytest.mark.parametrize(
    ("run_type", "state"),
    [
        ("backfill", "running"),
        ("manual", "running"),
        ("scheduled", "failed"),
        ("scheduled", "success"),
    ],
)
def test_a_run_by_hand_or_of_a_backfill_or_that_has_ended_is_not_late(
    session: Any, run_type: str, state: str
) -> None:
    deadline = started(session)
    deadline.dagrun.run_type = run_type
    deadline.dagrun._state = state
    session.flush()
    missed(session, deadline)
    assert alarms.rung == []


def test_every_nightly_dag_has_a_deadline_and_no_other(session: Any) -> None:
    from airflow.dag_processing.dagbag import DagBag

    dags = DagBag(ROOT / "dags").dags.values()
    assert {dag.dag_id for dag in dags if dag.deadline} == NIGHTLY
