"""A link that the address contradicts: copies in the CRM, and addresses that were wrong."""

from collections.abc import Callable
from typing import Any

from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, is_out, load_people

ANN, BOB = contact_id(1), contact_id(2)
Night = Callable[[], None]


def test_a_copied_contact_is_not_the_one_that_it_was_copied_from(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, push_lists: Any,
    want: Any,
) -> None:  # fmt: skip
    """A CRM's "clone": all fields are copied, then name and address are another person's."""
    load_people(simulator, "ann", "bob")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    add_crm_contact("c2", "bob@example.com", do_not_email=False, constant_contact_id=ANN)
    full_night()
    push()
    want("c2")
    push_lists()
    assert simulator.control.truth_contact(BOB)["lists"]
    assert not simulator.control.truth_contact(ANN)["lists"]


def test_a_copied_contact_that_says_no_is_heard(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    load_people(simulator, "ann", "bob")
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    add_crm_contact("c2", "bob@example.com", do_not_email=False, constant_contact_id=ANN)
    full_night()
    set_do_not_email("c2", True)
    push()
    assert is_out(simulator, BOB)
    assert not is_out(simulator, ANN)


def test_a_contact_created_under_a_wrong_address_is_not_linked_to_the_owner_of_that_address(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, push_lists: Any,
    want: Any, sql_rows: Rows,
) -> None:  # fmt: skip
    """Bob was typed with Ann's address, corrected, and deleted at the vendor; then Ann signs up."""
    add_crm_contact("bob", "ann@example.com", do_not_email=False)
    want("bob")
    push_lists()
    (created,) = simulator.control.truth_contacts()
    sql_rows("UPDATE crm_contact SET preferred_email = 'bob@example.com'")
    full_night()
    simulator.control.purge_contact(created["contact_id"])
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    full_night()
    assert sql_rows("SELECT contact_id, constant_contact_id FROM ctct_link") == [
        {"contact_id": "bob", "constant_contact_id": BOB}
    ]
