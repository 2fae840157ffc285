"""The account and its CRM as pages may use them: few connections, short patience.

A page that waits holds a thread of the api-server, which all of Airflow shares. So a statement
ends after seconds here, a server that swallows packets is given up after seconds, and a
request within the next moment gets the same answer without another try.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

from constant_contact.accounts import Account
from constant_contact.api.client import RetryPolicy
from constant_contact.errors import DatabaseReadOnly, DatabaseUnavailable, QueryTooSlow
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.hooks.crm import crm_database
from constant_contact.store.accounts import are_of
from constant_contact.store.database import Database
from constant_contact.web.frame.stored import StoredTokens

_CONNECT_TIMEOUT_S: Final = 3
_AWAY_FOR_S: Final = 5.0
# One who looks can press the button again.
_RETRY: Final = RetryPolicy(max_tries=2, max_total_s=5, max_wait_s=1)
# New tokens are nowhere else, but a request holds a thread, and the row that jobs wait for.
_SAVE_WAITS_S: Final = (1, 2, 4)
_SESSION: Final = {
    "application_name": "constant_contact pages",
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    # A refresh holds the row of the tokens until the vendor has answered.
    "idle_in_transaction_session_timeout": "120s",
    # The filters of a page are optional: each question has a plan of its own.
    "plan_cache_mode": "force_custom_plan",
}


class PageDatabase(Database):
    """A `Database` that gives up early, and for a moment does not try again.

    It looks each time whether the tables are the account's, since the next connection may see
    others (`ALTER ROLE … SET search_path`); those that no account has claimed stay so.
    """

    _away = ""
    _away_until = 0.0

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], owner: str, **of_pool: Any
    ) -> None:
        super().__init__(connect, **of_pool)
        self._owner = owner

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """As `Database.transaction`.

        Raises:
            DatabaseUnavailable: The server does not answer, or did not a moment ago.
            QueryTooSlow: A statement ran into the time limit of a page.
            SchemaError: A table or column is missing.
            SettingError: The tables are another account's.
        """
        if time.monotonic() < self._away_until:
            raise DatabaseUnavailable(self._away)
        try:
            with super().transaction() as connection, self._limited():
                are_of(connection, self._owner, self.name)
                yield connection
        except DatabaseReadOnly:
            # The next connection may be to a server that takes writes.
            raise
        except DatabaseUnavailable as error:
            self._away, self._away_until = str(error), time.monotonic() + _AWAY_FOR_S
            raise

    @contextmanager
    def _limited(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
            raise QueryTooSlow(
                f"{self.name}: the CRM database took too long for a page "
                f"({error.diag.message_primary}); ask for less, or again in a moment"
            ) from None


_page_database = partial(PageDatabase, size=4, overflow=0, wait_s=_CONNECT_TIMEOUT_S)
_open: dict[str, tuple[str, Database]] = {}
_opening = threading.Lock()


def page_hook(account: Account) -> ConstantContactHook:
    """An account, with a CRM database that all its pages of this process share.

    Raises:
        SettingError: There is no such CRM connection.
    """
    hook = ConstantContactHook(account.constant_contact_conn_id, account.crm_conn_id)
    hook.open_crm = _shared_crm
    hook.crm = _shared_crm(account.crm_conn_id)
    hook.token_store = StoredTokens(hook.crm, hook.constant_contact_conn_id)
    hook.retry = _RETRY
    hook.save_waits_s = _SAVE_WAITS_S
    return hook


def _shared_crm(conn_id: str) -> Database:
    """The pool of a connection, made again when the connection was edited."""
    try:
        connection = PostgresHook.get_connection(conn_id)
    except AirflowNotFoundException:
        # says what is missing
        return crm_database(conn_id)
    uri = connection.get_uri()
    with _opening:
        opened_uri, crm = _open.get(conn_id, ("", None))
        if crm is None or opened_uri != uri:
            if crm is not None:
                crm.close()
            crm = crm_database(
                conn_id,
                connection,
                connect_timeout_s=_CONNECT_TIMEOUT_S,
                session_settings=_SESSION,
                make=partial(
                    _page_database, owner=Account.of_crm(conn_id).constant_contact_conn_id
                ),
            )
            _open[conn_id] = (uri, crm)
    return crm
