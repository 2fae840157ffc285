"""Holds: what the circuit breaker stopped, and Airflow's question about it, answered here too.

The answer goes the way of Airflow's own *Required Actions*, so Airflow shows who gave it, and one
that is given twice is refused.
"""

from inspect import signature
from typing import Annotated, Any, Final, Literal

from airflow.api_fastapi.common.dagbag import create_dag_bag
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from fastapi import APIRouter, Depends, Form, HTTPException, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from constant_contact.operators.holds import APPROVE, REJECT
from constant_contact.sync import holds
from constant_contact.web.frame import dag_runs
from constant_contact.web.frame.access import CurrentUser, MayAnswer, MayRead, may_answer
from constant_contact.web.frame.accounts import CurrentAccount
from constant_contact.web.frame.crm import PageHook
from constant_contact.web.frame.pages import go_to, page

router = APIRouter(prefix="/holds")

_QUESTION_TASK: Final = "approval"
# Airflow 3.4 looks the DAG up, too.
_MORE: Final[dict[str, Any]] = (
    {"dag_bag": create_dag_bag()} if "dag_bag" in signature(update_hitl_detail).parameters else {}
)


@router.get("/{hold_id}")
def show_hold(
    request: Request,
    *,
    _may: MayRead,
    user: CurrentUser,
    account: CurrentAccount,
    session: SessionDep,
    hook: PageHook,
    hold_id: int,
) -> HTMLResponse:
    """What is held and would be done, and the question with its answer."""
    hold = holds.look(hook.crm, hold_id)
    if hold is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no hold {hold_id}.")
    approvals_dag = account.dag_id("approvals")
    return page(
        request,
        "hold",
        hold=hold,
        cost=holds.cost(hold, hook.settings),
        question=_question(session, approvals_dag, hold_id),
        run=dag_runs.find(session, approvals_dag, _run_id(hold_id)),
        may_answer=may_answer(user, account),
        choices=(APPROVE, REJECT),
    )


@router.post(
    "/{hold_id}/answer",
    dependencies=[MayAnswer, Depends(action_logging("update_hitl_detail"))],
)
def answer(
    request: Request,
    *,
    user: CurrentUser,
    account: CurrentAccount,
    session: SessionDep,
    hold_id: int,
    choice: Annotated[Literal["Approve", "Reject"], Form()],
) -> RedirectResponse:
    """Answer as under Required Actions; the run that asked goes on with it."""
    try:
        update_hitl_detail(
            dag_id=account.dag_id("approvals"),
            dag_run_id=_run_id(hold_id),
            task_id=_QUESTION_TASK,
            update_hitl_detail_payload=UpdateHITLDetailPayload(chosen_options=[choice]),
            user=user,
            session=session,
            **_MORE,
        )
    except HTTPException as error:
        raise HTTPException(error.status_code, _SAID.get(error.status_code)) from None
    return go_to(request, f"/holds/{hold_id}")


_SAID: Final = {
    404: "Airflow does not ask about this hold now: load its page again.",
    409: "Somebody has answered this question before: load its page again.",
}


def _run_id(hold_id: int) -> str:
    # as sensors.outbox names it
    return f"hold_{hold_id}"


def _question(session: Session, approvals_dag: str, hold_id: int) -> dict[str, Any] | None:
    """The question as Airflow has it; None while it is not put."""
    asked = session.scalar(
        select(HITLDetail)
        .join(TaskInstance, HITLDetail.ti_id == TaskInstance.id)
        .where(
            TaskInstance.dag_id == approvals_dag,
            TaskInstance.run_id == _run_id(hold_id),
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
