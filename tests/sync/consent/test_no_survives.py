"""A no survives whatever happens to addresses, links, flags and copies afterwards."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync import holds
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import (
    Push,
    is_out,
    load_people,
    mailable,
    merge,
    read_from,
)

ANN, BOB, CARL = contact_id(1), contact_id(2), contact_id(3)
Night = Callable[[], None]


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
    assert is_out(simulator, contact_id(3)), told


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
    assert "ann@example.com" not in mailable(simulator)


def test_a_no_holds_for_the_address_that_is_blanked_with_it_though_her_contact_is_purged(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Any, want: Any,
) -> None:  # fmt: skip
    load_people(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE, preferred_email = NULL")
    push()
    assert is_out(simulator, ANN)
    simulator.control.purge_contact(ANN)
    full_night()
    push()
    add_crm_contact("c2", "ann@example.com", do_not_email=False)
    want("c2")
    push_lists()
    assert "ann@example.com" not in mailable(simulator)


@pytest.mark.parametrize("how", ["reloaded", "another view", "other words"])
def test_flags_that_vanish_all_at_once_do_not_count_as_cleared(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    sql_rows: Rows, how: str,
) -> None:  # fmt: skip
    """The flag is a row of another table, or a word; that table is loaded again, or reworded."""
    sql_rows(
        "CREATE TABLE refusal AS SELECT 'c' || n AS contact_id, 'N' AS word"
        " FROM generate_series(0, 39) AS n"
    )
    sql_rows("CREATE VIEW consent AS SELECT contact_id, word = 'N' AS refuses FROM refusal")
    read_from(
        crm,
        "SELECT contact_id, preferred_email, coalesce(consent.refuses, FALSE) AS do_not_email,"
        " first_name, last_name FROM crm_contact LEFT JOIN consent USING (contact_id)",
    )
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(60)])
    for n in range(60):
        add_crm_contact(f"c{n}", f"{n}@example.com", do_not_email=False)
    full_night()
    push()
    assert is_out(simulator, contact_id(7))
    sql_rows(
        {
            "reloaded": "TRUNCATE refusal",
            "another view": "CREATE OR REPLACE VIEW consent AS"
            " SELECT contact_id, word = 'no' AS refuses FROM refusal",
            "other words": "UPDATE refusal SET word = 'no'",
        }[how]
    )
    push()
    mailable = [n for n in range(40) if not is_out(simulator, contact_id(n))]
    assert mailable == []


def test_a_contact_that_unsubscribed_by_a_mail_and_was_purged_that_day_is_not_created_again(
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
    assert "ann@example.com" not in mailable(simulator)


@pytest.mark.parametrize("moved", ["in the CRM", "at Constant Contact"])
@pytest.mark.parametrize("how", ["deleted", "purged"])
def test_a_contact_that_unsubscribed_is_not_created_again_under_the_other_address(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Any, want: Any, moved: str, how: str,
) -> None:  # fmt: skip
    """Ann's address changes on one side; she unsubscribes; a clean-up deletes her there."""
    load_people(simulator, "ann")
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
    assert mailable(simulator) == []


def test_a_no_right_after_an_opt_in_goes_out_though_the_vendor_shows_what_was_before_it(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, client: Client, sql_rows: Rows,
) -> None:  # fmt: skip
    """A vendor that is eventually consistent: one GET is answered by a copy of a moment ago."""
    load_people(simulator, "ann")
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
    assert is_out(simulator, ANN), sql_rows("SELECT status, detail FROM crm_opt_out_change")


def test_an_unsubscribed_contact_is_not_created_for_the_one_that_it_was_merged_into(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    push_lists: Any, want: Any,
) -> None:  # fmt: skip
    load_people(simulator, "ann")
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
    assert mailable(simulator) == []


def test_what_a_contact_asked_for_goes_out_though_a_copy_never_showed_it(
    simulator: Running, push: Push, crm: Database, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    """contacts.sql reads a copy that is renewed each hour; the doorbell is on the table itself."""
    load_people(simulator, "ann")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    sql_rows("CREATE MATERIALIZED VIEW people AS SELECT * FROM crm_contact")
    read_from(crm, "SELECT * FROM people")
    full_night()
    push()
    set_do_not_email("c1", True, by_contact=True)
    push(whole=False)
    push()
    # As the CRM does with contacts that opt out.
    sql_rows("DELETE FROM crm_contact")
    sql_rows("REFRESH MATERIALIZED VIEW people")
    push()
    full_night()
    push()
    assert is_out(simulator, ANN), sql_rows("SELECT status, detail FROM crm_opt_out_change")
