"""Logins, and checks that write."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_writes import write_vendor
from tests.databases import Databases
from tests.sync.check.trials import ADDRESS, Write


@pytest.fixture
def firm(databases: Databases) -> Iterator[Callable[..., Database]]:
    """A CRM as a login of a given URL sees it, with files of a given folder."""
    opened: list[Database] = []

    def open_it(url: str, **more: Any) -> Database:
        crm = Database(lambda: psycopg.connect(url), name="connection crm_default", **more)
        opened.append(crm)
        return crm

    yield open_it
    for crm in opened:
        crm.close()


@pytest.fixture
def login(databases: Databases, crm_url: str) -> Iterator[str]:
    """A role with no right on anything in the CRM's database."""
    role = f"ctct_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(crm_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(role)))
        yield role
        owner.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def contact(crm: Database, add_crm_contact: Callable[..., None]) -> Iterator[TrialContact]:
    add_crm_contact("test", ADDRESS)
    with crm.session() as session:
        yield TrialContact(crm, session, "test")


@pytest.fixture
def write(client: Client, contact: TrialContact) -> Write:
    return lambda: write_vendor(client, contact, waits_s=(0, 0, 0))
