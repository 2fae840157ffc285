"""Choices that waited for their run: what was wanted meanwhile stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.store.database import Database
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.bulk_memberships import (
    BulkMembershipsReport,
    Chosen,
    Wanted,
    request_memberships,
)
from constant_contact.sync.memberships.choices import choose, request_choice, submit
from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, answers, list_id, on_lists

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def people(
    simulator: Running, client: Any, crm: Database, lists: list[str], add_crm_contact: Add
) -> None:
    """Ann is in the CRM twice, by one link and by one address; Bob once."""
    sync_lists(client, crm)
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    add_crm_contact("c2", "Ann@example.com")
    add_crm_contact("c3", "bob@example.com", constant_contact_id=contact_id(2))
    add_crm_contact("c4", "old@example.com", constant_contact_id=contact_id(1))


@pytest.fixture
def submitted(crm: Database, people: None) -> int:
    """A choice of Ann and Bob whose run waits."""
    choice_id = choose(crm, list_id(1), "add", Wanted(["c1", "c3"]), by="op")
    submit(crm, choice_id, edits=0, by="op")
    return choice_id


@pytest.mark.parametrize("is_carried", [False, True])
@pytest.mark.parametrize("who", ["c1", "c2", "c4"])
def test_a_removal_wanted_after_the_choice_stands(
    simulator: Running, crm: Database, submitted: int, push_lists: Push, want: Want,
    sql_rows: Rows, who: str, is_carried: bool,
) -> None:  # fmt: skip
    want(who, 1, "remove")
    if is_carried:
        push_lists()
    report = request_choice(crm, submitted)
    assert (report.requested, report.overruled) == (1, 1)
    push_lists()
    assert on_lists(simulator) == {"ann@example.com": set(), "bob@example.com": {1}}
    assert answers(sql_rows)[("c3", 1)][0] == "done"


def test_a_removal_wanted_after_the_choice_and_written_after_its_requests_wins(
    simulator: Running, crm: Database, submitted: int, push_lists: Push, sql_rows: Rows
) -> None:
    asked = sql_rows("SELECT clock_timestamp() AS at")[0]["at"]
    assert request_choice(crm, submitted).overruled == 0
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, action, requested_at)"
        " VALUES ('c2', %s, 'remove', %s)", list_id(1), asked,
    )  # fmt: skip
    push_lists()
    assert on_lists(simulator)["ann@example.com"] == set()


def test_a_choice_overrules_what_was_wanted_before_it(
    simulator: Running, crm: Database, people: None, push_lists: Push, want: Want
) -> None:
    want("c1", 1, "remove")
    choice_id = choose(crm, list_id(1), "add", Wanted(["c1"]), by="op")
    submit(crm, choice_id, edits=0, by="op")
    assert request_choice(crm, choice_id).overruled == 0
    push_lists()
    assert on_lists(simulator)["ann@example.com"] == {1}


@pytest.mark.parametrize(
    ("hours", "requested", "overruled"), [(-1, 0, 1), (1, 1, 0)], ids=["waited", "clock ahead"]
)
def test_a_run_that_waited_requests_what_was_wanted_when_it_was_started(
    crm: Database, people: None, want: Want, sql_rows: Rows, hours: int, requested: int,
    overruled: int,
) -> None:  # fmt: skip
    want("c1", 1, "remove")
    asked_at = datetime.now(UTC) + timedelta(hours=hours)

    def request() -> BulkMembershipsReport:
        return request_memberships(crm, list_id(1), Chosen(["c1"]), asked_at=asked_at)

    report = request()
    assert (report.requested, report.overruled) == (requested, overruled)
    (row,) = sql_rows("SELECT action, requested_at <= now() AS is_past FROM crm_list_membership")
    assert row == {"action": "add" if requested else "remove", "is_past": True}
