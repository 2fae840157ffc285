"""The question to a person about what the circuit breaker holds, as tests have it put."""

from tests.airflow.airflow_runs import carry_on
from tests.airflow.site import Site

APPROVALS = "constant_contact_approvals"
PEOPLE = 8
PAGE = "/constant-contact/holds/1"


def runs() -> list[str]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        return [run.run_id for run in session.query(DagRun).filter_by(dag_id=APPROVALS)]


class Question:
    """The run that asks: carried on with as a scheduler does."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def run(self, *task_ids: str, run_id: str | None = None) -> None:
        carry_on(APPROVALS, *task_ids, run_id=run_id)

    def answer(self, choice: str) -> None:
        """A person answers, by Airflow's own route."""
        said = self._site.patch(
            f"/api/v2/dags/{APPROVALS}/dagRuns/hold_1/taskInstances/approval/-1/hitlDetails",
            chosen_options=[choice],
            params_input={},
        )
        assert said.status == 200, said.text
