"""A no survives whatever happens to ids, addresses, links and copies afterwards."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, merge, permission

ANN, BOB, CARL = contact_id(1), contact_id(2), contact_id(3)
Night = Callable[[], None]


def out(simulator: Running, each: str) -> bool:
    return permission(simulator, each) == "unsubscribed"


def load(simulator: Running, *names: str) -> None:
    simulator.control.load(
        contacts=[vendor_contact(n, f"{each}@example.com") for n, each in enumerate(names, 1)]
    )


def test_a_no_is_not_kept_back_by_a_rejected_mass_of_contacts_that_have_left(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    sql_rows: Rows,
) -> None:  # fmt: skip
    """A bad import brings duplicates with the flag; it is rejected and deleted; then a real no."""
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(10)])
    for n in range(10):
        add_crm_contact(f"c{n}", f"{n}@example.com", do_not_email=False)
    full_night()
    push(breaker_contacts=5)
    for n in range(10):
        add_crm_contact(f"dup{n}", f"{n}@example.com", do_not_email=True)
    assert push(breaker_contacts=5).held == 10
    holds.answer(crm, 1, "rejected", by="ann")
    sql_rows("DELETE FROM crm_contact WHERE contact_id LIKE 'dup%'")
    full_night()
    push(breaker_contacts=5)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c3'")
    push(breaker_contacts=5)
    full_night()
    push(breaker_contacts=5)
    told = (
        sql_rows("SELECT change_id, contact_id, status, detail FROM crm_opt_out_change"
                 " WHERE constant_contact_id = %s", contact_id(3)),
        sql_rows("SELECT hold_id FROM ctct_hold WHERE answer IS NULL"),
    )  # fmt: skip
    assert out(simulator, contact_id(3)), told


@pytest.mark.parametrize("new", [None, "removed@firm.example"])
@pytest.mark.parametrize("rings", [True, False])
def test_a_no_holds_for_the_address_that_is_blanked_with_it(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Any, want: Any, new: str | None, rings: bool,
) -> None:  # fmt: skip
    """Not at the vendor yet: flag set, address blanked; then she is imported again."""
    if not rings:
        sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE, preferred_email = %s", new)
    push()
    full_night()
    add_crm_contact("c2", "ann@example.com", do_not_email=False)
    want("c2")
    push_lists()
    mailed = [
        each for each in simulator.control.truth_contacts()
        if each["email"] == "ann@example.com" and each["permission"] != "unsubscribed"
    ]  # fmt: skip
    assert mailed == []


def test_a_no_holds_for_the_address_that_is_blanked_with_it_though_her_contact_is_purged(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Any, want: Any,
) -> None:  # fmt: skip
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE, preferred_email = NULL")
    push()
    assert out(simulator, ANN)
    simulator.control.purge_contact(ANN)
    full_night()
    push()
    add_crm_contact("c2", "ann@example.com", do_not_email=False)
    want("c2")
    push_lists()
    mailed = [
        each for each in simulator.control.truth_contacts()
        if each["email"] == "ann@example.com" and not each["deleted"]
        and each["permission"] != "unsubscribed"
    ]  # fmt: skip
    assert mailed == []


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
    load(simulator, "ann", "bob", "carl")
    renumbered(sql_rows, ("ann", True), ("bob", False), ("carl", False))
    full_night()
    push()
    assert out(simulator, ANN)
    renumbered(sql_rows, ("bob", False), ("carl", False))
    push()
    full_night()
    push()
    assert out(simulator, ANN)


def test_a_flag_that_is_cleared_with_another_address_waits_for_a_person(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows
) -> None:
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE, preferred_email = 'lee@example.com'")
    push()
    held = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert [row["detail"][:35] for row in held] == ["The address changed with the flag: "]
    assert out(simulator, ANN)


def test_an_id_that_is_there_twice_says_no_for_each_of_its_addresses(
    simulator: Running, push: Push, crm: Database, client: Client, sql_rows: Rows,
    add_crm_contact: Add,
) -> None:  # fmt: skip
    load(simulator, "ann", "zoe")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    sql_rows("CREATE TABLE rows_of AS SELECT * FROM crm_contact")
    text: Any = "SELECT * FROM rows_of"
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
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
    assert out(simulator, BOB)


WIDE = "1790000000000000001"


def with_text(crm: Database, text: Any) -> None:
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))


def test_ids_of_nineteen_digits_are_found_one_by_one(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, push_lists: Any, want: Any, sql_rows: Rows,
) -> None:  # fmt: skip
    """Numbers that are made of a time (snowflakes) are bigints of 19 digits."""
    with_text(
        crm,
        "SELECT contact_id::bigint AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load(simulator, "ann")
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
    with_text(
        crm,
        "SELECT contact_id::bigint AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load(simulator, "ann")
    add_crm_contact(WIDE, "ann@example.com", do_not_email=not is_set)
    full_night()
    push()
    set_do_not_email(WIDE, is_set)
    push(whole=False)
    push()
    full_night()
    push()
    assert out(simulator, ANN) == is_set, sql_rows("SELECT * FROM crm_opt_out_change")


@pytest.mark.parametrize("how", ["reloaded", "another view", "other words"])
def test_flags_that_vanish_all_at_once_are_taken_for_none_that_were_cleared(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    sql_rows: Rows, how: str,
) -> None:  # fmt: skip
    """The flag is a row of another table, or a word; that table is loaded anew, or is reworded."""
    sql_rows(
        "CREATE TABLE refusal AS SELECT 'c' || n AS contact_id, 'N' AS word"
        " FROM generate_series(0, 39) AS n"
    )
    sql_rows("CREATE VIEW consent AS SELECT contact_id, word = 'N' AS refuses FROM refusal")
    with_text(
        crm,
        "SELECT contact_id, preferred_email, coalesce(consent.refuses, FALSE) AS do_not_email,"
        " first_name, last_name FROM crm_contact LEFT JOIN consent USING (contact_id)",
    )
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(60)])
    for n in range(60):
        add_crm_contact(f"c{n}", f"{n}@example.com", do_not_email=False)
    full_night()
    push()
    assert out(simulator, contact_id(7))
    sql_rows(
        {
            "reloaded": "TRUNCATE refusal",
            "another view": "CREATE OR REPLACE VIEW consent AS"
            " SELECT contact_id, word = 'no' AS refuses FROM refusal",
            "other words": "UPDATE refusal SET word = 'no'",
        }[how]
    )
    push()
    mailable = [n for n in range(40) if not out(simulator, contact_id(n))]
    assert mailable == []


def test_who_unsubscribed_by_a_mail_and_was_purged_the_same_day_is_not_created_again(
    simulator: Running, push: Push, client: Client, crm: Database, full_night: Night,
    add_crm_contact: Add, push_lists: Any, want: Any,
) -> None:  # fmt: skip
    from tests.sync.engagement import one_campaign

    one_campaign.load(simulator)
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    one_campaign.night(client, crm)
    full_night()
    push()
    simulator.control.add_events([one_campaign.of_ann("optouts")])
    simulator.control.unsubscribe(ANN, source="Contact")
    simulator.control.purge_contact(ANN)
    full_night()
    one_campaign.night(client, crm)
    full_night()
    push()
    want("c1")
    push_lists()
    mailed = [
        each for each in simulator.control.truth_contacts()
        if not each["deleted"] and each["email"] == "ann@example.com"
        and each["permission"] != "unsubscribed"
    ]  # fmt: skip
    assert mailed == []


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
    with_text(
        crm,
        f"SELECT contact_id::{type_} AS contact_id, preferred_email, do_not_email, first_name,"
        " last_name FROM crm_contact",
    )
    load(simulator, "ann")
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
    assert out(simulator, ANN) or told["status"] in {"failed", "held"}, told


@pytest.mark.parametrize("moved", ["in the CRM", "at Constant Contact"])
@pytest.mark.parametrize("how", ["deleted", "purged"])
def test_who_unsubscribed_is_not_created_again_under_the_other_address(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Any, want: Any, moved: str, how: str,
) -> None:  # fmt: skip
    """Ann's address changes on one side; she unsubscribes; a clean-up deletes her there."""
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    if moved == "in the CRM":
        sql_rows("UPDATE crm_contact SET preferred_email = 'lee@example.com'")
    else:
        simulator.control.update_contact(ANN, email="lee@example.com")
    full_night()
    simulator.control.unsubscribe(ANN, source="Contact")
    full_night()
    push()
    if how == "deleted":
        simulator.control.delete_contact(ANN)
    else:
        simulator.control.purge_contact(ANN)
    full_night()
    push()
    want("c1")
    push_lists()
    mailed = [
        each["email"] for each in simulator.control.truth_contacts()
        if not each["deleted"] and each["permission"] != "unsubscribed"
    ]  # fmt: skip
    assert mailed == []


def test_a_no_right_after_an_opt_in_goes_out_though_the_vendor_shows_what_was_before_it(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, client: Client, sql_rows: Rows,
) -> None:  # fmt: skip
    """A vendor that is eventually consistent: one GET is answered by a copy of a moment ago."""
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    set_do_not_email("c1", True)
    push()
    shown = client.get(f"/contacts/{ANN}")
    assert shown["email_address"]["permission_to_send"] == "unsubscribed"
    set_do_not_email("c1", False)
    assert push().resubscribed == 1
    set_do_not_email("c1", True)
    simulator.control.add_fault(
        "status", match={"method": "GET", "path": f"/contacts/{ANN}"},
        params={"status": 200, "body": shown},
    )  # fmt: skip
    push()
    for _ in range(3):
        push()
    assert out(simulator, ANN), sql_rows("SELECT status, detail FROM crm_opt_out_change")


def test_who_unsubscribed_is_not_created_for_the_contact_that_hers_was_merged_into(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    push_lists: Any, want: Any,
) -> None:  # fmt: skip
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    add_crm_contact("c2", "lee@example.com", do_not_email=False)
    full_night()
    simulator.control.unsubscribe(ANN, source="Contact")
    full_night()
    push()
    merge(crm, "c1", into="c2")
    push()
    full_night()
    want("c2")
    push_lists()
    mailed = [
        each["email"] for each in simulator.control.truth_contacts()
        if not each["deleted"] and each["permission"] != "unsubscribed"
    ]  # fmt: skip
    assert mailed == []


def test_what_a_contact_asked_for_goes_out_though_a_copy_never_showed_it(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    """contacts.sql reads a copy that is renewed each hour; the doorbell is on the table itself."""
    load(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    sql_rows("CREATE MATERIALIZED VIEW people AS SELECT * FROM crm_contact")
    with_text(crm, "SELECT * FROM people")
    full_night()
    push()
    set_do_not_email("c1", True, by_contact=True)
    push(whole=False)
    push()
    # As the CRM does with whoever wants to be left alone.
    sql_rows("DELETE FROM crm_contact")
    sql_rows("REFRESH MATERIALIZED VIEW people")
    push()
    full_night()
    push()
    assert out(simulator, ANN), sql_rows("SELECT status, detail FROM crm_opt_out_change")
