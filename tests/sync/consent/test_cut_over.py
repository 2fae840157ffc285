"""The first comparison of all after an upgrade: what a person is asked, once."""

from collections.abc import Callable

import pytest

from constant_contact.store.database import Database
from constant_contact.sync import holds
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, approve, permission

Night = Callable[[], None]
Upgrade = Callable[[], None]

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def upgrade(full_night: Night, sql_rows: Rows) -> Upgrade:
    """A night by a release that compared nothing, then an upgrade."""

    def upgrade() -> None:
        full_night()
        sql_rows("INSERT INTO ctct_cut_over DEFAULT VALUES")

    return upgrade


@pytest.fixture
def older(simulator: Running, ann: str, upgrade: Upgrade, set_do_not_email: Flag) -> str:
    """Ann, unsubscribed by the account years ago, when the CRM flagged her."""
    simulator.control.unsubscribe(ann, source="Account")
    upgrade()
    set_do_not_email("c1", True)
    return ann


def flag_unheard(sql_rows: Rows) -> None:
    """Do Not Email of c1, past the doorbell."""
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c1'")
    sql_rows("ALTER TABLE crm_contact ENABLE TRIGGER USER")


def open_holds(sql_rows: Rows) -> list[tuple[int, str]]:
    found = sql_rows("SELECT hold_id, noun FROM ctct_hold WHERE answer IS NULL ORDER BY hold_id")
    return [(row["hold_id"], row["noun"]) for row in found]


def test_what_it_found_waits_for_a_person_and_what_the_crm_changes_goes_out(
    simulator: Running, ann: str, upgrade: Upgrade, push: Push, crm: Database,
    add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(2, "bob@example.com")])
    add_crm_contact("c2", "bob@example.com")
    upgrade()
    flag_unheard(sql_rows)
    set_do_not_email("c2", True)
    assert push().unsubscribed == 1
    assert permission(simulator, contact_id(2)) == "unsubscribed"
    assert permission(simulator, ann) == "implicit"
    assert approve(crm) == 1
    assert push().unsubscribed == 1
    assert permission(simulator, ann) == "unsubscribed"


def test_it_is_over_though_nothing_was_found(
    ann: str, upgrade: Upgrade, push: Push, sql_rows: Rows
) -> None:
    upgrade()
    push()
    flag_unheard(sql_rows)
    assert push().unsubscribed == 1
    assert open_holds(sql_rows) == []


def test_an_older_opt_out_of_the_account_follows_the_flag_once_a_person_says_so(
    simulator: Running, older: str, push: Push, crm: Database, set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:  # fmt: skip
    push()
    assert [noun for _, noun in open_holds(sql_rows)] == ["objections"]
    assert approve(crm) == 1
    assert permission(simulator, older) == "unsubscribed"
    set_do_not_email("c1", False)
    assert push().resubscribed == 1
    assert permission(simulator, older) == "implicit"


@pytest.mark.parametrize("said", ["rejected", None])
def test_it_stands_for_itself_where_a_person_does_not(
    simulator: Running, older: str, push: Push, crm: Database, set_do_not_email: Flag,
    sql_rows: Rows, said: holds.Answer | None,
) -> None:  # fmt: skip
    push()
    if said is not None:
        holds.answer(crm, open_holds(sql_rows)[0][0], said, by="ann")
    set_do_not_email("c1", False)
    assert push().held == 1
    assert permission(simulator, older) == "unsubscribed"


def test_a_flag_that_was_cleared_before_the_answer_is_not_decided_with_the_others(
    simulator: Running, older: str, push: Push, crm: Database, set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:  # fmt: skip
    push()
    set_do_not_email("c1", False)
    push()
    assert approve(crm) == 0
    push()
    assert permission(simulator, older) == "unsubscribed"


@pytest.mark.parametrize("source", ["Contact", "Account"])
def test_nobody_is_asked_about_a_contacts_own_opt_out_or_one_without_a_flag(
    simulator: Running, ann: str, upgrade: Upgrade, push: Push, set_do_not_email: Flag,
    sql_rows: Rows, source: str,
) -> None:  # fmt: skip
    simulator.control.unsubscribe(ann, source=source)
    upgrade()
    set_do_not_email("c1", source == "Contact")
    push()
    assert open_holds(sql_rows) == []
    # Once: not by a later comparison either.
    set_do_not_email("c1", True)
    push()
    assert open_holds(sql_rows) == []
