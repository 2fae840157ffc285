"""A question to a person whose run in Airflow is lost, failed or was marked as failed."""

from collections.abc import Callable

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start
from tests.airflow.questions import APPROVALS, PAGE, Question, runs
from tests.airflow.site import Site
from tests.support import Rows


def lose_runs() -> None:
    """As a new environment of a managed Airflow, or a lost database of Airflow's."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        for run in session.query(DagRun).filter_by(dag_id=APPROVALS):
            session.delete(run)


def fail_runs() -> None:
    """A person marks the runs as failed, as docs/operations.md says after a restore."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, TaskInstanceState

    with create_session() as session:
        for run in session.query(DagRun).filter_by(dag_id=APPROVALS):
            run.set_state(DagRunState.FAILED)
            for each in run.task_instances:
                if each.state != TaskInstanceState.SUCCESS:
                    each.state = TaskInstanceState.FAILED


@pytest.mark.parametrize(
    ("happens", "run_ids"), [(lose_runs, ["hold_1"]), (fail_runs, ["hold_1", "hold_1_2"])]
)
def test_a_question_that_nobody_is_asked_any_more_is_put_again(
    asked: Question, start_dag: Start, site: Site, sql_rows: Rows,
    happens: Callable[[], None], run_ids: list[str],
) -> None:  # fmt: skip
    happens()
    shown = site.get(PAGE, "OP").text
    assert "Airflow asks with the next run of constant_contact_opt_outs" in shown
    assert "<form" not in shown
    assert site.post(f"{PAGE}/answer", choice="Approve").status == 404
    for _ in range(2):
        start_dag("constant_contact_opt_outs")
    assert runs() == run_ids
    asked.run("ask", "approval", run_id=run_ids[-1])
    assert site.post(f"{PAGE}/answer", choice="Approve").status == 303
    asked.run("approval", "answer", run_id=run_ids[-1])
    start_dag("constant_contact_opt_outs")
    assert sql_rows("SELECT DISTINCT status FROM crm_opt_out_change") == [{"status": "done"}]
    start_dag("constant_contact_opt_outs")
    assert runs() == run_ids


def test_a_question_that_failed_before_it_was_put_is_put_again(
    mass_opt_out: Running,
    start_dag: Start,
) -> None:
    for _ in range(2):
        start_dag("constant_contact_opt_outs")
    assert runs() == ["hold_1"]
    fail_runs()
    start_dag("constant_contact_opt_outs")
    assert runs() == ["hold_1", "hold_1_2"]


def test_nobody_is_asked_about_what_waits_no_more(
    mass_opt_out: Running,
    start_dag: Start,
    sql_rows: Rows,
) -> None:
    for _ in range(2):
        start_dag("constant_contact_opt_outs")
    fail_runs()
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    for _ in range(3):
        start_dag("constant_contact_opt_outs")
    assert len(runs()) <= 2
