"""Bulk jobs: how few calls they take, how they end, and what a crash leaves."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from constant_contact.api import vendor
from constant_contact.errors import BudgetSpent, BulkPending, BulkQueueFull, WriteUncertain
from constant_contact.store.database import Database
from constant_contact.sync.memberships import MembershipsReport
from simulator.server import Running
from tests.support import contact_id, vendor_contact
from tests.sync.memberships import Add, Rows, answers, list_id, made, on_lists, statuses

Push = Callable[..., MembershipsReport]
Want = Callable[..., None]
Calls = Callable[..., int]
OPEN = "SELECT * FROM ctct_bulk_activity WHERE state <> 'done'"


@pytest.fixture(autouse=True)
def nobody_was_wronged(simulator: Running) -> Any:
    """After every test: nobody opted in, brought back or renamed."""
    yield
    truth = simulator.control.truth()
    assert truth["policy_violations"] == []
    assert truth["revivals"] == []
    assert truth["names_overwritten"] == 0


@pytest.fixture
def linked(simulator: Running, lists: list[str], sql_rows: Rows) -> Callable[..., None]:
    """Makes linked contacts, each with a request for each of these lists."""

    def make(size: int, *numbers: int, action: str = "add") -> None:
        on = [list_id(number) for number in numbers] if action == "remove" else []
        simulator.control.load(
            contacts=[
                vendor_contact(n, f"{n}@example.com", list_memberships=on) for n in range(size)
            ]
        )
        sql_rows(
            "INSERT INTO crm_contact (contact_id, preferred_email)"
            " SELECT 'c' || n, n || '@example.com' FROM generate_series(0, %s) AS n",
            size - 1,
        )
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id, action)"
            " SELECT contact_id, list_id, %s FROM crm_contact, unnest(%s::text[]) AS list_id",
            action,
            [list_id(number) for number in numbers],
        )

    return make


@pytest.fixture
def people(sql_rows: Rows) -> Callable[..., None]:
    """Makes new contacts, each with a request for each of these lists."""

    def make(size: int, *numbers: int, name: str = "First") -> None:
        sql_rows(
            "INSERT INTO crm_contact (contact_id, preferred_email, first_name)"
            " SELECT 'c' || n, n || '@example.com', %s FROM generate_series(0, %s) AS n",
            name,
            size - 1,
        )
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id)"
            " SELECT contact_id, list_id FROM crm_contact, unnest(%s::text[]) AS list_id",
            [list_id(number) for number in numbers],
        )

    return make


@pytest.mark.parametrize("action", ["add", "remove"])
def test_10_000_linked_contacts_and_three_lists_are_20_jobs(
    simulator: Running, push_lists: Push, linked: Callable[..., None], calls: Calls, action: str,
    sql_rows: Rows,
) -> None:  # fmt: skip
    linked(10_000, 1, 2, 3, action=action)
    report = push_lists(breaker_contacts=10_000)
    assert report.added + report.removed == 30_000
    assert made(simulator, "POST", f"/activities/{action}_list_memberships") == 20
    # Two looks at all of them together; the account was never read before.
    assert made(simulator, "GET", "/activities") == 2
    assert made(simulator, "GET", "/v3/contacts") == 20
    wanted = {1, 2, 3} if action == "add" else set()
    assert all(each == wanted for each in on_lists(simulator).values())
