"""Ids that are given again, are there twice, or are written otherwise take no no back."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id
from tests.sync.consent.outbox import (
    Push,
    is_out,
    load_people,
    read_from,
)

ANN, BOB, CARL = contact_id(1), contact_id(2), contact_id(3)
Night = Callable[[], None]


def renumbered(sql_rows: Rows, *people: tuple[str, bool]) -> None:
    """A re-import: TRUNCATE, and rows in the order in which they come get the ids from 1 on."""
    with sql_rows.transaction() as connection:
        connection.execute("TRUNCATE crm_contact")
        connection.cursor().executemany(
            "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
            " VALUES (%s, %s, %s)",
            [(str(n), f"{who}@example.com", no) for n, (who, no) in enumerate(people, 1)],
        )


def test_an_id_that_is_given_again_takes_no_no_back(
    simulator: Running, push: Push, full_night: Night, sql_rows: Rows
) -> None:
    """Ann said no and is deleted in the CRM; a re-import gives her id to Bob."""
    load_people(simulator, "ann", "bob", "carl")
    renumbered(sql_rows, ("ann", True), ("bob", False), ("carl", False))
    full_night()
    push()
    assert is_out(simulator, ANN)
    renumbered(sql_rows, ("bob", False), ("carl", False))
    push()
    full_night()
    push()
    assert is_out(simulator, ANN)


def test_a_flag_that_is_cleared_with_another_address_waits_for_a_person(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows
) -> None:
    load_people(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE, preferred_email = 'lee@example.com'")
    push()
    held = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert [row["detail"][:35] for row in held] == ["The address changed with the flag: "]
    assert is_out(simulator, ANN)


def test_an_id_that_is_there_twice_says_no_for_each_of_its_addresses(
    simulator: Running, push: Push, crm: Database, client: Client, sql_rows: Rows,
    add_crm_contact: Add,
) -> None:  # fmt: skip
    load_people(simulator, "ann", "zoe")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    sql_rows("CREATE TABLE rows_of AS SELECT * FROM crm_contact")
    read_from(crm, "SELECT * FROM rows_of")
    sync_contacts(client, crm)
    link_contacts(crm)
    push()
    sql_rows(
        "INSERT INTO rows_of (contact_id, preferred_email, do_not_email, created_at, updated_at)"
        " VALUES ('c1', 'zoe@example.com', TRUE, now(), now())"
    )
    push()
    link_contacts(crm)
    push()
    assert is_out(simulator, BOB)


WIDE = "1790000000000000001"


def test_ids_of_nineteen_digits_are_found_one_by_one(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, push_lists: Any, want: Any, sql_rows: Rows,
) -> None:  # fmt: skip
    """Numbers that are made of a time (snowflakes) are bigints of 19 digits."""
    read_from(
        crm,
        "SELECT contact_id::bigint AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load_people(simulator, "ann")
    add_crm_contact(WIDE, "ann@example.com", do_not_email=False)
    full_night()
    push()
    want(WIDE)
    push_lists()
    (asked,) = sql_rows("SELECT status, detail FROM crm_list_membership")
    assert (asked["status"], bool(simulator.control.truth_contact(ANN)["lists"])) == ("done", True)


@pytest.mark.parametrize("is_set", [True, False])
def test_a_flag_of_an_id_of_nineteen_digits_is_heard(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, is_set: bool, sql_rows: Rows,
) -> None:  # fmt: skip
    read_from(
        crm,
        "SELECT contact_id::bigint AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load_people(simulator, "ann")
    add_crm_contact(WIDE, "ann@example.com", do_not_email=not is_set)
    full_night()
    push()
    set_do_not_email(WIDE, is_set)
    push(whole=False)
    push()
    full_night()
    push()
    assert is_out(simulator, ANN) == is_set, sql_rows("SELECT * FROM crm_opt_out_change")


HEX = "918273645546437281906a5b4c3d2e1f"


@pytest.mark.parametrize(
    ("type_", "in_crm", "rung"),
    [
        ("text", "c1", "C1"),
        ("numeric(18)", "7", "007"),
        ("bigint", "7", "+7"),
        ("bigint", WIDE, f"0{WIDE}"),
        ("uuid", "91827364-5546-4372-8190-6a5b4c3d2e1f", HEX),
        ("uuid", "91827364-5546-4372-8190-6a5b4c3d2e1f", f"{{{HEX}}}"),
        ("text", "c1", "c1 "),
        ("text", "c1", "c11"),
    ],
)
def test_a_wish_that_names_its_contact_otherwise_is_carried_or_told(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    sql_rows: Rows, type_: str, in_crm: str, rung: str,
) -> None:  # fmt: skip
    """A CRM that rings itself, as docs/your-crm.md shows it."""
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    read_from(
        crm,
        f"SELECT contact_id::{type_} AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load_people(simulator, "ann")
    add_crm_contact(in_crm, "ann@example.com", do_not_email=False)
    full_night()
    push()
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, reason, requested_by_contact)"
        " VALUES (%s, TRUE, 'Asked by telephone', TRUE)",
        rung,
    )
    push()
    (told,) = sql_rows("SELECT status, detail FROM crm_opt_out_change")
    assert is_out(simulator, ANN) or told["status"] in {"failed", "held"}, told
