"""The CRM's Airflow connection, as a `Database`."""

import os
from typing import Any, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact.errors import SettingError
from constant_contact.store.database import Database

DEFAULT_CRM_CONN_ID = "crm_default"
_CONNECT_TIMEOUT_S = 10


def crm_database(conn_id: str = DEFAULT_CRM_CONN_ID, connection: Any = None) -> Database:
    """Return the CRM database of an Airflow connection of type `postgres`; connects when used.

    Args:
        conn_id: The connection's id.
        connection: The connection itself, where it was fetched already.

    Raises:
        SettingError: There is no such connection.
    """
    try:
        hook = PostgresHook(conn_id, connection=connection)
        _ = hook.connection
    except AirflowNotFoundException:
        raise SettingError(
            f"connection {conn_id}",
            f"does not exist; add it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}",
        ) from None

    def connect() -> psycopg.Connection[Any]:
        # A host that swallows packets is no reason to wait for minutes; the connection's own
        # connect_timeout wins.
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(_CONNECT_TIMEOUT_S))
        return cast("psycopg.Connection[Any]", hook.get_conn())

    return Database(connect, name=f"connection {conn_id}")
