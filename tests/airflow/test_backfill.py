"""`airflow backfill create`, and its runs run by Airflow: each day's events, for one reading."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import ROOT, load_dags
from tests.support import Rows
from tests.sync.engagement.ledgers import happened, stored

DAG_ID = "constant_contact_activities"
DAYS = 4
TODAY = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
FIRST, LAST = TODAY - timedelta(days=30), TODAY - timedelta(days=31 - DAYS)


class Backfills:
    """Makes backfills by Airflow's command and runs their runs in Airflow's order."""

    def __init__(self, dag: Any) -> None:
        self._dag = dag

    def create(self, *options: str) -> None:
        """`airflow backfill create` for the range."""
        from airflow.cli.cli_parser import get_parser

        dates = ["--from-date", FIRST.isoformat(), "--to-date", LAST.isoformat()]
        command = ["backfill", "create", "--dag-id", DAG_ID, *dates, *options]
        arguments = get_parser().parse_args(command)
        arguments.func(arguments)

    def run_all(self) -> dict[datetime, dict[str, Any]]:
        """Return what each run's tasks returned, by the day it is for, in the order of running."""
        returned = {}
        while found := self._run_next():
            returned |= found
        return returned

    def end(self) -> None:
        """As the scheduler does when all runs of a backfill have ended."""
        from airflow.models.backfill import Backfill
        from airflow.utils.session import create_session
        from sqlalchemy import update

        with create_session() as session:
            session.execute(update(Backfill).values(completed_at=datetime.now(UTC)))

    def _run_next(self) -> dict[datetime, dict[str, Any]]:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState

        with create_session() as session:
            run = next(iter(DagRun.get_queued_dag_runs_to_set_running(session)), None)
            if run is None:
                return {}
            assert run.backfill_id is not None
            run.dag = self._scheduler_dag()
            run.state, run.start_date = DagRunState.RUNNING, datetime.now(UTC)
            session.commit()
            self._loop(run, session)
            assert run.state == DagRunState.SUCCESS
            instances = run.get_task_instances(session=session)
            results = {each.task_id: each.xcom_pull(task_ids=each.task_id) for each in instances}
            return {run.logical_date: results}

    def _scheduler_dag(self) -> Any:
        from airflow.serialization.serialized_objects import DagSerialization

        return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(self._dag))

    def _loop(self, run: Any, session: Any) -> None:
        from airflow.utils.state import DagRunState

        from local.task_run import run_task

        while run.state == DagRunState.RUNNING:
            session.expire_all()
            ready, _ = run.update_state(session=session)
            for instance in ready:
                instance.try_number += 1
            session.commit()
            for instance in ready:
                run_task(instance, self._dag.task_dict[instance.task_id])


@pytest.fixture
def backfills(connections: pytest.MonkeyPatch) -> Iterator[Backfills]:
    from airflow.models.backfill import Backfill, BackfillDagRun
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    dag = load_dags(ROOT / "dags" / f"{DAG_ID}.py", retries=0)[DAG_ID]
    with create_session() as session:
        # A paused DAG's backfill waits.
        session.execute(update(DagModel).where(DagModel.dag_id == DAG_ID).values(is_paused=False))
    yield Backfills(dag)
    with create_session() as session:
        for table in (BackfillDagRun, DagRun, Backfill):
            session.execute(delete(table))


@pytest.fixture
def account(simulator: Running) -> Running:
    simulator.control.generate(
        seed=6, contacts=3000, lists=1, campaigns=8, events=12_000, recent_campaigns=2
    )
    return simulator


@pytest.fixture
def calls_by_run(sql_rows: Rows) -> Callable[[], dict[str, int]]:
    """How many API calls each run made, those that made any."""

    def count() -> dict[str, int]:
        rows = sql_rows(
            "SELECT run_id, count(*) AS n FROM ctct_api_call WHERE path LIKE '/v3/%' GROUP BY 1"
        )
        return {row["run_id"]: row["n"] for row in rows}

    return count


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="ascending"),
        pytest.param(["--run-backwards"], id="descending"),
    ],
)
def test_each_day_of_the_range_is_stored_and_one_run_asks_what_moved(
    account: Running, backfills: Backfills, crm_url: str, options: list[str]
) -> None:
    backfills.create(*options)
    returned = backfills.run_all()
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    assert list(returned) == (days[::-1] if options else days)
    ends = LAST + timedelta(days=1)
    assert happened(account, lambda when: FIRST <= when < ends) <= stored(crm_url)
    assert stored(crm_url) != happened(account)
    assert [run["campaigns"]["sent"] for run in returned.values()] == [8] + [0] * (DAYS - 1)


@pytest.mark.slow
def test_the_first_run_pays_for_all_and_a_second_backfill_costs_no_call(
    account: Running, backfills: Backfills, calls_by_run: Callable[[], dict[str, int]]
) -> None:
    backfills.create()
    backfills.run_all()
    paid = calls_by_run()
    (first,) = paid
    # A run's id has the time from which on it may run: its interval's end.
    assert f"{FIRST + timedelta(days=1):%Y-%m-%d}" in first
    backfills.end()
    backfills.create("--reprocess-behavior", "completed")
    again = backfills.run_all()
    assert len(again) == DAYS
    assert calls_by_run() == paid


@pytest.mark.slow
def test_params_of_a_backfill_reach_its_runs(
    account: Running, backfills: Backfills, crm_url: str
) -> None:
    backfills.create("--dag-run-conf", '{"since": "2001-01-01"}')
    backfills.run_all()
    assert stored(crm_url) == happened(account)
