"""Holds: what the circuit breaker stopped, and Airflow's question about it, answered here too.

The answer goes to Airflow's public API, as one under *Required Actions* does, so Airflow shows who
gave it, and refuses one that is given twice.
"""

from typing import Annotated, Any, Final, Literal

from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from fastapi import APIRouter, Form, HTTPException, status
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select

from constant_contact.operators.holds import APPROVE, REJECT
from constant_contact.questions import after_rejection, deed, question_run_id
from constant_contact.sync import holds
from constant_contact.web.frame import airflow_api, dag_runs
from constant_contact.web.frame.access import MayAnswer, may_answer
from constant_contact.web.frame.pages import go_to, or_404, page
from constant_contact.web.frame.visit import AnyVisit, Reading, Visit

router = APIRouter(prefix="/holds")

_NOUN: Final = "approvals"
_QUESTION_TASK: Final = "approval"
_NOT_MAPPED: Final = -1


@router.get("/{hold_id}")
def show_hold(visit: Reading, hold_id: int) -> HTMLResponse:
    """What is held and would be done, and the question with its answer."""
    hold = or_404(holds.find_hold(visit.crm, hold_id), f"There is no hold {hold_id}.")
    run = _asking_run(visit, hold_id)
    return page(
        visit.request,
        "hold",
        hold=hold,
        deed=deed(hold),
        after_rejection=after_rejection(hold),
        noun="memberships" if hold.noun in holds.NOUNS["memberships"] else "opt_outs",
        cost=holds.cost(hold, visit.hook.settings),
        question=_question(visit, run) if run and run.goes_on else None,
        run=run,
        may_answer=may_answer(visit.user, visit.account),
        choices=(APPROVE, REJECT),
    )


@router.post("/{hold_id}/answer", dependencies=[MayAnswer])
async def answer(
    visit: AnyVisit, hold_id: int, choice: Annotated[Literal["Approve", "Reject"], Form()]
) -> RedirectResponse:
    """Answer as under Required Actions; the run that asked goes on with it."""
    run = _asking_run(visit, hold_id)
    if run is None or not run.goes_on:
        raise HTTPException(status.HTTP_404_NOT_FOUND, _SAID[status.HTTP_404_NOT_FOUND])
    replied = await airflow_api.patch(
        visit.request,
        "dags", run.dag_id, "dagRuns", run.run_id,
        "taskInstances", _QUESTION_TASK, str(_NOT_MAPPED), "hitlDetails",
        body={"chosen_options": [choice]},
    )  # fmt: skip
    if replied != status.HTTP_200_OK:
        raise HTTPException(replied, _SAID.get(replied))
    return go_to(visit.request, f"/holds/{hold_id}")


_SAID: Final = {
    404: "Airflow does not ask about this hold now: load its page again.",
    409: "This question was answered before: load its page again.",
}


def _asking_run(visit: Visit, hold_id: int) -> dag_runs.Run | None:
    """The newest run that asks about a hold, or did."""
    first = question_run_id(hold_id)
    again = dag_runs.named(visit, _NOUN, f"{first}_")
    return again[0] if again else dag_runs.find(visit, _NOUN, first)


def _question(visit: Visit, run: dag_runs.Run) -> dict[str, Any] | None:
    """The question as Airflow has it; None while it is not put."""
    asked = visit.session.scalar(
        select(HITLDetail)
        .join(TaskInstance, HITLDetail.ti_id == TaskInstance.id)
        .where(
            TaskInstance.dag_id == run.dag_id,
            TaskInstance.run_id == run.run_id,
            TaskInstance.task_id == _QUESTION_TASK,
        )
    )
    if asked is None:
        return None
    return {
        "is_answered": asked.response_received,
        "answer": ", ".join(asked.chosen_options or ()),
        "by": (asked.responded_by_user or {}).get("name"),
        "at": asked.responded_at,
    }
