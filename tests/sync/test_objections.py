"""Objections: what a firm does to its rows, and who is unsubscribed after the next run."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, set_flag, vendor_contact
from tests.sync.consent.outbox import Push, crowd, merge

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

ANN, BOB = contact_id(1), contact_id(2)


@pytest.fixture
def known(simulator: Running, client: Client, crm: Database) -> Running:
    """Ann and Bob at the vendor, mirrored."""
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    sync_contacts(client, crm, full=True)
    return simulator


@pytest.fixture
def shown(simulator: Running) -> Callable[[str], tuple[str, str | None]]:
    """Permission and source of the opt-out, as the vendor has them."""

    def look(constant_contact_id: str) -> tuple[str, str | None]:
        contact = simulator.control.truth_contact(constant_contact_id)
        return contact["permission"], contact["opt_out_source"]

    return look


@pytest.fixture
def night(client: Client, crm: Database) -> Callable[[], None]:
    def run() -> None:
        sync_contacts(client, crm)
        link_contacts(crm)

    return run


OUT, OUT_BY_CONTACT = ("unsubscribed", "Account"), ("unsubscribed", "Contact")


def test_a_wish_of_before_there_was_a_link_goes_out_as_the_contacts_own_with_its_reason(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag, shown: Any,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True, reason="By telephone", by_contact=True)
    push()
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    push()
    assert shown(ANN) == OUT_BY_CONTACT
    assert simulator.control.truth_contact(ANN)["opt_out_reason"] == "By telephone"


@pytest.mark.usefixtures("known")
def test_a_link_of_the_old_api_loses_no_wish(
    push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any, night: Any
) -> None:
    add_crm_contact("c1", "ann@example.com", constant_contact_id="1234567890")
    set_do_not_email("c1", True, by_contact=True)
    push()
    night()
    push()
    assert shown(ANN) == OUT_BY_CONTACT


@pytest.mark.usefixtures("known")
def test_a_wish_that_comes_after_the_accounts_flag_is_sent_and_the_clear_is_held(
    push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any, night: Any
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    set_do_not_email("c1", True)
    push()
    assert shown(ANN) == OUT
    set_do_not_email("c1", True, by_contact=True)
    assert push().unsubscribed == 1
    set_do_not_email("c1", False)
    assert push().held == 1
    assert shown(ANN)[0] == "unsubscribed"


@pytest.mark.usefixtures("known")
def test_who_asked_stays_so_through_clearing_and_setting_again(
    push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any, night: Any
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    set_do_not_email("c1", True)
    push()
    assert shown(ANN) == OUT_BY_CONTACT


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("rings", [True, False])
def test_a_contact_that_is_added_with_the_flag_is_out_without_a_night(
    push: Push, add_crm_contact: Add, shown: Any, sql_rows: Rows, *, rings: bool
) -> None:
    if not rings:
        sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    push()
    assert shown(ANN) == OUT


@pytest.mark.usefixtures("known")
def test_who_asked_and_left_the_crm_before_the_night_is_out(
    push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True, by_contact=True)
    sql_rows("DELETE FROM crm_contact")
    push()
    assert shown(ANN) == OUT_BY_CONTACT


DELETE_AND_INSERT = (
    "DELETE FROM crm_contact;"
    " INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
    " VALUES ('c1', 'ann@example.com', TRUE)"
)
BEFORE_TRIGGER = (
    "CREATE FUNCTION of_theirs() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN NEW.do_not_email := TRUE; RETURN NEW; END';"
    " CREATE TRIGGER of_theirs BEFORE UPDATE ON crm_contact"
    " FOR EACH ROW EXECUTE FUNCTION of_theirs();"
    " UPDATE crm_contact SET first_name = 'Ann'"
)
AS_REPLICA = (
    "SET LOCAL session_replication_role = replica; UPDATE crm_contact SET do_not_email = TRUE"
)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "statement",
    [
        DELETE_AND_INSERT,
        BEFORE_TRIGGER,
        AS_REPLICA,
        "ALTER TABLE crm_contact DISABLE TRIGGER USER; UPDATE crm_contact SET do_not_email = TRUE",
        "ALTER TABLE crm_contact RENAME TO old_contact; CREATE TABLE crm_contact AS"
        " SELECT contact_id, first_name, last_name, preferred_email, TRUE AS do_not_email,"
        " constant_contact_id FROM old_contact",
    ],
    ids=["delete and insert", "before trigger", "replica", "no trigger", "swapped table"],
)
def test_a_flag_goes_out_whichever_way_it_was_set(
    push: Push, add_crm_contact: Add, shown: Any, night: Any, sql_rows: Rows, statement: str,
    crm_url: str,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    night()
    with psycopg.connect(crm_url) as connection:
        connection.execute(statement.encode())
    push()
    assert shown(ANN) == OUT


@pytest.mark.usefixtures("known")
def test_a_flag_that_comes_by_copy_goes_out(push: Push, shown: Any, crm_url: str) -> None:
    copy = "COPY crm_contact (contact_id, preferred_email, do_not_email) FROM STDIN"
    with psycopg.connect(crm_url) as connection, connection.cursor().copy(copy) as rows:
        rows.write_row(("c1", "ann@example.com", True))
    push()
    assert shown(ANN) == OUT


@pytest.mark.usefixtures("known")
def test_a_flag_that_becomes_unknown_says_nothing(
    push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    set_do_not_email("c1", True)
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = NULL")
    push()
    assert shown(ANN) == OUT
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    push()
    assert shown(ANN) == OUT


def test_a_mass_of_cleared_flags_is_held_for_a_person(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 60)
    sync_contacts(client, crm, full=True)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push().unsubscribed == 60
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    report = push()
    assert (report.resubscribed, report.held) == (0, 60)
    (hold,) = sql_rows("SELECT hold_id FROM ctct_hold")
    holds.answer(crm, hold["hold_id"], "approved", by="joe")
    assert push().resubscribed == 60


def test_a_mass_within_a_rolling_day_is_held(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 80)
    sync_contacts(client, crm, full=True)
    quarter = "UPDATE crm_contact SET do_not_email = TRUE WHERE substr(contact_id, 2)::int % 4 = %s"
    reports = []
    for part in range(4):
        sql_rows(quarter.replace("% 4", "%% 4"), part)
        reports.append(push(breaker_contacts=50, breaker_share=0))
    assert [report.unsubscribed for report in reports] == [20, 20, 0, 0]
    assert [report.held for report in reports] == [0, 0, 20, 20]


@pytest.mark.usefixtures("known")
def test_an_opt_out_that_was_not_ours_is_not_taken_back(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any,
    night: Any,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    night()
    simulator.control.unsubscribe(ANN, source="Account")
    set_do_not_email("c1", True)
    assert push().unchanged == 1
    set_do_not_email("c1", False)
    assert push().held == 1
    assert shown(ANN) == OUT


@pytest.mark.usefixtures("known")
def test_a_no_that_was_written_first_and_committed_last_goes_out(
    push: Push, add_crm_contact: Add, shown: Any, night: Any, crm_url: str, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    sql_rows(
        "INSERT INTO crm_opt_out_change (change_id, contact_id, do_not_email)"
        " OVERRIDING SYSTEM VALUE VALUES (1000, 'c1', FALSE)"
    )
    push()
    with psycopg.connect(crm_url) as connection:
        set_flag(connection, "c1", True)
    push()
    assert shown(ANN) == OUT


@pytest.mark.usefixtures("known")
def test_a_flag_holds_for_the_contact_that_has_the_address_now(
    push: Push, add_crm_contact: Add, shown: Any, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    night()
    push()
    sql_rows("UPDATE crm_contact SET preferred_email = 'BOB@example.com'")
    push()
    assert shown(BOB) == OUT


@pytest.mark.usefixtures("known")
def test_a_failed_opt_out_goes_out_to_the_contact_that_is_linked_now(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag, shown: Any, night: Any,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    night()
    set_do_not_email("c1", True, by_contact=True)
    refused = {"status": 400, "error_key": "x", "error_message": "no"}
    simulator.control.add_fault("status", match={"method": "PUT"}, params=refused, times=10)
    push()
    simulator.control.clear_faults()
    simulator.control.purge_contact(ANN)
    simulator.control.update_contact(BOB, email="ann@example.com")
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    push()
    assert shown(BOB) == OUT_BY_CONTACT


@pytest.mark.usefixtures("known")
def test_a_flag_that_stays_when_the_contact_opted_in_is_the_accounts(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, shown: Any,
    night: Any,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    night()
    set_do_not_email("c1", True, by_contact=True)
    push()
    simulator.control.clock(advance_s=7200)
    simulator.control.resubscribe(ANN)
    night()
    push()
    assert shown(ANN) == OUT


def test_contacts_that_vanish_in_a_mass_keep_links_and_lift_nothing(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 120)
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    sql_rows("ALTER TABLE crm_contact RENAME TO full_contact")
    sql_rows("CREATE TABLE crm_contact (LIKE full_contact)")
    report = link_contacts(crm)
    assert (report.left, report.absent_held) == (0, 120)
    (linked,) = sql_rows("SELECT count(constant_contact_id) AS n FROM ctct_link")
    assert linked == {"n": 120}
    push()
    sql_rows("DROP TABLE crm_contact; ALTER TABLE full_contact RENAME TO crm_contact")
    link_contacts(crm)
    (held,) = sql_rows("SELECT count(absence_hold_id) AS n FROM ctct_link")
    assert held == {"n": 0}


@pytest.mark.usefixtures("known")
def test_what_a_merged_contact_objected_to_holds_for_the_one_it_was_merged_into(
    push: Push, add_crm_contact: Add, shown: Any, night: Any, sql_rows: Rows, crm: Database
) -> None:
    merge(crm, "c1", into="c2")
    add_crm_contact("c1", "old@example.com")
    add_crm_contact("c2", "bob@example.com")
    night()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c1'")
    push()
    assert shown(BOB) == OUT
