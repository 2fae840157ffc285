"""A second account, `eu`, beside the default one: its own vendor, over the same CRM."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from constant_contact.api.client import Client
from constant_contact.store.accounts import claim, migrate_account
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from simulator.server import Running, running
from tests.support import UNLIMITED, MemoryTokenStore, api_client, api_settings

SCHEMA = "constant_contact_eu"
EU_CONN_ID = "constant_contact_eu"


class Eu(NamedTuple):
    """The account: its vendor, its database, a client for all lanes."""

    simulator: Running
    crm: Database
    client: Client


def prepare(url: str) -> list[str]:
    """What `make migrate` does for the account."""
    with psycopg.connect(url) as connection:
        applied = migrate_account(connection, "connection crm_eu")
        claim(connection, EU_CONN_ID, "connection crm_eu")
    return applied


@pytest.fixture
def eu_url(crm_url: str) -> str:
    """The CRM's database as the connection crm_eu sees it."""
    return make_conninfo(crm_url, options=f"-csearch_path={SCHEMA}")


@pytest.fixture
def migrate_eu(crm_url: str, eu_url: str) -> Callable[[], list[str]]:
    """What `make migrate` does for both accounts."""

    def run() -> list[str]:
        with psycopg.connect(crm_url) as connection:
            claim(connection, "constant_contact_default", "connection crm_default")
        return prepare(eu_url)

    return run


@pytest.fixture
def eu_rows(eu_url: str) -> Callable[..., list[dict[str, Any]]]:
    """Runs a statement as the account sees the database."""

    def run(statement: str, *params: Any) -> list[dict[str, Any]]:
        with psycopg.connect(eu_url, row_factory=psycopg.rows.dict_row) as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    return run


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


@pytest.fixture
def eu(eu_simulator: Running, eu_url: str, migrate_eu: Callable[[], list[str]]) -> Iterator[Eu]:
    migrate_eu()
    crm = Database(lambda: psycopg.connect(eu_url), name="connection crm_eu")
    settings = api_settings(eu_simulator, eu_simulator.control.grant())
    call_log = ApiCallLog(crm, Caller("eu_dag", "a_task", "a_run", 1))
    store = MemoryTokenStore(crm, EU_CONN_ID)
    yield Eu(eu_simulator, crm, api_client(settings, crm, store, call_log, "opt_outs"))
    call_log.close()
    crm.close()
