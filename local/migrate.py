"""`make migrate`: the CRM's schema, up to date, of each account.

On `AIRFLOW_CONN_CRM_DEFAULT` where it is set, on the local CRM otherwise; then on
`AIRFLOW_CONN_CRM_NAME` of each account that `AIRFLOW__CONSTANT_CONTACT__ACCOUNTS` names.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from constant_contact.accounts import DEFAULT, Account, accounts_named
from constant_contact.errors import Fatal, Retriable
from constant_contact.store.installation import Installed, install_account
from constant_contact.store.seam import SHIPPED, load_seam
from constant_contact.store.session import settle
from local.environment import CRM, airflow_environment, own_connections
from local.postgres import AIRFLOW_DATABASE, CRM_DATABASE, LocalPostgres
from local.stop import USAGE, Stop, command, one_line

ACCOUNTS = "AIRFLOW__CONSTANT_CONTACT__ACCOUNTS"
CRM_FOLDER = "AIRFLOW__CONSTANT_CONTACT__CRM_FOLDER"
CONTACTS_CONN_ID = "AIRFLOW__CONSTANT_CONTACT__CONTACTS_CONN_ID"


def main() -> int:
    """Says what was applied."""
    default, *others = _accounts()
    variables = {account: f"AIRFLOW_CONN_{account.crm_conn_id.upper()}" for account in others}
    for account, variable in variables.items():
        if not os.environ.get(variable):
            raise Stop(f"{variable} is not set, but {ACCOUNTS} names {account.name}", USAGE)
    if os.environ.get(CRM):
        _tell(_migrate_named(default, CRM, is_only=not others), f"the CRM of {CRM}")
    else:
        # an account alone is half a setup: the CRM that is meant would stay as it is
        own_connections(os.environ)
        _tell(_migrate_local(), "the local CRM")
    for account, variable in variables.items():
        _tell(_migrate_named(account, variable), f"the CRM of {variable}")
    return 0


def _accounts() -> tuple[Account, ...]:
    try:
        return accounts_named(os.environ.get(ACCOUNTS, ""))
    except ValueError as error:
        raise Stop(f"{ACCOUNTS}: {error}", USAGE) from None


def _tell(installed: Installed, where: str) -> None:
    for line in installed.lines(where):
        print(line)
    if installed.problems:
        raise Stop("\n".join(installed.problems))


def _migrate_local() -> Installed:
    with LocalPostgres() as postgres, psycopg.connect(postgres.url(CRM_DATABASE)) as connection:
        return _install(connection, DEFAULT, "the local CRM", is_only=True)


def _migrate_named(account: Account, variable: str, *, is_only: bool = False) -> Installed:
    # Airflow reads the connection from the environment: its own database stays untouched, and
    # need not run
    environment = airflow_environment(
        os.environ,
        metadata_url=LocalPostgres().url(AIRFLOW_DATABASE, "psycopg2"),
        connections={variable: os.environ[variable]},
        paused=True,
    )
    os.environ.update(environment)
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    with closing(_connect(account.crm_conn_id, variable)) as connection, connection:
        return _install(connection, account, variable, is_only=is_only)


def _install(
    connection: psycopg.Connection[Any], account: Account, seen_by: str, *, is_only: bool
) -> Installed:
    try:
        seam = load_seam(os.environ.get(CRM_FOLDER) or SHIPPED, account)
        with _contacts_connection() as contacts:
            return install_account(
                connection, account, seam, seen_by=seen_by, contacts=contacts, is_only=is_only
            )
    except (Fatal, Retriable) as error:
        raise Stop(one_line(error)) from None


@contextmanager
def _contacts_connection() -> Iterator[psycopg.Connection[Any] | None]:
    """Where contacts.sql is read, if that is another connection than the CRM's."""
    conn_id = os.environ.get(CONTACTS_CONN_ID)
    if not conn_id:
        yield None
        return
    with closing(_connect(conn_id, f"AIRFLOW_CONN_{conn_id.upper()}")) as connection:
        yield connection


def _connect(conn_id: str, variable: str) -> psycopg.Connection[Any]:
    from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: PLC0415

    from constant_contact.hooks.crm import connector  # noqa: PLC0415

    try:
        place = PostgresHook.get_connection(conn_id)
    except Exception as error:  # noqa: BLE001 (Airflow names no type for a bad value)
        # the error may quote the value, with the password in it
        raise Stop(
            f"{variable} is no Airflow connection ({type(error).__name__}): write"
            " postgres://user:password@host:5432/database, or its JSON"
        ) from None
    if place.conn_type not in ("postgres", "postgresql"):
        raise Stop(
            f"{variable} is of type {place.conn_type or 'none'}: the CRM has to be PostgreSQL"
            " (postgres)"
        )
    try:
        return settle(connector(place)())
    except psycopg.OperationalError as error:
        at = f"{place.host or 'localhost'}:{place.port or 5432}/{place.schema or ''}"
        raise Stop(
            f"{variable}: cannot connect to {at} as {place.login}: {one_line(error)};"
            " check host, port, database, user and password, and that the server runs"
        ) from None


if __name__ == "__main__":
    command(main)
