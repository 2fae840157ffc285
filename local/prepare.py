"""`python -m local.prepare`: what Airflow's components need before they start.

A process of its own, because `make up` itself never imports Airflow: it only watches.
"""

import os

from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from sqlalchemy import delete, update

from local.dag_run import abandon_orphans
from local.environment import CONSTANT_CONTACT
from local.metadata import prepare_metadata
from local.paths import LOCAL
from local.stop import command

OWN, DEMO, FOREIGN = "own", "demo", "foreign"
_CONN_ID = "constant_contact_default"
_CONNECTED_TO = LOCAL / "airflow" / "connected_to"


def main() -> int:
    """Takes from the environment what `make up` knows of the stack."""
    target = os.environ["LOCAL_TARGET"]
    prepare_metadata(local=target != FOREIGN)
    abandon_orphans()
    if target != FOREIGN:
        switch_dags(target)
    if target == DEMO:
        keep_connection(os.environ[CONSTANT_CONTACT])
    return 0


def keep_connection(value: str) -> None:
    """Puts the demo's account into Airflow's database, where the UI can change it.

    Each time: the simulator of last time is gone, and its tokens with it.
    """
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == _CONN_ID))
        session.add(Connection.from_json(value, _CONN_ID))


def switch_dags(target: str) -> None:
    """Sets every DAG's switch when the connections are others than last time.

    To a user's own CRM and account nothing is sent unasked: all are off. On the demo's, all are on,
    for one wants to see them work. As long as the connections stay, what the user switched stays.
    """
    before = _CONNECTED_TO.read_text() if _CONNECTED_TO.exists() else ""
    if before == target:
        return
    with create_session() as session:
        session.execute(update(DagModel).values(is_paused=target == OWN))
    _CONNECTED_TO.write_text(target)


if __name__ == "__main__":
    command(main)
