"""What Airflow's tests have in common that is no fixture."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.conninfo import conninfo_to_dict

from simulator.server import Running

ROOT = Path(__file__).resolve().parents[2]

_OPTIONS = "AIRFLOW__CONSTANT_CONTACT__"


class Ran(NamedTuple):
    """How a DAG run ended: its state, each task's state and return value, and what was logged."""

    state: str
    tasks: dict[str, str]
    returned: dict[str, Any]
    log: str


Run = Callable[..., Ran]
Start = Callable[..., Any]


def load_dags(path: Path, retries: int | None = None) -> dict[str, Any]:
    """The DAGs of a file or a folder by id, as they are with the options of this moment.

    Airflow's database knows them then: they are stored again only where the options that they
    follow have changed, or a test of one DAG would spend most of its time on that. They are
    parsed for each test, since a task keeps what was rendered for its last run.

    Args:
        retries: For each of their tasks, if not what the DAG says.
    """
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    bag = DagBag(path)
    assert not bag.import_errors, bag.import_errors
    options = {name: value for name, value in os.environ.items() if name.startswith(_OPTIONS)}
    if _stored.get(path) != options:
        DagBundlesManager().sync_bundles_to_db()
        sync_bag_to_db(bag, "dags-folder", None)
        if options not in _stored.values():
            _stored.clear()
        _stored[path] = options
    if retries is not None:
        for task in (task for dag in bag.dags.values() for task in dag.tasks):
            task.retries = retries
    return dict(bag.dags)


#: with which options the DAGs of a file or folder are in Airflow's database
_stored: dict[Path, dict[str, str]] = {}


def crm_connection(url: str, search_path: str | None = None) -> str:
    """The CRM database as the value of AIRFLOW_CONN_CRM_DEFAULT, or of another account's."""
    parts = conninfo_to_dict(url)
    extra = {"options": f"-csearch_path={search_path}"} if search_path else {}
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": parts.get("host"),
            "port": int(parts["port"]) if parts.get("port") else None,
            "login": parts.get("user"),
            "password": parts.get("password"),
            "schema": parts.get("dbname"),
            "extra": extra,
        }
    )


def account_connection(simulator: Running, **fields: Any) -> str:
    """The simulated account as the value of AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT."""
    extra = {
        "authorize_url": f"{simulator.url}/oauth2/default/v1/authorize",
        "token_url": f"{simulator.url}/oauth2/default/v1/token",
        "refresh_token": simulator.control.grant(),
        "calls_per_second": "2000",
        "calls_per_day": "1000000",
        "timeout_s": "30",
    }
    return json.dumps(
        {
            "conn_type": "constant_contact",
            "host": simulator.url,
            "login": "demo-api-key",
            "password": "demo-secret",
            "port": 443,
            "extra": extra | fields.pop("extra", {}),
        }
        | fields
    )


def pause_all(is_paused: bool, *dag_ids: str) -> None:
    """Switch DAGs off, or on: all that Airflow knows, unless some are named."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import true, update

    with create_session() as session:
        which = DagModel.dag_id.in_(dag_ids) if dag_ids else true()
        session.execute(update(DagModel).where(which).values(is_paused=is_paused))


def of_account(dag_id: str, account: str) -> str:
    """The DAG of an account that is another's DAG `dag_id`; of the default one, itself."""
    return dag_id.replace("constant_contact", f"constant_contact_{account}".strip("_"))


def carry_on(
    dag_id: str, *task_ids: str, run_id: str | None = None, account: str = ""
) -> dict[str, str]:
    """Go on with a run that something else started, as a scheduler does; returns task → state.

    Args:
        dag_id: Of the only run there is, unless
        task_ids: Those to run, in this order; all of one task's DAG if none is given.
        run_id: says which.
        account: Whose DAG, if not the default one's.
    """
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    from local.task_run import run_task

    dags = load_dags(ROOT / "dags" / f"{dag_id}.py")
    dag_id = of_account(dag_id, account)
    dag = dags[dag_id]
    named = {"run_id": run_id} if run_id else {}
    with create_session() as session:
        run = session.query(DagRun).filter_by(dag_id=dag_id, **named).one()
        instances = {each.task_id: each for each in run.get_task_instances()}
    for task_id in task_ids or dag.task_ids:
        instance = instances[task_id]
        instance.try_number = max(instance.try_number, 1)
        run_task(instance, dag.task_dict[task_id])
    with create_session() as session:
        run = session.query(DagRun).filter_by(dag_id=dag_id, **named).one()
        return {each.task_id: str(each.state) for each in run.get_task_instances()}
