"""Memberships for many contacts at once: who is chosen, what is foretold, what is written."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.store.seam import SHIPPED, load_seam
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.bulk_memberships import (
    Chosen,
    Wanted,
    find,
    request_memberships,
)
from simulator.server import Running
from tests.support import Add, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, answers, list_id

ALL = Chosen(["c1", "c2", "c3", "c4", "nobody"])


@pytest.fixture
def known(
    simulator: Running, client: Any, crm: Database, lists: list[str], add_crm_contact: Add,
    sql_rows: Rows,
) -> None:  # fmt: skip
    """Four CRM contacts: new, on the list, without an address, one who says no."""
    sync_lists(client, crm)
    simulator.control.load(
        contacts=[
            vendor_contact(2, "bea@example.com", list_memberships=lists[:1]),
            vendor_contact(4, "dan@example.com"),
        ]
    )
    add_crm_contact("c1", "ann@example.com", first_name="Ann")
    add_crm_contact("c2", "bea@example.com", last_name="Ôtis", constant_contact_id=contact_id(2))
    add_crm_contact("c3", None, first_name="Cy")
    add_crm_contact("c4", "dan@example.com", do_not_email=True, constant_contact_id=contact_id(4))


def test_what_is_foretold_is_what_happens(
    push_lists: Push, known: None, crm: Database, sql_rows: Rows
) -> None:
    request_memberships(crm, list_id(2), Chosen(["c1"]))
    push_lists()
    foretold = request_memberships(crm, list_id(1), ALL, dry_run=True)
    assert foretold.as_dict() == {
        "chosen": 4,
        "unknown": 1,
        "carried": 1,
        "unchanged": 1,
        "refused": {
            "Do Not Email is set in the CRM for this address.": 1,
            "Has no email address.": 1,
        },
        "requested": 0,
        "overruled": 0,
    }
    assert len(answers(sql_rows)) == 1
    requested = request_memberships(crm, list_id(1), ALL)
    assert requested.requested == 4
    report = push_lists()
    assert (report.added, report.unchanged, report.rejected) == (1, 1, 2)


@pytest.mark.parametrize(
    ("chosen", "who"),
    [
        (Chosen(selection="contacts_never_mailed"), {"c1"}),
        (Chosen(selection="opened_lately"), {"c2"}),
    ],
)
@pytest.mark.usefixtures("known")
def test_contacts_are_chosen_by_a_selection(
    crm: Database, sql_rows: Rows, chosen: Chosen, who: set[str]
) -> None:
    for kind in ("send", "open"):
        sql_rows(
            "INSERT INTO crm_interaction (interaction_id, contact_id, constant_contact_id,"
            " activity_type, description, occurred_at) VALUES (%s, 'c2', 'x', %s, '', now())",
            kind,
            kind,
        )
    request_memberships(crm, list_id(1), chosen)
    assert {contact for contact, _ in answers(sql_rows)} == who


@pytest.mark.usefixtures("known")
def test_a_selection_of_the_adopters_own_is_found_beside_those_shipped_and_wins(
    crm: Database, sql_rows: Rows, tmp_path: Path
) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "selections").mkdir()
    (tmp_path / "selections" / "100 %.sql").write_text("SELECT 'c4' AS contact_id; -- 100 %")
    (tmp_path / "selections" / "opened_lately.sql").write_text("SELECT 'c1' AS contact_id")
    crm.seam = load_seam(tmp_path)
    assert crm.seam.selections() == ["100 %", "contacts_never_mailed", "opened_lately"]
    for chosen in ("100 %", "opened_lately"):
        request_memberships(crm, list_id(1), Chosen(selection=chosen))
    assert {contact for contact, _ in answers(sql_rows)} == {"c1", "c4"}


@pytest.mark.parametrize(
    ("search", "who"),
    [
        (" ANN", {"c1"}),
        ("ôtis", {"c2"}),
        ("example.com", {"c1", "c2", "c4"}),
        ("%", set()),
    ],
)
@pytest.mark.usefixtures("known")
def test_contacts_are_found_by_part_of_a_name_or_an_address(
    crm: Database, search: str, who: set[str]
) -> None:
    see_contacts(crm)
    with crm.transaction() as connection:
        assert set(find(connection, Wanted(search=search), crm.seam)) == who


@pytest.mark.usefixtures("known")
def test_a_request_that_waits_already_is_left_and_one_that_ended_is_made_anew(
    crm: Database, sql_rows: Rows
) -> None:
    assert request_memberships(crm, list_id(1), Chosen(["c1", "c2"])).requested == 2
    sql_rows("UPDATE crm_list_membership SET status = 'rejected' WHERE contact_id = 'c1'")
    before = sql_rows("SELECT requested_at FROM crm_list_membership ORDER BY contact_id")
    assert request_memberships(crm, list_id(1), Chosen(["c1", "c2"])).requested == 1
    after = sql_rows("SELECT requested_at FROM crm_list_membership ORDER BY contact_id")
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize(
    ("number", "chosen", "says"),
    [
        (77, ALL, "param list_id"),
        (1, Chosen(), "give exactly one of the two"),
        (1, Chosen(["c1"], "nonsense"), "give exactly one of the two"),
        (1, Chosen(selection="../memberships/memberships_waiting"), "param selection"),
        (1, Chosen(selection="nonsense"), "there are contacts_never_mailed, opened_lately"),
    ],
)
@pytest.mark.usefixtures("known")
def test_a_wrong_parameter_is_named(crm: Database, number: int, chosen: Chosen, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        request_memberships(crm, list_id(number), chosen)


def test_every_selection_gives_contacts_and_nothing_else(crm: Database) -> None:
    for name in crm.seam.selections():
        with crm.transaction() as connection:
            cursor = connection.execute(crm.seam.selection(name).text)
            assert cursor.description is not None
            assert [column.name for column in cursor.description] == ["contact_id"]
