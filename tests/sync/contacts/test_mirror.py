"""The contacts job: changed ones, opted-out ones, the full pass."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import CONTACTS_PER_PAGE
from constant_contact.errors import ConnectionFault, ContractBroken, ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import refresh_contacts, sync_contacts
from simulator.server import Running
from tests.support import Calls, Rows, contact_id, vendor_contact

# Of the fixture `account`.
PAGES = -(-1200 // CONTACTS_PER_PAGE)


def mirror(sql_rows: Rows) -> list[tuple[Any, ...]]:
    """The mirror without our own times."""
    rows = sql_rows(
        "SELECT contact_id, email_address, permission_to_send, opt_out_source, opt_out_date,"
        " updated_at, deleted_at FROM ctct_contact ORDER BY contact_id"
    )
    return [tuple(row.values()) for row in rows]


def truth(simulator: Running) -> list[tuple[Any, ...]]:
    kept = ("contact_id", "email", "permission", "opt_out_source")
    return sorted(
        tuple(contact[name] for name in kept) for contact in simulator.control.truth_contacts()
    )


def test_the_first_run_mirrors_all_contacts(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    report = sync_contacts(client, crm)
    assert report.full_pass
    assert report.read == 1200
    assert calls() == PAGES
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)
    totals = account.control.truth()["contacts"]
    assert (report.living, report.deleted) == (totals["live"], totals["deleted"])


def test_the_lists_of_each_contact_are_mirrored_and_follow_what_happens_to_them(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    lists = ["00000000-0000-4000-8001-000000000002", "00000000-0000-4000-8001-000000000001"]
    simulator.control.load(lists=[{"list_id": each, "name": each} for each in lists])
    people = [vendor_contact(n, f"{n}@example.com", list_memberships=lists) for n in (1, 2)]
    simulator.control.load(contacts=[*people, vendor_contact(3, "3@example.com")])
    sync_contacts(client, crm)
    simulator.control.clock(advance_s=7200)
    simulator.control.update_contact(contact_id(1), list_memberships=lists[:1])
    simulator.control.unsubscribe(contact_id(2))
    before = sql_rows("SELECT list_ids FROM ctct_contact ORDER BY contact_id")
    sync_contacts(client, crm)
    after = sql_rows("SELECT list_ids FROM ctct_contact ORDER BY contact_id")
    assert [row["list_ids"] for row in before] == [sorted(lists), sorted(lists), []]
    assert [row["list_ids"] for row in after] == [lists[:1], [], []]


def test_a_look_right_before_a_write_reads_what_happened_since_and_costs_two_calls(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    refresh_contacts(client, crm)
    assert calls() == PAGES
    account.control.clock(advance_s=60)
    account.control.load(contacts=[vendor_contact(1, "new@example.com")])
    refresh_contacts(client, crm)
    assert calls() == 2
    assert mirror(sql_rows)[0][:2] == (contact_id(1), "new@example.com")
    nightly = "SELECT covered_to FROM ctct_sync_state WHERE noun = 'contacts'"
    before = sql_rows(nightly)
    refresh_contacts(client, crm)
    assert sql_rows(nightly) == before


def test_a_quiet_night_costs_two_calls(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    sync_contacts(client, crm)
    calls()
    report = sync_contacts(client, crm)
    assert not report.full_pass
    assert calls() == 2


def test_changed_and_opted_out_ones_are_read_and_no_others(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    sync_contacts(client, crm)
    quiet = sync_contacts(client, crm)
    ids = [
        c["contact_id"] for c in account.control.truth_contacts() if c["permission"] == "implicit"
    ]
    account.control.update_contact(ids[0], email="new@example.com")
    account.control.unsubscribe(ids[1], source="Contact", reason="enough")
    account.control.delete_contact(ids[2])
    calls()
    report = sync_contacts(client, crm)
    assert calls() == 2
    assert report.read <= quiet.read + 1
    assert report.opted_out_read <= quiet.opted_out_read + 2
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)
    assert sql_rows("SELECT deleted_at FROM ctct_contact WHERE contact_id = %s", ids[2])[0][
        "deleted_at"
    ]


def test_the_first_opt_out_ever_is_seen(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm)
    simulator.control.unsubscribe(contact_id(1))
    sync_contacts(client, crm)
    assert sql_rows("SELECT permission_to_send FROM ctct_contact") == [
        {"permission_to_send": "unsubscribed"}
    ]


@pytest.mark.parametrize("vendor_now", ["2020-05-05T00:00:00Z", "2035-05-05T00:00:00Z"])
def test_a_vendor_whose_clock_differs_from_ours_is_read_all_the_same(
    simulator: Running,
    make_client: Callable[..., Client],
    crm: Database,
    sql_rows: Rows,
    vendor_now: str,
) -> None:
    simulator.control.clock(now=vendor_now, frozen=True)
    client = make_client(refresh_token=simulator.control.grant())
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm)
    for number in (2, 3):
        simulator.control.clock(advance_s=86_400)
        simulator.control.load(contacts=[vendor_contact(number, f"{number}@example.com")])
        simulator.control.unsubscribe(contact_id(number - 1))
        sync_contacts(client, crm)
        assert [row[:4] for row in mirror(sql_rows)] == truth(simulator)


def test_since_reads_what_changed_after_it(account: Running, client: Client, crm: Database) -> None:
    sync_contacts(client, crm)
    assert sync_contacts(client, crm, since=datetime(2024, 1, 1, tzinfo=UTC)).read == 1200


def test_since_a_time_after_the_last_run_leaves_no_gap(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    now = datetime.now(UTC)

    def changed(number: int, hours_ago: int) -> dict[str, Any]:
        at = (now - timedelta(hours=hours_ago)).isoformat()
        return vendor_contact(number, f"{number}@example.com", created_at=at, updated_at=at)

    simulator.control.load(contacts=[changed(0, 24)])
    sync_contacts(client, crm)
    simulator.control.load(contacts=[changed(1, 5), changed(2, 2)])
    sync_contacts(client, crm, since=now - timedelta(hours=3))
    sync_contacts(client, crm)
    found = sql_rows("SELECT contact_id FROM ctct_contact ORDER BY contact_id")
    assert [row["contact_id"] for row in found] == [contact_id(n) for n in range(3)]


def test_a_purged_contact_is_found_by_a_full_pass(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    sync_contacts(client, crm)
    gone = next(c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"])
    account.control.purge_contact(gone)
    assert sync_contacts(client, crm).purged == 0
    assert sync_contacts(client, crm, full=True).purged == 1
    assert sql_rows(
        "SELECT contact_id FROM ctct_contact WHERE deleted_at > now() - interval '1 h'"
    ) == [{"contact_id": gone}]


def test_a_purge_while_a_full_pass_reads_makes_nobody_else_look_gone(
    account: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows
) -> None:
    client = make_client()
    sync_contacts(client, crm)
    gone = next(c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"])
    pages = client.pages
    purged: list[str] = []

    def purge_between(*args: Any, **options: Any) -> Any:
        for number, page in enumerate(pages(*args, **options)):
            yield page
            if number == 0 and not purged:
                account.control.purge_contact(gone)
                purged.append(gone)

    client.pages = purge_between  # type: ignore[method-assign]
    report = sync_contacts(client, crm, full=True)
    assert report.purged <= 1
    client.pages = pages  # type: ignore[method-assign]
    sync_contacts(client, crm, full=True)
    living = {c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"]}
    kept = {
        r["contact_id"]
        for r in sql_rows("SELECT contact_id FROM ctct_contact WHERE deleted_at IS NULL")
    }
    assert kept == living


def test_rows_that_shift_under_a_full_pass_make_nobody_look_gone(
    account: Running, client: Client, crm: Database
) -> None:
    sync_contacts(client, crm)
    account.control.add_fault(
        "shifted_page", match={"path": "/v3/contacts"}, after=1, params={"by": 7}, times=99
    )
    report = sync_contacts(client, crm, full=True)
    assert report.purged == 0
    assert report.unseen > 0


def test_a_full_pass_is_due_each_week(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    sync_contacts(client, crm)
    sql_rows("UPDATE ctct_sync_state SET full_pass_at = full_pass_at - interval '7 days'")
    assert sync_contacts(client, crm).full_pass
    assert not sync_contacts(client, crm).full_pass


def test_a_run_that_failed_goes_on_at_its_page(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    account.control.add_fault("html_503", match={"path": "/v3/contacts"}, after=2, times=6)
    with pytest.raises(ServerFault):
        sync_contacts(client, crm)
    assert len(mirror(sql_rows)) == 2 * CONTACTS_PER_PAGE
    calls()
    report = sync_contacts(client, crm)
    assert calls() == PAGES - 2
    assert report.read == 1200
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)


def test_a_full_pass_that_failed_behind_its_last_page_reads_no_page_again_and_finds_who_is_gone(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    sync_contacts(client, crm)
    gone = next(c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"])
    account.control.purge_contact(gone)
    account.control.add_fault("reset_before", match={"path": f"/contacts/{gone}"}, times=99)
    with pytest.raises(ConnectionFault):
        sync_contacts(client, crm, full=True)
    account.control.clear_faults()
    calls()
    # It is due no more than any night's run: what was begun is ended all the same.
    assert sync_contacts(client, crm).purged == 1
    assert calls() == 1
    (row,) = sql_rows("SELECT deleted_at FROM ctct_contact WHERE contact_id = %s", gone)
    assert row["deleted_at"] is not None


def test_a_dead_page_of_a_run_that_failed_starts_the_pass_again(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault("html_503", match={"path": "/v3/contacts"}, after=2, times=6)
    with pytest.raises(ServerFault):
        sync_contacts(client, crm)
    account.control.clear_faults()
    account.control.add_fault("dead_cursor", match={"path": "/v3/contacts"})
    assert sync_contacts(client, crm).read == 1200
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)


@pytest.mark.parametrize(
    "kind",
    ["dead_cursor", "empty_page", "shifted_page", "nulls", "unknown_fields", "repeated_page"],
)
def test_odd_pages_lose_no_contact(
    account: Running, client: Client, crm: Database, sql_rows: Rows, kind: str
) -> None:
    account.control.add_fault(kind, match={"path": "/v3/contacts"}, after=1)
    sync_contacts(client, crm)
    account.control.clear_faults()
    sync_contacts(client, crm, full=True)
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)


def test_a_link_to_another_host_is_not_kept_as_the_place_to_go_on_from(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault("foreign_next", match={"path": "/v3/contacts"})
    with pytest.raises(ContractBroken):
        sync_contacts(client, crm)
    assert sync_contacts(client, crm).read == 1200
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)


def test_a_full_pass_that_missed_a_row_reads_once_more(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "shifted_page", match={"path": "/v3/contacts"}, after=1, params={"by": 1}
    )
    sync_contacts(client, crm)
    assert [row[:4] for row in mirror(sql_rows)] == truth(account)


def test_a_full_pass_that_starts_again_knows_its_own_pages(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    sync_contacts(client, crm)
    calls()
    account.control.add_fault("dead_cursor", match={"path": "/v3/contacts"})
    report = sync_contacts(client, crm, full=True)
    assert (report.read, report.purged, report.unseen) == (1200, 0, 0)
    assert calls() == PAGES + 2
