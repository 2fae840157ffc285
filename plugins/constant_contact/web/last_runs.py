"""What Airflow knows of our DAGs and their last runs, in a few statements for all of them."""

from collections import defaultdict
from typing import Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XCOM_RETURN_KEY, XComModel
from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from constant_contact.web.access import DAG_PREFIX, may_edit_dag, may_trigger
from constant_contact.web.metadata import short
from constant_contact.web.syncs import SYNCS, Row, Run, known

_TAG: Final = "constant_contact"
_RUNS_SHOWN: Final = 14
_MOST_DAGS: Final = 100
# What every shard of a task tells of all streams alike.
_STANDING: Final = frozenset({"refused_streams", "short_streams", "shortfall"})


def rows(session: Session, user: BaseUser, noun: str | None = None) -> list[Row]:
    """Our DAGs that a user may read, or the one of a noun: three statements, however many.

    Raises:
        QueryTooSlow: Airflow's database takes too long.
    """
    with short(session):
        dags = _readable(_dags(session, noun), user)
        runs = _runs(session, dags)
    return [_row(dag, runs[dag.dag_id], user) for dag in dags]


def _dags(session: Session, noun: str | None) -> list[Any]:
    ours = (
        select(
            DagModel.dag_id,
            DagModel.is_paused,
            DagModel.next_dagrun_create_after,
        )
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(
            DagTag.name == _TAG,
            DagModel.dag_id.startswith(DAG_PREFIX, autoescape=True),
            ~DagModel.is_stale,
        )
        .limit(_MOST_DAGS)
    )
    if noun is not None:
        ours = ours.where(DagModel.dag_id == DAG_PREFIX + noun)
    order = {sync.dag_id: place for place, sync in enumerate(SYNCS)}
    found = session.execute(ours).all()
    return sorted(found, key=lambda dag: (order.get(dag.dag_id, len(order)), dag.dag_id))


def _readable(dags: list[Any], user: BaseUser) -> list[Any]:
    may = get_auth_manager().filter_authorized_dag_ids(
        dag_ids={dag.dag_id for dag in dags}, user=user
    )
    return [dag for dag in dags if dag.dag_id in may]


def _runs(session: Session, dags: list[Any]) -> dict[str, list[Run]]:
    """The last runs of each DAG, the newest first."""
    found: dict[str, list[Run]] = defaultdict(list)
    if not dags:
        return found
    newest = [
        select(
            select(DagRun.id)
            .where(DagRun.dag_id == dag.dag_id)
            .order_by(DagRun.id.desc())
            .limit(_RUNS_SHOWN)
            .subquery()
            .c.id
        )
        for dag in dags
    ]
    runs = session.execute(
        select(
            DagRun.id,
            DagRun.dag_id,
            DagRun.run_id,
            DagRun.state,
            func.coalesce(DagRun.start_date, DagRun.queued_at).label("begun_at"),
            DagRun.end_date,
        )
        .where(DagRun.id.in_(union_all(*newest)))
        .order_by(DagRun.id.desc())
    ).all()
    reports = _reports(session, [run.id for run in runs])
    for run in runs:
        told = _in_order(reports[run.id], known(run.dag_id.removeprefix(DAG_PREFIX)).tasks)
        found[run.dag_id].append(Run(run.run_id, str(run.state), run.begun_at, run.end_date, told))
    return found


def _reports(session: Session, run_ids: list[int]) -> dict[int, dict[str, dict[str, Any]]]:
    """What the tasks of runs told: by run, by task; what shards told is added up."""
    told: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    tasks = [task for sync in SYNCS for task in sync.tasks]
    values = session.execute(
        select(XComModel.dag_run_id, XComModel.task_id, XComModel.value).where(
            XComModel.dag_run_id.in_(run_ids),
            XComModel.task_id.in_(tasks),
            XComModel.key == XCOM_RETURN_KEY,
        )
    )
    for row in values:
        figures = XComModel.deserialize_value(row)
        if isinstance(figures, dict):
            of_run = told[row.dag_run_id]
            of_run[row.task_id] = _sum(of_run.get(row.task_id, {}), figures)
    return told


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    added = one | other
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict):
            added[name] = _sum(one[name], other[name])
        elif isinstance(one[name], int):
            both = (one[name], other[name])
            added[name] = max(both) if name in _STANDING else sum(both)
    return added


def _in_order(reports: dict[str, Any], tasks: tuple[str, ...]) -> dict[str, Any]:
    return {task: reports[task] for task in tasks if task in reports}


def _row(dag: Any, runs: list[Run], user: BaseUser) -> Row:
    sync = known(dag.dag_id.removeprefix(DAG_PREFIX))
    return Row(
        sync,
        dag.is_paused,
        None if dag.is_paused else dag.next_dagrun_create_after,
        runs,
        may_trigger=not sync.page and may_trigger(user, dag.dag_id),
        may_edit=may_edit_dag(user, dag.dag_id),
    )
