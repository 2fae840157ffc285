"""Airflow's connections, as a command reads them: no DAG run hands them out here."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.models.connection import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact.errors import ConstantContactError, SettingError


def named(conn_id: str) -> str:
    """What a person calls a connection of Airflow's."""
    return f"connection {conn_id}"


def connection(conn_id: str) -> Connection:
    """Find a connection in the environment, a secrets backend or Airflow's database.

    Raises:
        SettingError: There is none.
    """
    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        raise SettingError(
            named(conn_id),
            f"does not exist; add it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}",
        ) from None


@contextmanager
def one_line() -> Iterator[None]:
    """End the command with what an error of ours says, and nothing else."""
    try:
        yield
    except ConstantContactError as error:
        raise SystemExit(str(error)) from None
