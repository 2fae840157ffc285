"""Interactions of links that are cleared, and of ids and addresses that others get."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from simulator.server import Running
from tests.support import Add, Rows, contact_id
from tests.sync.engagement.one_campaign import load, night, of_ann

NO_SENDS = {"open", "click", "bounce", "forward", "opt_out"}


def shown(sql_rows: Rows) -> set[tuple[str, str]]:
    rows = sql_rows("SELECT contact_id, activity_type FROM crm_interaction")
    return {(row["contact_id"], row["activity_type"]) for row in rows}


def opened_now(simulator: Running) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    simulator.control.add_events([of_ann("opens", created_time=now)])


@pytest.fixture
def nine(simulator: Running, client: Client, crm: Database, add_crm_contact: Add) -> None:
    """Ann is the CRM's contact 9, the last one; she was sent something and opened it."""
    load(
        simulator,
        of_ann("sends"),
        of_ann("opens", created_time="2026-05-02T10:00:00.000Z"),
        of_ann("sends", contact_id=contact_id(2)),
    )
    add_crm_contact("9", "ann@example.com")
    night(client, crm)


def leave(crm: Database, sql_rows: Rows) -> None:
    """Contact 9 is deleted in the CRM, and the look of every quarter of an hour sees it."""
    sql_rows("DELETE FROM crm_contact WHERE contact_id = '9'")
    link_contacts(crm)


@pytest.mark.usefixtures("nine")
def test_an_id_that_is_given_again_after_its_contact_left_shows_nothing_of_the_former(
    simulator: Running, client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    """The CRM counts max(id) + 1: Carl is added on the day that Ann is deleted."""
    assert shown(sql_rows) == {("9", "send"), ("9", "open")}
    leave(crm, sql_rows)
    add_crm_contact("9", "carl@example.com")
    link_contacts(crm)
    simulator.control.add_events([of_ann("opens", created_time="2026-05-03T10:00:00.000Z")])
    night(client, crm)
    assert shown(sql_rows) == set()


@pytest.mark.usefixtures("nine")
def test_an_id_that_is_given_to_a_linked_contact_shows_that_one_s_history_alone(
    client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    leave(crm, sql_rows)
    add_crm_contact("9", "bob@example.com")
    night(client, crm)
    rows = sql_rows("SELECT contact_id, constant_contact_id FROM crm_interaction")
    assert rows == [{"contact_id": "9", "constant_contact_id": contact_id(2)}]


@pytest.mark.usefixtures("nine")
def test_an_id_that_is_given_twice_in_a_day_shows_nothing_of_the_first(
    client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    for address in ("carl@example.com", "dora@example.com"):
        leave(crm, sql_rows)
        add_crm_contact("9", address)
        link_contacts(crm)
    night(client, crm)
    assert shown(sql_rows) == set()


@pytest.mark.usefixtures("nine")
def test_a_contact_that_comes_back_the_same_day_keeps_its_interactions(
    client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    before = sql_rows("SELECT * FROM crm_interaction ORDER BY interaction_id")
    leave(crm, sql_rows)
    add_crm_contact("9", "Ann@example.com")
    link_contacts(crm)
    night(client, crm)
    assert sql_rows("SELECT * FROM crm_interaction ORDER BY interaction_id") == before


@pytest.fixture
def office(
    simulator: Running, client: Client, crm: Database, add_crm_contact: Add
) -> Callable[[], None]:
    """Office@ is Ann's, and its contact is deleted at Constant Contact; it can come back."""
    load(simulator, of_ann("sends"), addresses=["office@example.com", "other@example.com"])
    add_crm_contact("ann", "office@example.com")
    night(client, crm)
    simulator.control.delete_contact(contact_id(1))
    night(client, crm)

    def come_back() -> None:
        simulator.control.restore_contact(contact_id(1))
        simulator.control.update_contact(contact_id(1), first_name="Office")

    return come_back


def test_a_contact_whose_link_was_cleared_shows_nothing_new_of_the_next_owner_of_its_address(
    simulator: Running, client: Client, crm: Database, office: Callable[[], None],
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    """Ann gets an address of her own; Bob, who has office@ now, signs up."""
    sql_rows("UPDATE crm_contact SET preferred_email = 'ann@home.example' WHERE contact_id = 'ann'")
    add_crm_contact("bob", "office@example.com")
    office()
    opened_now(simulator)
    night(client, crm)
    assert shown(sql_rows) == {("ann", "send"), ("bob", "send"), ("bob", "open")}


def test_a_link_that_is_made_again_shows_what_came_while_it_was_cleared(
    simulator: Running, client: Client, crm: Database, office: Callable[[], None], sql_rows: Rows
) -> None:
    opened_now(simulator)
    night(client, crm)
    assert shown(sql_rows) == {("ann", "send")}
    office()
    report = night(client, crm)
    assert shown(sql_rows) == {("ann", "send"), ("ann", "open")}
    assert (report.of_new_links, report.moved_away) == (1, 0)


def test_a_cleared_link_shows_what_happened_before_and_is_reported_later(
    simulator: Running, client: Client, crm: Database, office: Callable[[], None], sql_rows: Rows
) -> None:
    simulator.control.add_events([of_ann("opens", created_time="2026-05-03T10:00:00.000Z")])
    night(client, crm)
    assert shown(sql_rows) == {("ann", "send"), ("ann", "open")}


def test_a_type_that_comes_back_comes_back_to_a_cleared_link_too(
    client: Client, crm: Database, office: Callable[[], None], sql_rows: Rows
) -> None:
    night(client, crm, activity_types=NO_SENDS)
    assert shown(sql_rows) == set()
    night(client, crm)
    assert shown(sql_rows) == {("ann", "send")}
