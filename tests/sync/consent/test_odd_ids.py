"""A program of the CRM's that writes an id otherwise than the table: 007 is the contact 7."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from constant_contact.sync.consent.opt_outs import OptOutsReport
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.objections import update_register
from simulator.server import Running
from tests.support import contact_id, vendor_contact
from tests.sync.consent.outbox import Add, Rows

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

UUID = "ab00cd12-0000-4000-8000-0000000000ef"
SPELLED = [
    ("bigint", "7", "007"),
    ("smallint", "-7", "-07"),
    ("uuid", UUID, UUID.upper()),
    ("char(8)", "A 7", "A 7     "),
]


@pytest.fixture
def linked(
    simulator: Running, crm: Database, tmp_path: Path, add_crm_contact: Add,
    full_night: Callable[[], None],
) -> Callable[[str, str], None]:  # fmt: skip
    """Makes Ann a contact of the CRM with an id of a type, and links her."""

    def make(id_type: str, crm_id: str) -> None:
        (tmp_path / "contacts.sql").write_text(
            f"SELECT contact_id::{id_type} AS contact_id, preferred_email, do_not_email,"
            " first_name, last_name FROM crm_contact",
            encoding="utf-8",
        )
        crm.seam = load_seam(tmp_path)
        simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
        add_crm_contact(crm_id, "ann@example.com", do_not_email=False)
        full_night()

    return make


@pytest.mark.parametrize("is_heard_before", [False, True])
@pytest.mark.parametrize(("id_type", "crm_id", "written"), SPELLED)
def test_a_no_counts_however_its_contacts_id_is_written(
    linked: Callable[[str, str], None],
    simulator: Running,
    crm: Database,
    push: Callable[..., OptOutsReport],
    sql_rows: Rows,
    id_type: str,
    crm_id: str,
    written: str,
    is_heard_before: bool,
) -> None:
    linked(id_type, crm_id)
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, requested_by_contact)"
        " VALUES (%s, TRUE, TRUE)",
        written,
    )
    if is_heard_before:
        with crm.transaction() as connection:
            update_register(connection)
    assert push(whole=False).unsubscribed == 1
    assert simulator.control.truth_contact(contact_id(1))["permission"] == "unsubscribed"
    told: list[dict[str, Any]] = sql_rows("SELECT contact_id, status FROM crm_opt_out_change")
    assert told == [{"contact_id": crm_id, "status": "done"}]
    (heard,) = sql_rows(
        "SELECT contact_id, constant_contact_id FROM ctct_objection WHERE source = 'asked'"
    )
    assert heard == {"contact_id": crm_id, "constant_contact_id": contact_id(1)}


@pytest.mark.parametrize(("id_type", "crm_id", "written"), SPELLED)
def test_a_look_at_an_id_that_is_written_otherwise_finds_the_contact_that_is_known(
    linked: Callable[[str, str], None],
    crm: Database,
    sql_rows: Rows,
    id_type: str,
    crm_id: str,
    written: str,
) -> None:
    linked(id_type, crm_id)
    sql_rows("UPDATE crm_contact SET first_name = 'Ann'")
    seen = see_contacts(crm, [written])
    assert (seen.appeared, seen.changed) == (0, 1)
    (known,) = sql_rows("SELECT contact_id, first_name FROM ctct_link")
    assert known == {"contact_id": crm_id, "first_name": "Ann"}
