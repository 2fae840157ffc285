"""Runs of our DAGs, started from a page as Airflow's own button starts them, and followed."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple

from airflow.api.common.trigger_dag import trigger_dag
from airflow.exceptions import DagNotFound, DagRunAlreadyExists
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.utils.state import State
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from fastapi import Form, HTTPException, status
from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError

from constant_contact.web.frame.visit import Visit

_MOST_SHOWN = 5
# Made with each page: a button that is pressed twice counts once.
Once = Annotated[str, Form(pattern="^[0-9a-f]{8}$")]


class Run(NamedTuple):
    """A DAG run as a page shows it."""

    dag_id: str
    run_id: str
    state: str
    by: str | None
    queued_at: datetime | None
    is_paused: bool

    @property
    def goes_on(self) -> bool:
        """Whether there is something to wait for."""
        return self.state not in State.finished_dr_states


def once() -> str:
    """What makes the buttons of one page one press."""
    return secrets.token_hex(4)


def start(
    visit: Visit, noun: str, run_id: str | None = None, conf: Mapping[str, object] | None = None
) -> None:
    """Start a run of the noun's DAG in the user's name; one that has this id already is the one.

    Without an id, Airflow gives it one.

    Raises:
        HTTPException: 404; Airflow does not know the DAG. 409; it refuses runs by hand.
    """
    dag_id = visit.account.dag_id(noun)
    try:
        with visit.session.begin_nested():
            run = trigger_dag(
                dag_id,
                run_id=run_id,
                conf=None if conf is None else dict(conf),
                triggered_by=DagRunTriggeredByType.UI,
                run_type=DagRunType.MANUAL,
                triggering_user_name=visit.user.get_name(),
                session=visit.session,
            )
    except DagNotFound:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND,
            f"Airflow does not know the DAG {dag_id}: see whether its file has import errors.",
        ) from None
    except (DagRunAlreadyExists, IntegrityError):
        # The second press of one button, after the first or beside it.
        return
    except ValueError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, f"{error}.") from None
    audit(visit, "trigger_dag_run", dag_id, run.run_id if run else None)


def audit(visit: Visit, event: str, dag_id: str, run_id: str | None = None) -> None:
    """Add a line to Airflow's audit log, as its own routes do."""
    name = visit.user.get_name()
    visit.session.add(
        Log(
            event=event,
            owner=name,
            owner_display_name=name,
            extra=json.dumps({"page": "constant_contact"}),
            dag_id=dag_id,
            run_id=run_id,
        )
    )
    visit.session.flush()


def find(visit: Visit, noun: str, run_id: str) -> Run | None:
    """A run of the noun's DAG by its id."""
    return next(iter(_runs(visit, noun, DagRun.run_id == run_id)), None)


def named(visit: Visit, noun: str, prefix: str) -> list[Run]:
    """The newest runs of the noun's DAG whose ids begin so."""
    return _runs(visit, noun, DagRun.run_id.startswith(prefix, autoescape=True))


def _runs(visit: Visit, noun: str, condition: ColumnElement[bool]) -> list[Run]:
    found = visit.session.execute(
        select(
            DagRun.dag_id,
            DagRun.run_id,
            DagRun.state,
            DagRun.triggering_user_name,
            DagRun.queued_at,
            DagModel.is_paused,
        )
        .join(DagModel, DagModel.dag_id == DagRun.dag_id)
        .where(DagRun.dag_id == visit.account.dag_id(noun), condition)
        .order_by(DagRun.id.desc())
        .limit(_MOST_SHOWN)
    )
    return [Run(*each) for each in found]
