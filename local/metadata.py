"""Airflow's own database: made or brought up to date before anything uses it.

Import this only in a process whose environment is set: it imports Airflow.
"""

from airflow import settings
from airflow.utils import db
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from local.environment import METADATA
from local.locks import locked
from local.paths import LOCAL
from local.stop import Stop

_LOCK = LOCAL / "airflow" / "migration.lock"


def prepare_metadata(*, local: bool) -> None:
    """Migrates it where needed, once, however many processes ask at the same time.

    Args:
        local: false for a database that the user named. That one is filled when it is empty, but
            never upgraded: other components of another version may be running on it.

    Raises:
        Stop: it does not answer, or it is the user's and of another version.
    """
    # outside the lock too: the common case does not wait
    if _revision() == _head():
        return
    with locked(_LOCK):
        revision = _revision()
        if revision == _head():
            return
        if revision and not local:
            raise Stop(
                f"Airflow's metadata database in {METADATA} is of another version than this"
                " Airflow: run `airflow db migrate` there, or unset it for the local one"
            )
        db.initdb()


def _head() -> str:
    return list(db._REVISION_HEADS_MAP.values())[-1]


def _revision() -> str | None:
    engine: Engine = settings.get_engine()  # type: ignore[no-untyped-call]
    try:
        if not inspect(engine).has_table("alembic_version"):
            return None
        with engine.connect() as connection:
            revision: str | None = connection.scalar(
                text("SELECT version_num FROM alembic_version")
            )
            return revision
    except OperationalError as error:
        raise Stop(
            f"Airflow's metadata database does not answer: check {METADATA}"
            f" (host {engine.url.host or 'by socket'}, database {engine.url.database})"
        ) from error
