"""*Run now*: runs of our DAGs started by hand from our pages, and followed until they end."""

from typing import Final, Literal

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from fastapi import APIRouter, HTTPException, status
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from constant_contact.errors import QueryTooSlow
from constant_contact.web.frame import dag_runs
from constant_contact.web.frame.access import (
    RequireEditOfNoun,
    RequireTriggerOfNoun,
)
from constant_contact.web.frame.metadata import short
from constant_contact.web.frame.pages import go_to, page
from constant_contact.web.frame.visit import AnyVisit, Reading, Visit
from constant_contact.web.overview.last_runs import rows
from constant_contact.web.overview.syncs import Row

router = APIRouter(prefix="/runs")

NotStarted = Literal["active", "paused"]
NOT_STARTED: Final[dict[NotStarted, str]] = {
    "active": "A run that was started by hand has not ended yet: no other was started.",
    "paused": "It is paused, so no run would begin: unpause it first.",
}


@router.get("/{noun}")
def row(visit: Reading, noun: str) -> Response:
    """The row of one DAG, which takes the place of itself on the overview while it runs."""
    try:
        shown = _row(visit, noun)
    except QueryTooSlow:
        # What is shown stays, and is asked for again.
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return page(visit.request, "sync_row", row=shown, note="")


@router.post("/{noun}", dependencies=[RequireTriggerOfNoun])
def start(visit: AnyVisit, noun: str) -> Response:
    """Start a run, unless one that was started by hand has not ended."""
    shown = _row(visit, noun)
    if shown.sync.page:
        # Its runs need params: another page asks for them.
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    problem = _not_started(visit.session, shown.sync.dag_id)
    if problem is None:
        dag_runs.start(visit, noun)
    return _shown(visit, noun, problem)


@router.post("/{noun}/unpause", dependencies=[RequireEditOfNoun])
def unpause(visit: AnyVisit, noun: str) -> Response:
    """Let a DAG run again."""
    dag = _locked(visit.session, _row(visit, noun).sync.dag_id)
    dag.is_paused = False
    dag_runs.audit(visit, "patch_dag", dag.dag_id)
    return _shown(visit, noun, None)


def _not_started(session: Session, dag_id: str) -> NotStarted | None:
    """Why no run is to be started now. Of two who ask at once, one waits for the other here."""
    if _locked(session, dag_id).is_paused:
        return "paused"
    by_hand = select(DagRun.id).where(
        DagRun.dag_id == dag_id,
        DagRun.state.in_((DagRunState.QUEUED, DagRunState.RUNNING)),
        DagRun.run_type == DagRunType.MANUAL,
    )
    return "active" if session.scalar(by_hand.limit(1)) else None


def _locked(session: Session, dag_id: str) -> DagModel:
    """The DAG's row, locked until we are done."""
    with short(session):
        dag: DagModel | None = session.scalar(
            select(DagModel).where(DagModel.dag_id == dag_id, ~DagModel.is_stale).with_for_update()
        )
    if dag is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return dag


def _row(visit: Visit, noun: str) -> Row:
    found = rows(visit, noun)
    if not found:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return found[0]


def _shown(visit: Visit, noun: str, problem: NotStarted | None) -> Response:
    """The row as it is now; without JavaScript, the overview at that row."""
    if visit.request.headers.get("HX-Request"):
        note = NOT_STARTED[problem] if problem else ""
        return page(visit.request, "sync_row", row=_row(visit, noun), note=note)
    asked = f"?not_started={problem}" if problem else ""
    return go_to(visit.request, f"/{asked}#{noun}")
