"""`make migrate`: the CRM's schema, up to date.

On `AIRFLOW_CONN_CRM_DEFAULT` where it is set, on the local CRM otherwise.
"""

import os
from contextlib import closing
from typing import Any, cast

import psycopg

from local.environment import CRM, airflow_environment
from local.postgres import AIRFLOW_DATABASE, CRM_DATABASE, LocalPostgres
from local.stop import Stop, command, one_line


def main() -> int:
    """Says what was applied."""
    if os.environ.get(CRM):
        applied, where = _migrate_named(), f"the CRM of {CRM}"
    else:
        applied, where = _migrate_local(), "the local CRM"
    for name in applied:
        print(f"applied {name}")
    print(f"{where} {'is' if applied else 'was already'} up to date")
    return 0


def _migrate_local() -> list[str]:
    with LocalPostgres() as postgres, psycopg.connect(postgres.url(CRM_DATABASE)) as connection:
        return _migrate(connection)


def _migrate_named() -> list[str]:
    # Airflow reads the connection from the environment: its own database stays untouched, and
    # need not run
    environment = airflow_environment(
        os.environ,
        metadata_url=LocalPostgres().url(AIRFLOW_DATABASE, "psycopg2"),
        connections={CRM: os.environ[CRM]},
        paused=True,
    )
    os.environ.update(environment)
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    # a host that swallows packets is no reason to wait for minutes
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    with closing(_connect_named()) as connection, connection:
        return _migrate(connection)


def _connect_named() -> psycopg.Connection[Any]:
    from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: PLC0415

    try:
        hook = PostgresHook("crm_default")
        place = hook.connection
    except Exception as error:  # noqa: BLE001 (Airflow names no type for a bad value)
        # the error may quote the value, with the password in it
        raise Stop(
            f"{CRM} is no Airflow connection ({type(error).__name__}): write"
            " postgres://user:password@host:5432/database, or its JSON"
        ) from None
    if place.conn_type not in ("postgres", "postgresql"):
        raise Stop(
            f"{CRM} is of type {place.conn_type or 'none'}: the CRM has to be PostgreSQL (postgres)"
        )
    try:
        return cast("psycopg.Connection[Any]", hook.get_conn())
    except psycopg.OperationalError as error:
        at = f"{place.host or 'localhost'}:{place.port or 5432}/{place.schema or ''}"
        raise Stop(
            f"{CRM}: cannot connect to {at} as {place.login}: {one_line(error)};"
            " check host, port, database, user and password, and that the server runs"
        ) from None


def _migrate(connection: psycopg.Connection[Any]) -> list[str]:
    from constant_contact.errors import SchemaError  # noqa: PLC0415
    from constant_contact.store.migrations import migrate  # noqa: PLC0415

    try:
        return migrate(connection)
    except SchemaError as error:
        raise Stop(one_line(error)) from None
    except psycopg.Error as error:
        raise Stop(f"the schema was not applied, nothing was changed: {one_line(error)}") from None


if __name__ == "__main__":
    command(main)
