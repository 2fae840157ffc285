"""A mass of opt-outs that a person released: it takes days, and no other change waits behind it."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.budget import day
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.consent.opt_outs import OptOutsReport, push_opt_outs
from simulator.server import Running
from tests.support import Flag, Rows, api_settings, contact_id, vendor_contact
from tests.sync.consent.outbox import approve, crowd

Push = Callable[[], OptOutsReport]

CALLS_A_DAY = 200
PEOPLE = 80

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def push(simulator: Running, make_client: Callable[..., Client], crm: Database) -> Push:
    """A run of the DAG, with a plan of two hundred calls a day."""
    client = make_client("opt_outs", calls_per_day=CALLS_A_DAY)
    plan = api_settings(simulator, "", calls_per_day=CALLS_A_DAY)
    return lambda: push_opt_outs(
        client,
        crm,
        breaker_contacts=5,
        may_carry_backlog=lambda: day(crm, plan).left_of_backlog > 0,
    )


@pytest.fixture
def _released(
    simulator: Running, push: Push, crm: Database, add_crm_contact: Callable[..., None],
    sql_rows: Rows,
) -> None:  # fmt: skip
    """Contacts were flagged before the integration was switched on; a person agreed."""
    crowd(simulator, add_crm_contact, PEOPLE)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push().held == PEOPLE
    assert approve(crm) == PEOPLE


def calls(simulator: Running) -> list[str]:
    """The contacts of each PUT, in their order."""
    return [
        call["path"].rpartition("/")[2]
        for call in simulator.control.calls()
        if call["method"] == "PUT"
    ]


@pytest.mark.usefixtures("_released")
def test_it_leaves_two_fifths_of_the_day_to_the_other_jobs_and_ends_green(
    simulator: Running, push: Push
) -> None:
    report = push()
    assert 120 <= len(simulator.control.calls()) <= 128
    assert report.postponed == report.pending == PEOPLE - report.unsubscribed
    made = len(simulator.control.calls())
    assert push().postponed == report.postponed
    assert len(simulator.control.calls()) == made


@pytest.mark.usefixtures("_released")
def test_it_goes_on_the_next_day_until_all_are_out(
    simulator: Running, push: Push, sql_rows: Rows
) -> None:
    days = 0
    while push().postponed:
        days += 1
        sql_rows("UPDATE ctct_api_budget SET calls = 0")
    assert days == 1
    out = [each["permission"] for each in simulator.control.truth_contacts()]
    assert out == ["unsubscribed"] * PEOPLE


@pytest.mark.usefixtures("_released")
def test_what_comes_meanwhile_goes_first(
    simulator: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows,
    add_crm_contact: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(99, "late@example.com")])
    add_crm_contact("late", "late@example.com", constant_contact_id=contact_id(99))
    put, texts = Client.put, []

    def put_and_tell(self: Client, path: str, body: Any) -> Any:
        answer = put(self, path, body)
        if not texts:
            texts.append(path)
            set_do_not_email("late", True, by_contact=True)
        return answer

    monkeypatch.setattr(Client, "put", put_and_tell)
    push()
    assert contact_id(99) in calls(simulator)[:-1], "before the backlog is done with for today"
    assert simulator.control.truth_contact(contact_id(99))["opt_out_source"] == "Contact"


@pytest.mark.usefixtures("_released")
def test_what_is_told_when_the_calls_are_used_up_goes_out_all_the_same(
    simulator: Running, push: Push, set_do_not_email: Flag, add_crm_contact: Callable[..., None],
) -> None:  # fmt: skip
    push()
    simulator.control.load(contacts=[vendor_contact(99, "late@example.com")])
    add_crm_contact("late", "late@example.com", constant_contact_id=contact_id(99))
    set_do_not_email("late", True)
    assert push().unsubscribed == 1
    assert calls(simulator)[-1] == contact_id(99)


def test_a_person_is_told_how_many_days_it_takes(
    simulator: Running, push: Push, crm: Database, add_crm_contact: Callable[..., None],
    sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, PEOPLE)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push()
    hold = holds.find_hold(crm, 1)
    assert hold is not None
    texts = holds.cost(hold, api_settings(simulator, "", calls_per_day=CALLS_A_DAY))
    assert texts.startswith("That takes up to 160 calls, two a contact: about 2 days")
