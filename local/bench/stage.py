"""What measurements run on: a PostgreSQL, databases of their own on it, a vendor without limits."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import requests
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console

from constant_contact.store.seam_check import install
from local.paths import LOGS
from local.postgres import CRM_DATABASE, LocalPostgres
from local.simulator import CLIENT_ID, CLIENT_SECRET, Account, Simulator
from simulator.control import Control

#: fields of a connection; the budget is drawn from for every call all the same
UNLIMITED = {"calls_per_second": 1_000_000, "calls_per_day": 1_000_000_000}
_TOKEN_TIMEOUT_S = 30


@dataclass(frozen=True)
class Vendor:
    """A simulator in a process of its own, and its control."""

    running: Account
    control: Control

    @property
    def url(self) -> str:
        """Of the API."""
        return self.running.url

    def account(self, **extra: Any) -> dict[str, Any]:
        """What `local.bench.account.connected` needs; with fields of the connection."""
        return {"url": self.url, "refresh_token": self.control.grant(), "extra": extra}

    def airflow_connection(self) -> str:
        """The value of `AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT`."""
        return self.running.airflow_connection(**UNLIMITED)

    def access_token(self) -> str:
        """For those who know no refresh."""
        reply = requests.post(
            f"{self.url}/oauth2/default/v1/token",
            data={"grant_type": "refresh_token", "refresh_token": self.control.grant()},
            auth=(CLIENT_ID, CLIENT_SECRET),
            timeout=_TOKEN_TIMEOUT_S,
        )
        reply.raise_for_status()
        return str(reply.json()["access_token"])

    def calls(self) -> int:
        """API calls since the log was cleared; those for tokens are none."""
        return int(self.control.calls_summary()["api_calls"])


class Stage:
    """Everything a bench needs from outside.

    Args:
        postgres: Runs.
        console: Where progress goes.
        large: Also measure what takes many minutes.
        rounds: How often what is compared is measured; the median counts.
        seconds: How long each setting of the budget is tried.
    """

    def __init__(
        self, postgres: LocalPostgres, console: Console, *, large: bool, rounds: int, seconds: int
    ) -> None:
        self._postgres = postgres
        self._console = console
        self.large = large
        self.rounds = rounds
        self.seconds = seconds

    @property
    def local_crm_url(self) -> str:
        """The CRM of `make up`."""
        return self._postgres.url(CRM_DATABASE)

    def airflow_connection(self, url: str) -> str:
        """A database of `database` as the value of an `AIRFLOW_CONN_*` variable."""
        return self._postgres.airflow_connection(str(conninfo_to_dict(url)["dbname"]))

    def say(self, message: str) -> None:
        """Tell how far it is."""
        self._console.print(f"[dim]… {message}[/]", highlight=False, soft_wrap=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A database with our schema, dropped at the end; yields its URL."""
        name = f"ctct_bench_{uuid.uuid4().hex[:12]}"
        self._postgres.create_database(name)
        try:
            url = self._postgres.url(name)
            with psycopg.connect(url) as connection:
                install(connection)
            yield url
        finally:
            self._postgres.drop_database(name)

    @contextmanager
    def vendor(self, **account: int) -> Iterator[Vendor]:
        """A vendor without limits; the arguments are flags such as `contacts`."""
        flags = [part for name, value in account.items() for part in (f"--{name}", str(value))]
        # long-lived refresh tokens: the processes of a bench share no token store
        unlimited = [
            "--no-rotating",
            "--calls-per-second", "0", "--calls-per-day", "0", "--token-calls-per-second", "0",
        ]  # fmt: skip
        with Simulator(LOGS / "bench-simulator.log", [*unlimited, *flags]) as running:
            control = Control(running.url)
            try:
                yield Vendor(running, control)
            finally:
                control.close()
