"""From 0.2.0 to this release, whose first comparison asks a person before it acts."""

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from constant_contact.store.database import Database
from constant_contact.store.seam_check import install
from constant_contact.store.session import connect, settle
from constant_contact.sync.consent.opt_outs import OptOutsReport
from simulator.server import Running
from tests.databases import Databases
from tests.store.old_schema import VERSIONS_0_2_0, apply
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import approve, permission

ANN, BOB = contact_id(1), contact_id(2)
# Both are flagged and linked, and neither has a change: the flags were there before 0.2.0.
ROWS = """
INSERT INTO crm_contact (contact_id, preferred_email, do_not_email, constant_contact_id) VALUES
('c1', 'ann@example.com', TRUE, %(ann)s), ('c2', 'bob@example.com', TRUE, %(bob)s)
"""


@pytest.fixture
def crm_url(databases: Databases) -> Iterator[str]:
    """A database of 0.2.0."""
    name = databases.create_empty()
    url = databases.url(name)
    with settle(psycopg.connect(url)) as connection:
        apply(connection, VERSIONS_0_2_0)
        connection.execute(ROWS, {"ann": ANN, "bob": BOB})
    yield url
    databases.drop(name)


@pytest.fixture
def crm(crm_url: str) -> Iterator[Database]:
    with closing(Database(lambda: psycopg.connect(crm_url), name="connection crm_default")) as crm:
        yield crm


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_database_of_0_2_0_is_upgraded_asked_about_and_then_carried(
    simulator: Running, crm_url: str, crm: Database, full_night: Callable[[], None],
    push: Callable[..., OptOutsReport], sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    simulator.control.unsubscribe(BOB, source="Account")
    with connect(crm_url) as connection:
        install(connection)
    full_night()
    assert push().unsubscribed == 0
    held = sql_rows("SELECT noun FROM ctct_hold WHERE answer IS NULL ORDER BY noun")
    assert [row["noun"] for row in held] == ["objections", "opt_outs"]
    assert approve(crm) == 2
    assert push().unsubscribed == 1
    assert permission(simulator, ANN) == "unsubscribed"
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE WHERE contact_id = 'c2'")
    assert push().resubscribed == 1
    assert permission(simulator, BOB) == "implicit"
