"""A client of the simulated account outside Airflow, as the hook makes it inside."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg

from constant_contact.api.authorization import Authorization
from constant_contact.api.client import Client
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens
from constant_contact.calls import Call, CallBudget
from constant_contact.errors import BudgetSpent
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.store.tokens import token_lock
from local.bench.stage import UNLIMITED
from local.simulator import CLIENT_ID, CLIENT_SECRET

CONN_ID = "constant_contact_default"


class _MemoryTokens:
    """Stands in for Airflow's Variable."""

    def __init__(self, crm: Database) -> None:
        self._crm = crm
        self._pair: TokenPair | None = None

    def load(self) -> TokenPair | None:
        return self._pair

    def save(self, pair: TokenPair) -> None:
        self._pair = pair

    def exclusively(self) -> AbstractContextManager[None]:
        return token_lock(self._crm, CONN_ID)


def crm_database(
    crm_url: str, cursor_factory: type[psycopg.Cursor[Any]] = psycopg.Cursor
) -> Database:
    """The CRM as our jobs get it."""
    return Database(
        lambda: psycopg.connect(crm_url, cursor_factory=cursor_factory),
        name="connection crm_default",
    )


def api_settings(url: str, refresh_token: str, extra: dict[str, Any]) -> ApiSettings:
    """The connection's fields; `extra` wins over a budget without limits."""
    return ApiSettings.from_connection(
        conn_id=CONN_ID,
        login=CLIENT_ID,
        password=CLIENT_SECRET,
        host=url,
        port=None,
        extra=UNLIMITED
        | {
            "token_url": f"{url}/oauth2/default/v1/token",
            "authorize_url": f"{url}/oauth2/default/v1/authorize",
            "refresh_token": refresh_token,
        }
        | extra,
    )


class Travelling:
    """A budget whose calls are on their way for a while after their turn has come.

    Jitter of a network hits a pacing where it hurts only before the call arrives; the simulator's
    own latency comes after.
    """

    def __init__(self, budget: CallBudget, travel: Callable[[], None]) -> None:
        self._budget = budget
        self._travel = travel
        self._local = threading.local()

    def take_slot(self) -> float:
        """Wait for the turn, then for the network."""
        waited_s = self._budget.take_slot()
        started = time.monotonic()
        self._travel()
        self._local.travelled_s = time.monotonic() - started
        return waited_s

    def left(self) -> int:
        """As the budget says."""
        return self._budget.left()

    def observe(self, duration_s: float) -> None:
        """As a client on such a network would see it."""
        self._budget.observe(self._local.travelled_s + duration_s)

    def slow_down(self) -> None:
        """As the budget does."""
        self._budget.slow_down()

    def day_spent(self, message: str) -> BudgetSpent:
        """As the budget does."""
        return self._budget.day_spent(message)


class _NoCallLog:
    """What a client without a log would have."""

    def add(self, call: Call) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def connected(
    crm_url: str,
    url: str,
    refresh_token: str,
    extra: dict[str, Any],
    *,
    lane: str = "engagement",
    travel: Callable[[], None] | None = None,
    logged: bool = True,
    cursor_factory: type[psycopg.Cursor[Any]] = psycopg.Cursor,
) -> Iterator[tuple[Client, Database]]:
    """Lend a client and the CRM; at the end every call is in the log.

    Args:
        crm_url: Of the database.
        url: Of the simulator.
        refresh_token: A grant of one's own.
        extra: Fields of the connection.
        lane: Of the budget.
        travel: Sleeps as long as a call takes to arrive.
        logged: Keep the calls; ours always does.
        cursor_factory: What statements pass through.
    """
    settings = api_settings(url, refresh_token, extra)
    crm = crm_database(crm_url, cursor_factory)
    caller = Caller("bench", "bench", "bench", 1)
    call_log = ApiCallLog(crm, caller) if logged else _NoCallLog()
    tokens = Tokens(settings, _MemoryTokens(crm), Authorization(settings, call_log.add).refresh)
    budget: CallBudget = ApiBudget(crm, settings, lane)
    if travel is not None:
        budget = Travelling(budget, travel)
    try:
        yield Client(settings, tokens, budget, call_log), crm
    finally:
        call_log.close()
        crm.close()
