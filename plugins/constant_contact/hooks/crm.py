"""The CRM's Airflow connection, as a `Database`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.store.seam import SHIPPED, load_seam

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
    seam = load_seam(config.text("crm_folder") or SHIPPED, Account.of(conn_id))
    elsewhere = config.text("contacts_conn_id")
    contacts = None
    if elsewhere and elsewhere != conn_id:
        contacts = crm_database(
            elsewhere, connect_timeout_s=connect_timeout_s, session_settings=session_settings
        )
    return make(
        connector(given, connect_timeout_s),
        name=f"connection {conn_id}",
        settings=session_settings,
        seam=seam,
        contacts=contacts,
    )


def connector(given: Any, connect_timeout_s: int = 10) -> Callable[[], psycopg.Connection[Any]]:
    """Return what opens a connection to the database of an Airflow connection.

    Args:
        given: The connection, whichever class of Airflow's it is.
        connect_timeout_s: As `crm_database`.
    """
    hook = PostgresHook(given.conn_id, connection=_ours(given, connect_timeout_s))
    return lambda: cast("psycopg.Connection[Any]", hook.get_conn())


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
