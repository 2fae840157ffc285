"""The CRM's Airflow connection, as a `Database`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact.errors import SettingError
from constant_contact.store.database import Database

DEFAULT_CRM_CONN_ID = "crm_default"
# Extras that are for the connection's other users: the rows' form, and who commits.
_OF_DRIVER = frozenset({"cursor", "cursor_factory", "row_factory", "autocommit"})


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
        session_settings: Of each session, besides `store.session.SETTINGS`.
        make: What makes the `Database`, of the same arguments.

    Raises:
        SettingError: There is no such connection.
    """
    try:
        given = connection or PostgresHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise SettingError(
            f"connection {conn_id}",
            f"does not exist; add it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}",
        ) from None
    hook = PostgresHook(conn_id, connection=_ours(given, connect_timeout_s))

    def connect() -> psycopg.Connection[Any]:
        return cast("psycopg.Connection[Any]", hook.get_conn())

    return make(connect, name=f"connection {conn_id}", settings=session_settings)


def _ours(given: Any, connect_timeout_s: int) -> Connection:
    """A copy that gives up a host which swallows packets, whichever class of Airflow's it is.

    Not by PGCONNECT_TIMEOUT: Airflow's own connections of this process would have it too. Without
    what would change how the driver gives us rows and commits.
    """
    extra = {key: value for key, value in given.extra_dejson.items() if key not in _OF_DRIVER}
    return Connection(
        conn_id=given.conn_id,
        conn_type=given.conn_type,
        host=given.host,
        schema=given.schema,
        login=given.login,
        password=given.password,
        port=given.port,
        extra=json.dumps({"connect_timeout": connect_timeout_s} | extra),
    )
