"""Write-back: the links in the CRM's own column too, never in the way of anything."""

from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Rows, contact_id, vendor_contact


@pytest.fixture
def three(client: Client, crm: Database, simulator: Running, add_crm_contact: Any) -> None:
    """Three of the CRM's contacts, which the mirror has."""
    addresses = {number: f"u{number}@example.com" for number in (1, 2, 3)}
    simulator.control.load(
        contacts=[vendor_contact(number, address) for number, address in addresses.items()]
    )
    for number, address in addresses.items():
        add_crm_contact(f"c{number}", address)
    sync_contacts(client, crm)


def own_column(sql_rows: Rows) -> dict[str, str | None]:
    rows = sql_rows("SELECT contact_id, constant_contact_id FROM crm_contact")
    return {row["contact_id"]: row["constant_contact_id"] for row in rows}


def linked(sql_rows: Rows) -> dict[str, str | None]:
    rows = sql_rows("SELECT contact_id, constant_contact_id FROM ctct_link")
    return {row["contact_id"]: row["constant_contact_id"] for row in rows}


ALL = {f"c{number}": contact_id(number) for number in (1, 2, 3)}


@pytest.mark.usefixtures("three")
def test_a_row_that_the_crm_locks_is_written_by_the_next_run(
    crm: Database, crm_url: str, sql_rows: Rows
) -> None:
    with psycopg.connect(crm_url) as user:
        user.execute("SELECT FROM crm_contact WHERE contact_id = 'c2' FOR UPDATE")
        report = link_contacts(crm)
        assert report.write_failed == 3
        assert linked(sql_rows) == ALL
    assert link_contacts(crm).written == 3
    assert own_column(sql_rows) == ALL


@pytest.mark.usefixtures("three")
def test_a_row_that_the_crm_refuses_keeps_no_other_from_being_written(
    crm: Database, sql_rows: Rows
) -> None:
    sql_rows(
        "ALTER TABLE crm_contact ADD CONSTRAINT odd"
        " CHECK (contact_id <> 'c2' OR constant_contact_id IS NULL)"
    )
    report = link_contacts(crm)
    assert (report.written, report.write_failed) == (2, 1)
    assert linked(sql_rows) == ALL
    assert own_column(sql_rows) == ALL | {"c2": None}
