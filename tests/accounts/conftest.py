"""A second account, `eu`, beside the default one: its own vendor, over the same CRM."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest

from constant_contact.accounts import Account
from constant_contact.api.client import Client
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from simulator.server import Running
from tests.databases import Databases
from tests.support import EU_CONN_ID, MemoryTokenStore, api_client, api_settings


class Eu(NamedTuple):
    """The account: its vendor, its database, a client for all lanes."""

    simulator: Running
    crm: Database
    client: Client


@pytest.fixture
def eu(databases: Databases, eu_simulator: Running, eu_url: str) -> Iterator[Eu]:
    url = databases.our_url(eu_url)
    seam = load_seam(account=Account("eu"))
    crm = Database(lambda: psycopg.connect(url), name="connection crm_eu", seam=seam)
    settings = api_settings(eu_simulator, eu_simulator.control.grant())
    call_log = ApiCallLog(crm, Caller("eu_dag", "a_task", "a_run", 1))
    store = MemoryTokenStore(crm, EU_CONN_ID)
    yield Eu(eu_simulator, crm, api_client(settings, crm, store, call_log, "opt_outs"))
    call_log.close()
    crm.close()
