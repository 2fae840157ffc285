"""Shorthands for the jobs' tests."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.memberships import MembershipsReport, push_memberships
from simulator.server import Running
from tests.sync.memberships import list_id


@pytest.fixture
def calls(simulator: Running) -> Callable[..., int]:
    """Counts the API calls since the last time it was asked, by a part of their path."""
    seen = 0

    def count(part: str = "/v3/") -> int:
        nonlocal seen
        made: list[dict[str, Any]] = simulator.control.calls(since=seen)
        seen = made[-1]["number"] if made else seen
        return sum(part in call["path"] for call in made if call["path"].startswith("/v3/"))

    return count


@pytest.fixture
def lists(simulator: Running) -> list[str]:
    """Three lists of the vendor."""
    ids = [list_id(number) for number in (1, 2, 3)]
    simulator.control.load(
        lists=[{"list_id": each, "name": f"List {n}"} for n, each in enumerate(ids)]
    )
    return ids


@pytest.fixture
def push_lists(
    make_client: Callable[..., Client], crm: Database, lists: list[str]
) -> Callable[..., MembershipsReport]:
    """Runs the job, which waits for nothing; each job at the vendor ends at the second look."""
    client = make_client("memberships")
    options: dict[str, Any] = {"waits_s": (0, 0, 0), "grace_s": 0}
    return lambda **given: push_memberships(client, crm, **options | given)


@pytest.fixture
def want(sql_rows: Callable[..., list[dict[str, Any]]]) -> Callable[..., None]:
    """Requests a membership as the CRM does."""

    def request(contact_id: str, number: int = 1, action: str = "add") -> None:
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES (%s, %s, %s)"
            " ON CONFLICT (contact_id, list_id) DO UPDATE SET action = excluded.action,"
            " status = 'pending', requested_at = excluded.requested_at",
            contact_id,
            list_id(number),
            action,
        )

    return request
