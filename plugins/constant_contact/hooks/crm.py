"""The CRM's Airflow connection, as a `Database`."""

import os
from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact.errors import SettingError
from constant_contact.store.database import Database

DEFAULT_CRM_CONN_ID = "crm_default"


def crm_database(
    conn_id: str = DEFAULT_CRM_CONN_ID,
    connection: Any = None,
    *,
    connect_timeout_s: int = 10,
    session_settings: Mapping[str, str] | None = None,
    make: Callable[..., Database] = Database,
) -> Database:
    """Return the CRM database of an Airflow connection of type `postgres`; connects when used.

    Args:
        conn_id: The connection's id.
        connection: The connection itself, where it was fetched already.
        connect_timeout_s: When a server that does not answer is given up; the connection's own
            `connect_timeout` wins.
        session_settings: What PostgreSQL is told when a connection is made, such as timeouts.
        make: What makes the `Database`, of the same arguments.

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
        # A host that swallows packets is no reason to wait for minutes.
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(connect_timeout_s))
        made = cast("psycopg.Connection[Any]", hook.get_conn())
        for name, value in (session_settings or {}).items():
            made.execute("SELECT set_config(%s, %s, false)", (name, value))
        made.commit()
        return made

    return make(connect, name=f"connection {conn_id}")
