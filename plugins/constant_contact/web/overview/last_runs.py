"""What Airflow knows of our DAGs and their last runs, in a few statements for all of them."""

from collections import defaultdict
from typing import Any, Final

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XCOM_RETURN_KEY, XComModel
from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from constant_contact.accounts import Account
from constant_contact.config import accounts
from constant_contact.web.frame.access import may_edit_dag, may_trigger, readable_dags
from constant_contact.web.frame.metadata import short
from constant_contact.web.frame.visit import Visit
from constant_contact.web.overview.syncs import SYNCS, Row, Run, Sync, account_of, syncs_of, unknown

_TAG: Final = "constant_contact"
_RUNS_SHOWN: Final = 14
_MOST_DAGS: Final = 100
# What every shard of a task tells of all streams alike.
_STANDING: Final = frozenset({"refused_streams", "short_streams", "shortfall"})


def rows(visit: Visit, noun: str | None = None) -> list[Row]:
    """An account's DAGs that a user may read, or the one of a noun: a few statements for all.

    Raises:
        SettingError: The option `accounts` is wrong.
        QueryTooSlow: Airflow's database takes too long.
    """
    session, user, account = visit.session, visit.user, visit.account
    known = syncs_of(account)
    with short(session):
        may_read = readable_dags_of(visit)
        dags = _dags(session, [dag_id for dag_id in may_read if _is_ours(dag_id, account, noun)])
        syncs = {dag.dag_id: known.get(dag.dag_id) or unknown(dag.dag_id, account) for dag in dags}
        runs = _runs(session, syncs)
        teams = DagModel.get_dag_id_to_team_name_mapping(list(syncs), session=session)
    order = {dag_id: place for place, dag_id in enumerate(known)}
    dags.sort(key=lambda dag: (order.get(dag.dag_id, len(order)), dag.dag_id))
    return [
        _row(dag, syncs[dag.dag_id], runs[dag.dag_id], user, teams.get(dag.dag_id)) for dag in dags
    ]


def readable_dags_of(visit: Visit) -> set[str]:
    """The ids of an account's DAGs that a user may read; the default one's are the others, too.

    Raises:
        SettingError: The option `accounts` is wrong.
    """
    among = accounts()
    may_read = readable_dags(visit.user, visit.session)
    return {dag_id for dag_id in may_read if account_of(dag_id, among) == visit.account}


def _is_ours(dag_id: str, account: Account, noun: str | None) -> bool:
    prefix = account.dag_id("")
    return dag_id.startswith(prefix) and noun in {None, dag_id.removeprefix(prefix)}


def _dags(session: Session, dag_ids: list[str]) -> list[Any]:
    ours = (
        select(
            DagModel.dag_id,
            DagModel.is_paused,
            DagModel.next_dagrun_create_after,
        )
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(
            DagTag.name == _TAG,
            DagModel.dag_id.in_(dag_ids),
            ~DagModel.is_stale,
        )
        .limit(_MOST_DAGS)
    )
    return list(session.execute(ours))


def _runs(session: Session, syncs: dict[str, Sync]) -> dict[str, list[Run]]:
    """The last runs of each DAG, the newest first."""
    found: dict[str, list[Run]] = defaultdict(list)
    if not syncs:
        return found
    newest = [
        select(
            select(DagRun.id)
            .where(DagRun.dag_id == dag_id)
            .order_by(DagRun.id.desc())
            .limit(_RUNS_SHOWN)
            .subquery()
            .c.id
        )
        for dag_id in syncs
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
        task_reports = _in_order(reports[run.id], syncs[run.dag_id].tasks)
        found[run.dag_id].append(
            Run(run.run_id, str(run.state), run.begun_at, run.end_date, task_reports)
        )
    return found


def _reports(session: Session, run_ids: list[int]) -> dict[int, dict[str, dict[str, Any]]]:
    """What the tasks of runs reported: by run, by task; shards are added up."""
    task_reports: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
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
            of_run = task_reports[row.dag_run_id]
            of_run[row.task_id] = _sum(of_run.get(row.task_id, {}), figures)
    return task_reports


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


def _row(dag: Any, sync: Sync, runs: list[Run], user: BaseUser, team_name: str | None) -> Row:
    details = DagDetails(id=dag.dag_id, team_name=team_name)
    return Row(
        sync,
        dag.is_paused,
        None if dag.is_paused else dag.next_dagrun_create_after,
        runs,
        may_trigger=not sync.page and may_trigger(user, details),
        may_edit=may_edit_dag(user, details),
    )
