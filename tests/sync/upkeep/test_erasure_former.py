"""An erasure reaches what a contact of the CRM had before: addresses and links."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ChangesRefused, SettingError
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.memberships.push import MembershipsReport
from constant_contact.sync.upkeep.erasure import ErasureReport
from simulator.server import Running
from tests.support import Add, Flag, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import answers, made

ANN, BOB = contact_id(1), contact_id(2)
OLD, NEW = "ann@old.example", "ann@new.example"
SUPPRESSED = (
    "SELECT reason FROM ctct_objection WHERE source = 'erasure'"
    " AND email_digest = ctct_email_digest(ctct_email_key(%s))"
)

Erase = Callable[..., ErasureReport]
Move = Callable[[str, str], None]
Night = Callable[[], None]


@pytest.fixture
def night(client: Client, crm: Database) -> Night:
    def run() -> None:
        sync_contacts(client, crm, full=True)
        link_contacts(crm)
        push_opt_outs(client, crm)

    return run


@pytest.fixture
def move(sql_rows: Rows, night: Night) -> Move:
    """Gives a contact of the CRM another address."""

    def run(contact: str, address: str) -> None:
        sql_rows(
            "UPDATE crm_contact SET preferred_email = %s WHERE contact_id = %s", address, contact
        )
        night()

    return run


@pytest.fixture
def moved(
    simulator: Running, lists: list[str], add_crm_contact: Add, night: Night, move: Move
) -> None:
    """Ann was linked by an address that she has at Constant Contact only."""
    simulator.control.load(contacts=[vendor_contact(1, OLD)])
    add_crm_contact("c1", OLD, first_name="Ann")
    night()
    move("c1", NEW)


def leave_crm(sql_rows: Rows, contact: str = "c1") -> None:
    sql_rows("DELETE FROM crm_contact WHERE contact_id = %s", contact)


def former_keys(sql_rows: Rows) -> list[tuple[Any, ...]]:
    rows = sql_rows("SELECT * FROM ctct_former_key ORDER BY 1, 2, 3")
    return [tuple(row.values()) for row in rows]


def digest(sql_rows: Rows, address: str) -> str:
    (row,) = sql_rows("SELECT ctct_email_digest(ctct_email_key(%s)) AS digest", address)
    return str(row["digest"])


@pytest.mark.usefixtures("moved", "nobody_was_wronged")
@pytest.mark.parametrize("asked", [True, False])
def test_the_last_address_of_a_contact_that_left_both_sides_is_not_created(
    simulator: Running,
    add_crm_contact: Add,
    set_do_not_email: Flag,
    forget: Erase,
    night: Night,
    push_lists: Callable[..., MembershipsReport],
    want: Want,
    sql_rows: Rows,
    asked: bool,
) -> None:
    if asked:
        set_do_not_email("c1", True, "asked to be forgotten", by_contact=True)
        night()
    simulator.control.delete_contact(ANN)
    leave_crm(sql_rows)
    night()
    assert forget("c1").addresses_suppressed == 2
    add_crm_contact("c9", NEW, first_name="Ann")
    want("c9")
    assert push_lists().rejected == 1
    assert "asked to be forgotten" in str(answers(sql_rows)[("c9", 1)][1])
    assert made(simulator, "POST", "/contacts") == 0


@pytest.mark.usefixtures("moved")
def test_nothing_is_left_of_a_contact_that_the_link_was_cleared_of(
    simulator: Running, forget: Erase, set_do_not_email: Flag, night: Night, sql_rows: Rows
) -> None:
    simulator.control.delete_contact(ANN)
    night()
    night()
    assert sql_rows("SELECT contact_id FROM ctct_link WHERE constant_contact_id IS NOT NULL") == []
    set_do_not_email("c1", True, "asked to be forgotten", by_contact=True)
    night()
    assert forget("c1").addresses_suppressed == 2
    assert sql_rows("SELECT email_address FROM ctct_contact WHERE email_address IS NOT NULL") == []
    assert sql_rows("SELECT constant_contact_id FROM ctct_erased") == [{"constant_contact_id": ANN}]


@pytest.mark.parametrize(
    "told",
    [
        "crm_opt_out_change (do_not_email, status, contact_id, constant_contact_id, email_digest)"
        " SELECT TRUE, 'done'",
        "ctct_objection (source, objected_at, contact_id, constant_contact_id, email_digest)"
        " SELECT 'flag', now()",
    ],
)
def test_the_keys_of_a_change_and_of_an_objection_go_too(
    simulator: Running, add_crm_contact: Add, forget: Erase, night: Night, sql_rows: Rows, told: str
) -> None:
    """Of a link or address that was gone before the next look, or left before those were kept."""
    simulator.control.load(contacts=[vendor_contact(1, OLD)])
    add_crm_contact("c1", NEW)
    night()
    third = "ann@third.example"
    sql_rows(f"INSERT INTO {told}, 'c1', %s, %s", ANN, digest(sql_rows, third))
    simulator.control.delete_contact(ANN)
    assert forget("c1").addresses_suppressed == 3
    assert [len(sql_rows(SUPPRESSED, address)) for address in (OLD, NEW, third)] == [1, 1, 1]
    assert sql_rows("SELECT constant_contact_id FROM ctct_erased") == [{"constant_contact_id": ANN}]


@pytest.mark.usefixtures("moved")
def test_whom_constant_contact_may_mail_at_a_former_address_is_not_erased(
    simulator: Running, forget: Erase, night: Night, sql_rows: Rows
) -> None:
    simulator.control.purge_contact(ANN)
    night()
    simulator.control.load(contacts=[vendor_contact(2, OLD)])
    night()
    with pytest.raises(ChangesRefused, match=BOB):
        forget("c1")
    simulator.control.unsubscribe(BOB)
    forget("c1")
    assert sql_rows("SELECT email_address FROM ctct_contact WHERE email_address IS NOT NULL") == []


def test_of_a_person_who_was_never_linked_and_has_left_nothing_is_left(
    lists: list[str],
    add_crm_contact: Add,
    set_do_not_email: Flag,
    forget: Erase,
    night: Night,
    sql_rows: Rows,
) -> None:
    add_crm_contact("c1", NEW, first_name="Ann")
    night()
    set_do_not_email("c1", True, "Ann Lee asked by telephone", by_contact=True)
    night()
    leave_crm(sql_rows)
    night()
    assert forget("c1").addresses_suppressed == 1
    assert sql_rows("SELECT reason FROM crm_opt_out_change WHERE reason IS NOT NULL") == []
    assert sql_rows("SELECT reason FROM ctct_objection WHERE reason IS NOT NULL") == []
    assert len(sql_rows(SUPPRESSED, NEW)) == 1


def test_of_a_person_who_was_never_linked_the_address_goes_and_does_not_come_back(
    add_crm_contact: Add, forget: Erase, night: Night, sql_rows: Rows
) -> None:
    add_crm_contact("c1", NEW, first_name="Ann")
    night()
    for _ in range(2):
        forget("c1")
    night()
    (kept,) = sql_rows("SELECT email_address, first_name, erased_digest FROM ctct_link")
    assert list(kept.values()) == [None, None, digest(sql_rows, NEW)]
    leave_crm(sql_rows)
    night()
    assert former_keys(sql_rows) == []


def test_who_only_asked_for_a_list_is_known(forget: Erase, want: Want, sql_rows: Rows) -> None:
    want("c1")
    assert forget("c1").memberships == 1
    with pytest.raises(SettingError, match="nothing is known of c1"):
        forget("c1")


def test_former_keys_are_kept_when_they_change_and_only_then(
    simulator: Running, crm: Database, add_crm_contact: Add, night: Night, move: Move,
    sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c1", OLD)
    see_contacts(crm)
    simulator.control.load(contacts=[vendor_contact(1, OLD)])
    night()
    sql_rows("UPDATE crm_contact SET first_name = 'Ann', preferred_email = 'Ann@old.example'")
    night()
    assert former_keys(sql_rows) == []
    old, new = digest(sql_rows, OLD), digest(sql_rows, NEW)
    for address in (NEW, OLD, NEW):
        move("c1", address)
    with_link = sorted([("c1", ANN, old), ("c1", ANN, new)])
    assert former_keys(sql_rows) == with_link
    simulator.control.delete_contact(ANN)
    night()
    leave_crm(sql_rows)
    night()
    assert former_keys(sql_rows) == [*with_link, ("c1", None, new)]


@pytest.mark.usefixtures("moved")
def test_what_a_contact_had_is_forgotten_with_it(
    simulator: Running, forget: Erase, sql_rows: Rows
) -> None:
    simulator.control.unsubscribe(ANN)
    assert former_keys(sql_rows) != []
    forget("c1")
    assert former_keys(sql_rows) == []


@pytest.mark.usefixtures("moved")
def test_by_constant_contacts_id_what_its_contacts_had_goes_too(
    simulator: Running, forget: Erase, move: Move, sql_rows: Rows
) -> None:
    move("c1", "ann@third.example")
    simulator.control.unsubscribe(ANN)
    assert forget(vendors=ANN).addresses_suppressed == 3
    assert len(sql_rows(SUPPRESSED, NEW)) == 1


@pytest.mark.usefixtures("moved", "nobody_was_wronged")
def test_a_former_address_that_another_contact_has_now_stays_and_is_said(
    simulator: Running,
    add_crm_contact: Add,
    forget: Erase,
    night: Night,
    move: Move,
    push_lists: Callable[..., MembershipsReport],
    want: Want,
    sql_rows: Rows,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator.control.delete_contact(ANN)
    move("c1", "ann@third.example")
    add_crm_contact("c9", NEW)
    night()
    forget("c1")
    assert "c9" in caplog.text
    assert sql_rows(SUPPRESSED, NEW) == []
    for address in (OLD, "ann@third.example"):
        assert len(sql_rows(SUPPRESSED, address)) == 1
    want("c9")
    assert push_lists().added == 1


@pytest.mark.usefixtures("moved")
def test_a_former_contact_that_another_one_is_linked_to_now_stays_and_its_interactions_go(
    simulator: Running, add_crm_contact: Add, forget: Erase, night: Night, sql_rows: Rows,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    sql_rows("UPDATE ctct_link SET projected_id = constant_contact_id")
    sql_rows(
        "INSERT INTO crm_interaction (interaction_id, contact_id, constant_contact_id,"
        " activity_type, description, occurred_at)"
        " SELECT id, id, %s, 'open', 'Opened', now() FROM unnest(ARRAY['c1', 'c9']) AS id", ANN,
    )  # fmt: skip
    simulator.control.delete_contact(ANN)
    night()
    # Another contact, for which the CRM has the link from before.
    add_crm_contact("c9", "else@example.com", constant_contact_id=ANN)
    forget("c1")
    assert "c9" in caplog.text
    assert sql_rows("SELECT constant_contact_id FROM ctct_erased") == []
    assert sql_rows("SELECT email_address FROM ctct_contact") == [{"email_address": OLD}]
    assert sql_rows(SUPPRESSED, OLD) == []
    assert sql_rows("SELECT contact_id FROM crm_interaction") == [{"contact_id": "c9"}]
    (link,) = sql_rows("SELECT projected_id FROM ctct_link WHERE contact_id = 'c1'")
    assert link["projected_id"] is None


def test_what_a_contact_had_that_left_and_shared_the_link_stays_its_own(
    simulator: Running, add_crm_contact: Add, forget: Erase, night: Night, move: Move,
    sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, "family@example.com")])
    add_crm_contact("c1", "family@example.com")
    add_crm_contact("c2", "bob@example.com")
    night()
    move("c2", "family@example.com")
    leave_crm(sql_rows, "c2")
    simulator.control.unsubscribe(ANN)
    night()
    assert forget("c1").contacts == 2
    assert len(sql_rows(SUPPRESSED, "family@example.com")) == 1
    assert sql_rows(SUPPRESSED, "bob@example.com") == []
    assert "c2" in {row[0] for row in former_keys(sql_rows)}
