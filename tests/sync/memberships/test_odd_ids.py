"""Requests of a program that writes an id otherwise than the table has it: 007 is the contact 7."""

from pathlib import Path

import pytest

from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from simulator.server import Running
from tests.support import Add, Rows, vendor_contact
from tests.sync.consent.test_odd_ids import SPELLED
from tests.sync.memberships.requests import Push, list_id, on_lists, statuses


@pytest.mark.parametrize("action", ["add", "remove"])
@pytest.mark.parametrize(("id_type", "crm_id", "written"), SPELLED)
def test_a_request_is_carried_however_its_contacts_id_is_written(
    simulator: Running, crm: Database, tmp_path: Path, add_crm_contact: Add, push_lists: Push,
    sql_rows: Rows, lists: list[str], id_type: str, crm_id: str, written: str, action: str,
) -> None:  # fmt: skip
    (tmp_path / "contacts.sql").write_text(
        f"SELECT contact_id::{id_type} AS contact_id, preferred_email, do_not_email,"
        " first_name, last_name FROM crm_contact",
        encoding="utf-8",
    )
    crm.seam = load_seam(tmp_path)
    on = lists[:1] if action == "remove" else []
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com", list_memberships=on)])
    add_crm_contact(crm_id, "ann@example.com", do_not_email=False)
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES (%s, %s, %s)",
        written, list_id(1), action,
    )  # fmt: skip
    push_lists()
    said = sql_rows("SELECT contact_id, status, detail FROM crm_list_membership")
    assert on_lists(simulator)["ann@example.com"] == ({1} if action == "add" else set()), said


@pytest.mark.parametrize(("later", "expected"), [("7", {1}), ("007", set())])
def test_of_two_spellings_the_later_request_counts(
    simulator: Running, crm: Database, tmp_path: Path, add_crm_contact: Add, push_lists: Push,
    sql_rows: Rows, lists: list[str], later: str, expected: set[int],
) -> None:  # fmt: skip
    (tmp_path / "contacts.sql").write_text(
        "SELECT contact_id::integer AS contact_id, preferred_email, do_not_email,"
        " first_name, last_name FROM crm_contact",
        encoding="utf-8",
    )
    crm.seam = load_seam(tmp_path)
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("7", "ann@example.com", do_not_email=False)
    for written, action in (("7", "add"), ("007", "remove")):
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id, action, requested_at)"
            " VALUES (%s, %s, %s, now() - make_interval(mins => %s))",
            written, list_id(1), action, int(written != later),
        )  # fmt: skip
    push_lists()
    assert on_lists(simulator)["ann@example.com"] == expected
    assert "pending" not in statuses(sql_rows)
