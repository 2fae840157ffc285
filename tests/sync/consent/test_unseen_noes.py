"""A contact opted out where the flag and the vendor's opt-out source do not show it."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ChangesRefused
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_ins import dismiss
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push
from tests.sync.engagement import one_campaign

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

ANN, BOB = contact_id(1), contact_id(2)


def permission(simulator: Running, vendors_id: str) -> Any:
    return simulator.control.truth_contact(vendors_id)["permission"]


@pytest.fixture
def clicked(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    """Ann, unsubscribed by the account, who then unsubscribes by the link in a mail."""
    one_campaign.load(simulator)
    add_crm_contact("c1", "ann@example.com")
    one_campaign.night(client, crm)
    set_do_not_email("c1", True)
    push()
    simulator.control.add_events([one_campaign.of_ann("optouts")])
    one_campaign.night(client, crm)
    # The vendor leaves an opt-out as it is: the account's.
    assert simulator.control.truth_contact(ANN)["opt_out_source"] == "Account"


@pytest.mark.usefixtures("clicked")
def test_who_unsubscribed_by_a_mail_after_our_opt_out_is_not_mailed_when_the_flag_is_cleared(
    simulator: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", False)
    assert push().held == 1
    assert permission(simulator, ANN) == "unsubscribed"
    (held,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "link in a mail at 2026-05-01 10:00" in held["detail"]


@pytest.mark.usefixtures("clicked")
def test_who_opted_in_by_itself_since_then_may_be_mailed_again(
    simulator: Running, push: Push, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", False)
    push()
    simulator.control.resubscribe(ANN)
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    assert push().resubscribed == 1


@pytest.fixture
def swapped(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    """Two that said no, whose addresses are the other's at the vendor by now."""
    addresses = {"c1": "ann@example.com", "c2": "bob@example.com"}
    simulator.control.load(
        contacts=[vendor_contact(n, each) for n, each in enumerate(addresses.values(), 1)]
    )
    for person, address in addresses.items():
        add_crm_contact(person, address)
    sync_contacts(client, crm)
    link_contacts(crm)
    for person in addresses:
        set_do_not_email(person, True)
    push()
    simulator.control.update_contact(ANN, email="somewhere@example.com")
    simulator.control.update_contact(BOB, email="ann@example.com")


@pytest.mark.usefixtures("swapped")
def test_an_address_is_not_mailed_while_the_one_whose_it_is_in_the_crm_says_no(
    simulator: Running, push: Push, set_do_not_email: Flag
) -> None:
    set_do_not_email("c2", False)
    assert push().held == 1
    assert permission(simulator, BOB) == "unsubscribed"
    set_do_not_email("c1", False)
    set_do_not_email("c2", True)
    set_do_not_email("c2", False)
    assert push().resubscribed >= 1
    assert permission(simulator, BOB) == "implicit"


@pytest.mark.usefixtures("swapped")
def test_nor_once_that_one_has_asked_to_be_left_alone(
    simulator: Running, push: Push, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", False)
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    set_do_not_email("c2", False)
    push()
    assert permission(simulator, BOB) == "unsubscribed"


@pytest.fixture
def linked(simulator: Running, client: Client, crm: Database, add_crm_contact: Add) -> None:
    """Ann, as the CRM spells her."""
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", " Ann@Example.com")
    sync_contacts(client, crm)
    link_contacts(crm)


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("mirrored", [True, False])
def test_an_opt_out_reaches_whoever_has_the_address_of_a_contact_that_is_gone(
    simulator: Running, push: Push, client: Client, crm: Database, set_do_not_email: Flag,
    mirrored: bool,
) -> None:  # fmt: skip
    simulator.control.purge_contact(ANN)
    simulator.control.load(contacts=[vendor_contact(2, "ann@example.com")])
    if mirrored:
        sync_contacts(client, crm)
        link_contacts(crm)
    set_do_not_email("c1", True)
    report = push()
    assert (report.unchanged, report.unsubscribed) == (1, 1)
    assert permission(simulator, BOB) == "unsubscribed"


@pytest.mark.usefixtures("linked")
def test_a_contact_that_is_not_found_for_a_moment_keeps_its_link_and_gets_its_opt_out(
    simulator: Running, push: Push, crm: Database, set_do_not_email: Flag
) -> None:
    simulator.control.update_contact(ANN, email="ann.lee@example.com")
    not_found = {"status": 404, "body": [{"error_key": "contacts.api.not_found"}]}
    simulator.control.add_fault("status", match={"path": "/contacts/"}, params=not_found)
    set_do_not_email("c1", True)
    assert push().unchanged == 1
    assert link_contacts(crm).opt_outs_queued == 1
    assert push().unsubscribed == 1
    assert permission(simulator, ANN) == "unsubscribed"


@pytest.mark.usefixtures("linked")
def test_a_contact_that_is_not_found_again_an_hour_later_is_asked_for_no_more(
    simulator: Running, push: Push, crm: Database, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.purge_contact(ANN)
    set_do_not_email("c1", True)
    push()
    assert link_contacts(crm).opt_outs_queued == 1
    sql_rows("UPDATE ctct_consent SET decided_at = decided_at - INTERVAL '61 minutes'")
    push()
    assert link_contacts(crm).opt_outs_queued == 0


def test_an_address_that_the_vendor_refuses_keeps_nobody_elses_opt_out(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    addresses = ["ann@example.com", "bob@example.com"]
    simulator.control.load(
        contacts=[vendor_contact(n, each) for n, each in enumerate(addresses, 1)]
    )
    for n, address in enumerate(addresses, 1):
        add_crm_contact(f"c{n}", address)
    sync_contacts(client, crm)
    link_contacts(crm)
    for vendors_id in (ANN, BOB):
        simulator.control.purge_contact(vendors_id)
    simulator.control.load(contacts=[vendor_contact(3, "bob@example.com")])
    simulator.control.add_fault(
        "status", match={"query": "ann%40example.com"}, params={"status": 400}
    )
    for person in ("c1", "c2"):
        set_do_not_email(person, True)
    push()
    assert permission(simulator, contact_id(3)) == "unsubscribed"


def test_who_asked_before_there_was_a_link_is_left_alone_once_there_is_one(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    (held,) = sql_rows("SELECT change_id, detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "is not linked" in held["detail"]
    # Dismissed, it would be lost once there is a link.
    with pytest.raises(ChangesRefused, match="not linked"):
        dismiss(crm, change_id=held["change_id"], by="joe")
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm)
    assert link_contacts(crm).opt_ins_requeued == 1
    assert push().held == 1
    assert permission(simulator, ANN) == "unsubscribed"


def test_a_no_reaches_the_contact_whose_id_the_crm_has_in_capitals(
    simulator: Running, push: Push, full_night: Callable[[], None], add_crm_contact: Add
) -> None:
    ann = ANN.replace("0000-4000", "0000-4abc")
    simulator.control.load(contacts=[{"contact_id": ann, "email": "ann@before.example.com"}])
    add_crm_contact("c1", "ann@example.com", do_not_email=True, constant_contact_id=ann.upper())
    full_night()
    push()
    assert permission(simulator, ann) == "unsubscribed"
