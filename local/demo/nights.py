"""The DAGs, run through Airflow one after the other, and what each reports.

Imports Airflow: only after its environment is set.
"""

import json
import time
from typing import Any

from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from sqlalchemy import select

from local.dag_files import load_dag
from local.dag_run import ForegroundRun
from local.demo.dag_report import DagReport
from local.demo.progress import Progress
from local.run_date import when
from local.stop import Stop
from local.terminal import Terminal

# Opt-outs first: a contact that opted out that day is put on no list.
DAGS = ("lists", "contacts", "activities", "opt_outs", "list_memberships")
PREFIX = "constant_contact_"


class Nights:
    """Runs nights of DAGs and keeps how they went."""

    def __init__(self, terminal: Terminal, progress: Progress) -> None:
        self._terminal = terminal
        self._progress = progress
        self.reports: list[DagReport] = []

    def run(self, night: str, confs: dict[str, dict[str, Any]]) -> list[DagReport]:
        """Run all DAGs; a conf is given by the DAG's noun.

        Raises:
            Stop: A run did not succeed.
        """
        return [self._run(night, noun, confs.get(noun, {})) for noun in DAGS]

    def check(self, night: str) -> DagReport:
        """Run the check, as a person does before the first night."""
        return self._run(night, "check", {})

    def _run(self, night: str, noun: str, conf: dict[str, Any]) -> DagReport:
        dag_id = PREFIX + noun
        self._progress.begin(f"{night}: {dag_id}")
        started = time.monotonic()
        dag = load_dag(dag_id)
        outcome = ForegroundRun(dag, when(dag, None), conf, self._terminal).execute()
        seconds = time.monotonic() - started
        report = DagReport(
            night,
            dag_id,
            outcome.run_id,
            str(outcome.state.value),
            seconds,
            _returned(outcome.run_id),
        )
        self.reports.append(report)
        if outcome.waits or outcome.state != DagRunState.SUCCESS:
            raise Stop(
                f"{dag_id} {'waits' if outcome.waits else 'failed'}: "
                f"{outcome.waits or outcome.reason}\nits complete log: {self._terminal.file}"
            )
        self._progress.end(f"{night}: {dag_id} succeeded in {seconds:.1f} s")
        return report


def _returned(run_id: str) -> dict[str, dict[str, Any]]:
    with create_session() as session:
        query = select(XComModel.task_id, XComModel.value).where(
            XComModel.run_id == run_id, XComModel.key == "return_value"
        )
        rows = session.execute(query).all()
    values = {task: json.loads(value) if isinstance(value, str) else value for task, value in rows}
    return {task: value for task, value in values.items() if isinstance(value, dict)}
