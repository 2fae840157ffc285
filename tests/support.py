"""What tests have in common that is no fixture."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import psycopg

from constant_contact.api.authorization import Authorization
from constant_contact.api.client import Client, RetryPolicy
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens
from constant_contact.store.accounts import claim, migrate_account
from constant_contact.store.api_calls import ApiCallLog
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.store.tokens import token_lock
from simulator.server import Running

CONN_ID = "constant_contact_default"
EU_CONN_ID = "constant_contact_eu"
EU_SCHEMA = "constant_contact_eu"
# Of the database that is asked: other tests run at the same time on the same server.
LOCK_WAITS = """
SELECT pid, locktype, waitstart FROM pg_locks INNER JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
Add = Callable[..., None]
Calls = Callable[..., int]
Flag = Callable[..., None]
Want = Callable[..., None]
UNLIMITED = {"calls_per_second": 0, "calls_per_day": 0, "token_calls_per_second": 0}


class Rows:
    """Runs statements on a database, each committed at once; returns their rows, if they have any.

    The connection stays open for the next statement: to make one costs more than most of them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: list[psycopg.Connection[dict[str, Any]]] = []

    def __call__(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        with self._lent() as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Lends the connection for several statements that are committed together."""
        with self._lent() as connection, connection.transaction():
            yield connection

    def close(self) -> None:
        """Ends the session; the next statement begins another."""
        while self._free:
            self._free.pop().close()

    @property
    def pids(self) -> list[int]:
        """Of the sessions that rest."""
        return [each.info.backend_pid for each in self._free if not each.closed]

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A thread that asks while another's statement waits gets one of its own."""
        try:
            connection = self._free.pop()
        except IndexError:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                # a table that was altered meanwhile would not fit what was prepared
                prepare_threshold=None,
                row_factory=psycopg.rows.dict_row,
            )
        try:
            yield connection
        finally:
            if connection.closed or self._free:
                connection.close()
            else:
                self._free.append(connection)


def run_rows(url: str, statement: str, *params: Any) -> list[dict[str, Any]]:
    """Run one statement on a database; return its rows, if it has any."""
    with closing(Rows(url)) as rows:
        return rows(statement, *params)


def prepare_account(url: str) -> list[str]:
    """What `make migrate` does for the account `eu`; returns what was applied."""
    with psycopg.connect(url) as connection:
        applied = migrate_account(connection, "connection crm_eu")
        claim(connection, EU_CONN_ID, "connection crm_eu")
    return applied


class MemoryTokenStore:
    """Stands in for Airflow's Variable; the lock is the real one."""

    def __init__(self, crm: Database, conn_id: str = CONN_ID) -> None:
        self.pair: TokenPair | None = None
        self._crm = crm
        self._conn_id = conn_id

    def load(self) -> TokenPair | None:
        return self.pair

    def save(self, pair: TokenPair) -> None:
        self.pair = pair

    def exclusively(self) -> AbstractContextManager[None]:
        return token_lock(self._crm, self._conn_id)


def api_settings(simulator: Running, refresh_token: str, **extra: Any) -> ApiSettings:
    return ApiSettings.from_connection(
        conn_id=CONN_ID,
        login="demo-api-key",
        password="demo-secret",
        host=simulator.url,
        port=None,
        extra={
            "token_url": f"{simulator.url}/oauth2/default/v1/token",
            "authorize_url": f"{simulator.url}/oauth2/default/v1/authorize",
            "refresh_token": refresh_token,
            "calls_per_second": 5000,
            "calls_per_day": 1_000_000,
            "timeout_s": 30,
        }
        | extra,
    )


def api_client(
    settings: ApiSettings, crm: Database, store: MemoryTokenStore, call_log: ApiCallLog, lane: str
) -> Client:
    """A client whose retries wait for hardly anything."""
    return Client(
        settings,
        Tokens(settings, store, Authorization(settings, call_log.add).refresh),
        ApiBudget(crm, settings, lane),
        call_log,
        RetryPolicy(first_wait_s=0.01, max_wait_s=0.05),
    )


def vendor_contact(number: int, email: str, **fields: Any) -> dict[str, Any]:
    """A ContactResource for `simulator.control.load`."""
    return {"contact_id": contact_id(number), "email": email} | fields


def contact_id(number: int) -> str:
    """The id of the vendor's contact `number`."""
    return f"00000000-0000-4000-8000-{number:012d}"


def set_flag(
    connection: psycopg.Connection[Any],
    person: str,
    flag: bool,
    reason: str = "",
    by_contact: bool = False,
) -> None:
    """Set or clear Do Not Email as the CRM does, saying what the CRM knows; commits nothing."""
    connection.execute(
        "SELECT set_config('constant_contact.reason', %s, true),"
        " set_config('constant_contact.requested_by_contact', %s, true)",
        [reason, "on" if by_contact else "off"],
    )
    connection.execute(
        "UPDATE crm_contact SET do_not_email = %s WHERE contact_id = %s", [flag, person]
    )
