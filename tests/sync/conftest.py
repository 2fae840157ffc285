"""Shorthands for the jobs' tests."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import OptOutsReport, push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement
from constant_contact.sync.memberships.push import MembershipsReport, push_memberships
from constant_contact.sync.upkeep.erasure import ErasureReport, erase, erase_calls, person
from simulator.server import Running
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import NOT_FOUND
from tests.sync.memberships.requests import list_id


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
def push(client: Client, crm: Database) -> Callable[..., OptOutsReport]:
    return lambda **options: push_opt_outs(client, crm, **options)


@pytest.fixture
def ann(simulator: Running, add_crm_contact: Callable[..., None]) -> str:
    """A CRM contact that is linked; returns the vendor's id."""
    simulator.control.load(
        contacts=[
            vendor_contact(
                1, "ann@example.com", first_name="Ann", last_name="Lee", job_title="Pilot",
                company_name="Air", birthday_month=5, birthday_day=6, anniversary="2006-11-15",
                phone_numbers=[{"phone_number": "1", "kind": "home"}],
            )
        ]
    )  # fmt: skip
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    return contact_id(1)


@pytest.fixture
def nobody_was_wronged(simulator: Running) -> Any:
    """After every test: no contact opted in against its will, brought back or renamed."""
    yield
    truth = simulator.control.truth()
    assert truth["policy_violations"] == []
    assert truth["revivals"] == []
    assert truth["names_overwritten"] == 0


@pytest.fixture
def account(simulator: Running) -> Running:
    """Four campaigns with 4,000 events, two of them sent lately."""
    simulator.control.generate(
        seed=4, contacts=600, lists=1, campaigns=4, events=4000, recent_campaigns=2
    )
    return simulator


@pytest.fixture
def night(client: Client, crm: Database) -> Callable[..., EngagementReport]:
    def run(**options: Any) -> EngagementReport:
        sync_campaigns(client, crm)
        return sync_engagement(client, crm, **options)

    return run


@pytest.fixture
def full_night(client: Client, crm: Database) -> Callable[[], None]:
    """Reads all contacts and links them."""

    def run() -> None:
        sync_contacts(client, crm, full=True)
        link_contacts(crm)

    return run


@pytest.fixture
def ann_and_bob(
    simulator: Running, full_night: Callable[[], None], push: Callable[..., OptOutsReport],
    add_crm_contact: Callable[..., None],
) -> Running:  # fmt: skip
    """Ann is c1 in the CRM, Bob is at Constant Contact only."""
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    return simulator


@pytest.fixture
def cleared_by_a_404(
    ann_and_bob: Running, push: Callable[..., OptOutsReport], set_do_not_email: Callable[..., None]
) -> Running:
    """The flag was set and cleared, and the opt-in met a 404 that passed."""
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    ann_and_bob.control.add_fault(
        "status", match={"path": f"/contacts/{contact_id(1)}"}, params=NOT_FOUND
    )
    assert push().unchanged == 1
    ann_and_bob.control.clear_faults()
    return ann_and_bob


@pytest.fixture
def forget(client: Client, crm: Database) -> Callable[..., ErasureReport]:
    """As the operator does it."""

    def run(contact: str | None = None, vendors: str | None = None) -> ErasureReport:
        found = person(crm, contact_id=contact, constant_contact_id=vendors)
        report = erase(client, crm, found, by="ann-the-officer")
        report.calls = erase_calls(crm)
        return report

    return run


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
def want(sql_rows: Rows) -> Callable[..., None]:
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
