"""Airflow's connections, as a command reads them: no DAG run hands them out here."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial

from airflow.models.connection import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.api.tokens import TokenStore
from constant_contact.errors import ConstantContactError, SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.hooks.crm import crm_database
from constant_contact.web.frame.stored import StoredTokens


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


def postgres(conn_id: str) -> Connection:
    """As `connection`, for one that leads to PostgreSQL.

    Raises:
        SettingError: There is none, or it leads to another database.
    """
    place = connection(conn_id)
    if place.conn_type not in ("postgres", "postgresql"):
        raise SettingError(
            named(conn_id), f"is of type {place.conn_type}; the CRM has to be PostgreSQL (postgres)"
        )
    return place


def account_named(name: str) -> Account:
    """The account that the option `--account` names.

    Raises:
        SettingError: There is none.
    """
    accounts = {account.name: account for account in config.accounts()}
    if name not in accounts:
        raise SettingError("--account", f"is none of {', '.join(accounts)}")
    return accounts[name]


class CommandHook(ConstantContactHook):
    """The hook where no task and no api-server hands out connections and tokens."""

    open_crm = staticmethod(partial(crm_database, look_up=postgres))

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """As `connection`: Airflow's models have the same fields as its tasks' connections."""
        return connection(conn_id)

    @cached_property
    def token_store(self) -> TokenStore:
        """Where the current tokens live: the same Variable, in Airflow's database."""
        return StoredTokens(self.crm, self.constant_contact_conn_id)


@contextmanager
def one_line() -> Iterator[None]:
    """End the command with what an error of ours says, and nothing else."""
    try:
        yield
    except ConstantContactError as error:
        raise SystemExit(str(error)) from None
