"""What belongs to a team of Airflow's that no user here is in."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from constant_contact.accounts import Account


def forget_teams() -> None:
    """Empty what Airflow keeps of them from one request to the next; 3.2 keeps nothing."""
    from airflow.models import dag

    if hasattr(dag, "clear_team_name_cache"):
        dag.clear_team_name_cache()


@contextmanager
def another_team(dag_ids: Iterable[str], conn_id: str) -> Iterator[None]:
    """These DAGs and this connection are the team's, until the end."""
    from airflow.models.connection import Connection
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    def move(bundle: str) -> None:
        with create_session() as session:
            ours = update(DagModel).where(DagModel.dag_id.in_(dag_ids))
            session.execute(ours.values(bundle_name=bundle))
        forget_teams()

    with create_session() as session:
        team = Team(name="others")
        bundle = DagBundleModel(name="theirs")
        bundle.teams.append(team)
        session.add_all((team, bundle))
        session.flush()
        session.add(Connection(conn_id=conn_id, conn_type="constant_contact", team_name="others"))
    try:
        move("theirs")
        yield
    finally:
        move("dags-folder")
        with create_session() as session:
            session.execute(delete(Connection).where(Connection.conn_id == conn_id))
            session.execute(delete(DagBundleModel).where(DagBundleModel.name == "theirs"))
            session.execute(delete(Team))


def team_of(account: Account) -> AbstractContextManager[None]:
    """All DAGs of an account and its connection are the team's."""
    from constant_contact.web.overview.syncs import syncs_of

    return another_team(list(syncs_of(account)), account.constant_contact_conn_id)
