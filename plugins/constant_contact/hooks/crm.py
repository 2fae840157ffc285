"""The CRM's Airflow connection, as a `Database`."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.errors import SettingError
from constant_contact.redact import redact
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
    look_up: Callable[[str], Any] = PostgresHook.get_connection,
) -> Database:
    """Return the CRM database of an Airflow connection of type `postgres`; connects when used.

    Args:
        conn_id: The connection's id.
        connection: The connection itself, where it was fetched already.
        connect_timeout_s: When a server that does not answer is given up; the connection's own
            `connect_timeout` wins.
        session_settings: Of each session, besides `store.session.SETTINGS`.
        make: What makes the `Database`, of the same arguments.
        look_up: Finds a connection by its id.

    Raises:
        SettingError: There is no such connection.
    """
    given = connection
    if given is None:
        with _told_if_missing(conn_id):
            given = look_up(conn_id)
    seam = load_seam(config.text("crm_folder") or SHIPPED, Account.of_crm(conn_id))
    elsewhere = config.text("contacts_conn_id")
    contacts = None
    if elsewhere and elsewhere != conn_id:
        contacts = crm_database(
            elsewhere,
            connect_timeout_s=connect_timeout_s,
            session_settings=session_settings,
            look_up=look_up,
        )
    return make(
        connector(given, connect_timeout_s),
        name=f"connection {conn_id}",
        settings=session_settings,
        seam=seam,
        contacts=contacts,
    )


def connector(given: Any, connect_timeout_s: int = 10) -> Callable[[], psycopg.Connection[Any]]:
    """Return what opens a connection to the database of an Airflow connection of any class.

    What it returns raises `SettingError` where the driver does not know an extra.
    """

    def connect() -> psycopg.Connection[Any]:
        with _told_if_odd(given.conn_id):
            return psycopg.connect(**_arguments(given, connect_timeout_s))

    return connect


async def connect_async(
    conn_id: str = DEFAULT_CRM_CONN_ID, *, connect_timeout_s: int = 10
) -> psycopg.AsyncConnection[Any]:
    """Open a connection of the event loop, in autocommit, to the database of `conn_id`.

    Raises:
        SettingError: There is no such connection, or the driver does not know an extra of it.
        psycopg.OperationalError: The server does not let us in.
    """
    with _told_if_missing(conn_id):
        given = await BaseHook.aget_connection(conn_id)
    if given.extra_dejson.get("iam"):
        # A cloud's token, whose library blocks.
        arguments = await asyncio.to_thread(_arguments, given, connect_timeout_s)
    else:
        arguments = _arguments(given, connect_timeout_s)
    with _told_if_odd(conn_id):
        return await psycopg.AsyncConnection.connect(**arguments, autocommit=True)


@contextmanager
def _told_if_odd(conn_id: str) -> Iterator[None]:
    """What the driver cannot connect with, before a server is asked, is the connection's fault."""
    try:
        yield
    except psycopg.ProgrammingError as error:
        raise SettingError(
            f"connection {conn_id}, field Extra",
            f"PostgreSQL's driver does not take it ({redact(str(error))}); correct or remove it",
        ) from None


@contextmanager
def _told_if_missing(conn_id: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        raise SettingError(
            f"connection {conn_id}",
            f"does not exist; add it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}",
        ) from None


def _arguments(given: Any, connect_timeout_s: int) -> dict[str, Any]:
    """What the driver connects with, as `PostgresHook` takes it from a connection.

    With a limit for a host which swallows packets. Not by PGCONNECT_TIMEOUT: Airflow's own
    connections of this process would have it too. Without what would change how the driver gives
    us rows and commits.
    """
    extra = given.extra_dejson
    login, password, port = given.login, given.password, given.port
    if extra.get("iam"):
        hook = PostgresHook(given.conn_id, connection=given)
        login, password, port = hook.get_iam_token(given)
    theirs = PostgresHook.ignored_extra_options | _OF_DRIVER
    return {
        "host": given.host,
        "user": login,
        "password": password,
        "dbname": given.schema,
        "port": port,
        "connect_timeout": connect_timeout_s,
        **{name: value for name, value in extra.items() if name not in theirs},
    }
