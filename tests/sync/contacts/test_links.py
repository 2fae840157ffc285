"""Linking: which contact is linked to which, by the rules of the design."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import LinksReport, link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Rows, contact_id, vendor_contact


@pytest.fixture
def night(client: Client, crm: Database) -> Callable[..., LinksReport]:
    """A nightly run: mirror, then link."""

    def run(*, full: bool = False) -> LinksReport:
        sync_contacts(client, crm, full=full)
        return link_contacts(crm)

    return run


@pytest.fixture
def links(sql_rows: Rows) -> Callable[[], dict[str, str | None]]:
    def read() -> dict[str, str | None]:
        rows = sql_rows("SELECT contact_id, constant_contact_id FROM crm_contact")
        return {row["contact_id"]: row["constant_contact_id"] for row in rows}

    return read


@pytest.mark.parametrize(
    "in_crm",
    [
        "ann@example.com",
        "Ann@Example.COM",
        "  ann@example.com\t",
        "\u00a0ANN@example.com\n",
    ],
)
def test_addresses_are_compared_trimmed_and_case_folded(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any, in_crm: str
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "aNN@example.com")])
    add_crm_contact("c1", in_crm)
    assert night().linked == 1
    assert links() == {"c1": contact_id(1)}


def test_a_plus_address_is_another_address(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann+news@example.com")])
    add_crm_contact("c1", "ann@example.com")
    assert night().unmatched == 1
    assert links() == {"c1": None}


def test_everyone_who_shares_an_address_is_linked(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "family@example.com")])
    for member in ("c1", "c2", "c3"):
        add_crm_contact(member, "Family@example.com")
    report = night()
    assert (report.linked, report.shared_addresses, report.sharing) == (3, 1, 3)
    assert set(links().values()) == {contact_id(1)}


@pytest.mark.parametrize(
    "permission", ["explicit", "implicit", "unsubscribed", "temp_hold", "pending_confirmation"]
)
def test_a_contact_is_linked_whatever_its_permission(
    simulator: Running, add_crm_contact: Add, night: Any, permission: str
) -> None:
    email = {"address": "ann@example.com", "permission_to_send": permission}
    simulator.control.load(contacts=[{"contact_id": contact_id(1), "email_address": email}])
    add_crm_contact("c1", "ann@example.com")
    assert night().linked == 1


def test_a_deleted_contact_is_never_linked(
    simulator: Running, add_crm_contact: Add, night: Any
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com", deleted_at="2025-01-01T00:00:00Z")]
    )
    add_crm_contact("c1", "ann@example.com")
    report = night()
    assert (report.linked, report.unmatched) == (0, 1)


@pytest.mark.parametrize(
    ("email", "counted_as"),
    [
        (None, "without_email"),
        ("", "without_email"),
        ("  ", "without_email"),
        ("nobody", "malformed_email"),
        ("@example.com", "malformed_email"),
        ("a b@example.com", "malformed_email"),
    ],
)
def test_a_contact_without_a_usable_address_is_skipped_and_counted(
    add_crm_contact: Add, night: Any, email: str | None, counted_as: str
) -> None:
    add_crm_contact("c1", email)
    report = night()
    assert getattr(report, counted_as) == 1
    assert report.linked == report.unmatched == 0


def test_a_link_stays_when_an_address_changes_on_either_side(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any, sql_rows: Rows
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c2", "bob@example.com")
    night()
    before = links()
    sql_rows("UPDATE crm_contact SET preferred_email = 'bob@example.com' WHERE contact_id = 'c1'")
    simulator.control.update_contact(contact_id(2), email="robert@example.com")
    report = night()
    assert links() == before
    assert report.relinked == report.unlinked == 0


def test_a_link_moves_when_its_contact_is_deleted_and_another_has_the_address(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    night()
    simulator.control.update_contact(contact_id(1), email="old@example.com")
    simulator.control.delete_contact(contact_id(1))
    simulator.control.load(contacts=[vendor_contact(2, "ann@example.com")])
    assert night().relinked == 1
    assert links() == {"c1": contact_id(2)}


def test_a_link_is_cleared_when_its_contact_is_deleted_and_none_has_the_address(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    night()
    simulator.control.delete_contact(contact_id(1))
    assert night().unlinked == 1
    assert links() == {"c1": None}


def test_a_link_to_a_purged_contact_is_cleared_after_a_full_pass(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "b@b.com")]
    )
    add_crm_contact("c1", "ann@example.com")
    night()
    simulator.control.purge_contact(contact_id(1))
    assert night(full=True).unlinked == 1
    assert links() == {"c1": None}


def test_an_id_that_the_mirror_has_not_read_yet_is_left_alone(
    add_crm_contact: Add, crm: Database, links: Any
) -> None:
    add_crm_contact("c1", "ann@example.com", constant_contact_id="from-the-old-integration")
    assert link_contacts(crm).unlinked == 0
    assert links() == {"c1": "from-the-old-integration"}


def test_linking_again_changes_nothing(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    night()
    before = links()
    report = night()
    assert (report.linked, report.relinked, report.unlinked) == (0, 0, 0)
    assert links() == before


def test_a_dry_run_tells_and_changes_nothing(
    simulator: Running,
    client: Client,
    crm: Database,
    add_crm_contact: Add,
    links: Any,
    sql_rows: Rows,
) -> None:
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    sync_contacts(client, crm)
    report = link_contacts(crm, dry_run=True)
    assert (report.linked, report.opt_outs_queued) == (1, 1)
    assert links() == {"c1": None}
    assert sql_rows("SELECT * FROM crm_opt_out_change") == []
    assert sql_rows("SELECT * FROM ctct_link") == []


def test_nothing_but_the_id_is_copied_into_the_crm(
    simulator: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com", first_name="Annabel")])
    add_crm_contact("c1", "ANN@example.com", first_name="Ann")
    (before,) = sql_rows("SELECT * FROM crm_contact")
    night()
    (after,) = sql_rows("SELECT * FROM crm_contact")
    assert after == before | {"constant_contact_id": contact_id(1)}


def test_a_flagged_contact_that_may_still_be_mailed_is_queued_once(
    simulator: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    simulator.control.load(
        contacts=[
            vendor_contact(1, "ann@example.com"),
            {
                "contact_id": contact_id(2),
                "email_address": {
                    "address": "bob@example.com",
                    "permission_to_send": "unsubscribed",
                },
            },
        ]
    )
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    add_crm_contact("c2", "bob@example.com", do_not_email=True)
    assert night().opt_outs_queued == 1
    assert night().opt_outs_queued == 0
    rows = sql_rows("SELECT contact_id, do_not_email, status FROM crm_opt_out_change")
    assert rows == [{"contact_id": "c1", "do_not_email": True, "status": "pending"}]


def test_a_flag_holds_for_the_contact_that_has_the_address_by_now_too(
    simulator: Running, add_crm_contact: Add, night: Any, links: Any, sql_rows: Rows
) -> None:
    email = {"address": "old@example.com", "permission_to_send": "unsubscribed"}
    unsubscribed = {"contact_id": contact_id(1), "email_address": email}
    simulator.control.load(contacts=[unsubscribed, vendor_contact(2, "new@example.com")])
    add_crm_contact("c1", "old@example.com", do_not_email=True)
    assert night().opt_outs_queued == 0
    sql_rows("UPDATE crm_contact SET preferred_email = ' New@example.com'")
    assert night().opt_outs_queued == 1
    (found,) = sql_rows("SELECT constant_contact_id FROM crm_opt_out_change WHERE is_found")
    assert found == {"constant_contact_id": contact_id(2)}
    assert links() == {"c1": contact_id(1)}
