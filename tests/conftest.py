"""What most tests need: a PostgreSQL database of their own, a simulator as new, a client."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from constant_contact.api.client import Client
from constant_contact.store.accounts import claim
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from local import environment
from local.secrets_file import load_secrets
from simulator.server import Running, running
from tests.databases import Databases, prepare_one_account, prepare_two_accounts
from tests.faults.wasted import pytest_terminal_summary  # noqa: F401 - a hook: what runs in parallel reads this conftest only
from tests.own_postgres import OwnPostgres
from tests.spread import Spread, process_count
from tests.support import (
    CONN_ID,
    EU_SCHEMA,
    UNLIMITED,
    MemoryTokenStore,
    Rows,
    api_client,
    api_settings,
    prepare_account,
    set_flag,
)


def pytest_collection_finish() -> None:
    """What is loaded stays: a collection of garbage need not look at all of it each time."""
    if "airflow" in sys.modules:
        # It would work in the Airflow home of the person who runs the tests.
        pytest.exit("a test imports Airflow at its top, before it has its environment", 2)
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return process_count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


@pytest.fixture(autouse=True)
def within_a_day() -> None:
    """No test begins in the last seconds of a UTC day, with which the day's budget ends."""
    while (left_s := 86_400 - time.time() % 86_400) < 20:
        time.sleep(left_s)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server where databases can be made: our own, or TEST_POSTGRES_URL."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    with OwnPostgres() as server:
        yield server.url("postgres")


@pytest.fixture
def own_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes an environment for Airflow does it beside the developer's own."""
    secrets = load_secrets(tmp_path / "secrets.json")
    monkeypatch.setattr(environment, "LOCAL", tmp_path)
    monkeypatch.setattr(environment, "load_secrets", lambda: secrets)
    monkeypatch.setattr(environment, "passwords_file", lambda _: tmp_path / "passwords.json")


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    made = Databases(postgres_url, is_odd=os.environ.get("TEST_ODD_SERVER") == "1")
    yield made
    made.close()


@pytest.fixture
def crm_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A CRM database of this test alone with no rows, and the schema: of both accounts for `eu`."""
    both = "eu" in request.fixturenames
    name = databases.create(
        prepare_two_accounts if both else prepare_one_account,
        with_sessions="crm" in request.fixturenames,
    )
    yield databases.url(name)
    databases.take_back(name)


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """A database with nothing in it."""
    name = databases.create_empty()
    yield databases.url(name)
    databases.drop(name)


@pytest.fixture
def crm(databases: Databases, crm_url: str) -> Database:
    return databases.as_jobs_see(urlsplit(crm_url).path.removeprefix("/"))


@pytest.fixture
def sql_rows(databases: Databases, crm_url: str) -> Rows:
    """Runs a statement on the CRM database; returns its rows, if it has any."""
    return databases.rows(urlsplit(crm_url).path.removeprefix("/"))


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Running) -> Running:
    """The vendor: an empty account, no limits."""
    shared_simulator.control.reset()
    shared_simulator.control.limits(**UNLIMITED)
    return shared_simulator


@pytest.fixture
def make_client(simulator: Running, crm: Database) -> Iterator[Callable[..., Client]]:
    """Makes clients of the simulated account; keyword arguments are extra connection fields."""
    seed = simulator.control.grant()
    store = MemoryTokenStore(crm)
    logs = []

    def make(lane: str = "engagement", **extra: Any) -> Client:
        settings = api_settings(simulator, extra.pop("refresh_token", seed), **extra)
        call_log = ApiCallLog(crm, Caller("a_dag", "a_task", "a_run", 1))
        logs.append(call_log)
        return api_client(settings, crm, store, call_log, lane)

    yield make
    for call_log in logs:
        call_log.close()


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture
def add_crm_contact(sql_rows: Rows) -> Callable[..., None]:
    """Adds a contact to the CRM."""

    def add(contact_id: str, email: str | None, **columns: Any) -> None:
        columns = {"contact_id": contact_id, "preferred_email": email} | columns
        names = ", ".join(columns)
        marks = ", ".join(["%s"] * len(columns))
        sql_rows(f"INSERT INTO crm_contact ({names}) VALUES ({marks})", *columns.values())

    return add


@pytest.fixture
def set_do_not_email(sql_rows: Rows) -> Callable[..., None]:
    """Sets or clears the flag as the CRM does, saying what the CRM knows."""

    def change(contact_id: str, flag: bool, reason: str = "", by_contact: bool = False) -> None:
        with sql_rows.transaction() as connection:
            set_flag(connection, contact_id, flag, reason, by_contact)

    return change


@pytest.fixture
def eu_url(crm_url: str) -> str:
    """The CRM's database as a second account's connection, crm_eu, sees it."""
    return make_conninfo(crm_url, options=f"-csearch_path={EU_SCHEMA}")


@pytest.fixture
def migrate_eu(databases: Databases, crm_url: str, eu_url: str) -> Callable[[], list[str]]:
    """What `make migrate` does for both accounts; returns what was applied to the second's."""

    def run() -> list[str]:
        with psycopg.connect(crm_url) as connection:
            claim(connection, CONN_ID, "connection crm_default")
        return prepare_account(databases.our_url(eu_url))

    return run


@pytest.fixture
def eu_rows(eu_url: str) -> Iterator[Rows]:
    """As `sql_rows`, as the second account sees the database."""
    with closing(Rows(eu_url)) as rows:
        yield rows


@pytest.fixture(scope="session")
def shared_eu_simulator() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


@pytest.fixture
def eu_simulator(shared_eu_simulator: Running) -> Running:
    """The second account's vendor: an empty account, no limits."""
    shared_eu_simulator.control.reset()
    shared_eu_simulator.control.limits(**UNLIMITED)
    return shared_eu_simulator
