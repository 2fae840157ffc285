"""Where Airflow has a connection from: only its own database can be written by a page."""

import logging
from dataclasses import dataclass

from airflow.configuration import ensure_secrets_loaded
from airflow.secrets.environment_variables import EnvironmentVariablesBackend
from airflow.secrets.metastore import MetastoreBackend

_log = logging.getLogger("constant_contact.web")


@dataclass(frozen=True)
class Source:
    """Where a connection is defined.

    Attributes:
        name: As a person knows the place.
        is_writable: Whether it is Airflow's database.
    """

    name: str
    is_writable: bool = False


def source_of(conn_id: str) -> Source | None:
    """The first place that has the connection, in Airflow's own order; None if none has."""
    for backend in ensure_secrets_loaded():
        try:
            found = backend.get_connection(conn_id=conn_id)
        except Exception as error:  # noqa: BLE001 - as Airflow: the next place is asked
            _log.debug("%s was not asked (%s)", type(backend).__name__, type(error).__name__)
            continue
        if found is None:
            continue
        if isinstance(backend, MetastoreBackend):
            return Source("Airflow's database", is_writable=True)
        if isinstance(backend, EnvironmentVariablesBackend):
            return Source(f"the environment, AIRFLOW_CONN_{conn_id.upper()}")
        return Source(f"the secrets backend {type(backend).__name__}")
    return None
