"""What tests have in common that is no fixture."""

import uuid
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from constant_contact.api.authorization import Authorization
from constant_contact.api.client import Client, RetryPolicy
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens
from constant_contact.store.accounts import claim, migrate_account
from constant_contact.store.api_calls import ApiCallLog
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.store.seam_check import install
from constant_contact.store.tokens import token_lock
from simulator.server import Running
from tests.odd_server import OddLogin

CONN_ID = "constant_contact_default"
EU_CONN_ID = "constant_contact_eu"
EU_SCHEMA = "constant_contact_eu"
UNLIMITED = {"calls_per_second": 0, "calls_per_day": 0, "token_calls_per_second": 0}


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class Databases:
    """Makes databases by copying a migrated one, and drops them.

    Args:
        server_url: Of a superuser.
        is_odd: With all of `tests.odd_server`.
    """

    def __init__(self, server_url: str, *, is_odd: bool = False) -> None:
        self._server_url = server_url
        self._odd = OddLogin(server_url) if is_odd else None
        self._template = f"ctct_test_{uuid.uuid4().hex[:12]}"
        self._run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", self._template)
        if self._odd:
            self._odd.make_odd(self._template)
        with psycopg.connect(self.our_url(self.url(self._template))) as connection:
            install(connection)

    def url(self, name: str) -> str:
        """A database as the CRM connects to it."""
        return _with_database(self._server_url, name)

    def our_url(self, url: str) -> str:
        """The same as our jobs connect to it."""
        return self._odd.url(url) if self._odd else url

    def create(self, *, migrated: bool = True) -> str:
        name = f"ctct_test_{uuid.uuid4().hex[:12]}"
        if migrated:
            self._run("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        else:
            self._run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
        if self._odd:
            self._odd.make_odd(name)
        return name

    def drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def close(self) -> None:
        """Drop what all were copied from."""
        self.drop(self._template)
        if self._odd:
            self._odd.drop()

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def run_rows(url: str, statement: str, *params: Any) -> list[dict[str, Any]]:
    """Run a statement; return its rows, if it has any."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        cursor = connection.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


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
