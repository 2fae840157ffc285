"""Bulk jobs: how few calls they take, how they end, and what a crash leaves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.errors import BulkPending, BulkQueueFull
from constant_contact.store.database import Database
from constant_contact.sync.contacts import mirror
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.memberships import bulk_jobs
from simulator.server import Running
from tests.support import Add, Calls, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, answers, list_id, made, on_lists, statuses

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def linked(simulator: Running, lists: list[str], sql_rows: Rows) -> Callable[..., None]:
    """Makes linked contacts, each with a request for each of these lists."""
    # Long ago: a look at contacts that were just created is made twice, they may have shifted it.
    since = "2024-01-01T00:00:00Z"

    def make(size: int, *numbers: int, action: str = "add") -> None:
        on = [list_id(number) for number in numbers] if action == "remove" else []
        simulator.control.load(
            contacts=[
                vendor_contact(n, f"{n}@example.com", list_memberships=on, created_at=since)
                for n in range(size)
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_100_000_new_contacts_onto_three_lists_are_3_imports(
    simulator: Running, push_lists: Push, people: Callable[..., None], sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # A slow machine would look again before each, and read what the one before has made; and where
    # the imports do not end together, read again what the first made in its last ten seconds.
    monkeypatch.setattr(bulk_jobs, "_STALE_S", 3600.0)
    monkeypatch.setattr(mirror, "_MOMENT", timedelta(0))
    people(100_000, 1, 2, 3)
    report = push_lists()
    assert (report.added, report.created, report.pending) == (300_000, 100_000, 0)
    calls = simulator.control.calls()
    polls = made(simulator, "GET", "/activities")
    assert made(simulator, "POST", "import") == 3
    # Beside those that learn the ids: 3 imports, the token, the account that was never read, its
    # lists, and who unsubscribed meanwhile.
    assert len(calls) - polls - 100_000 // vendor.CONTACTS_PER_PAGE <= 12
    assert polls == 2
    truth = simulator.control.truth()
    assert [each["members"] for each in truth["lists"]] == [100_000] * 3
    (unlinked,) = sql_rows(
        "SELECT count(*) AS n FROM crm_contact WHERE constant_contact_id IS NULL"
    )
    assert unlinked["n"] == 0
    simulator.control.clear_calls()
    push_lists()
    assert simulator.control.calls() == []


@pytest.mark.slow
def test_an_import_is_never_larger_than_the_vendor_takes(
    simulator: Running, push_lists: Push, people: Callable[..., None], sql_rows: Rows
) -> None:
    people(11_000, 1, name="é" * 50)
    assert push_lists().created == 11_000
    assert made(simulator, "POST", "import") == 2
    assert set(statuses(sql_rows)) == {"done"}


def test_an_import_never_has_more_contacts_than_the_vendor_takes(
    simulator: Running, push_lists: Push, people: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(vendor, "IMPORT_CONTACTS", 10)
    people(45, 1)
    assert push_lists().created == 45
    jobs = simulator.control.truth()["bulk_activities"]
    counts = [job["status"]["person_count"] for job in jobs]
    assert len(counts) == 5
    assert max(counts) <= 10


def test_many_combinations_of_lists_cost_a_call_for_each_list(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows
) -> None:
    simulator.control.load(lists=[{"list_id": list_id(n), "name": str(n)} for n in range(4, 11)])
    linked(200, *range(1, 11))
    # Each contact wants the lists of the bits of its number.
    sql_rows(
        "DELETE FROM crm_list_membership WHERE right(list_id, 12)::int <> ALL(ARRAY(SELECT n FROM"
        " generate_series(1, 10) AS n WHERE (substr(contact_id, 2)::int * 5) >> (n - 1) & 1 = 1))"
    )
    push_lists()
    assert made(simulator, "POST", "add_list_memberships") == 10
    on = on_lists(simulator)
    for n in range(200):
        assert on[f"{n}@example.com"] == {b for b in range(1, 11) if (n * 5) >> (b - 1) & 1}


@pytest.mark.parametrize("outcome", ["failed", "timed_out", "cancelled"])
@pytest.mark.parametrize("kind", ["add", "remove", "import"])
def test_a_job_that_ends_otherwise_for_a_moment_is_carried_by_others(
    simulator: Running, push_lists: Push, linked: Callable[..., None], people: Callable[..., None],
    sql_rows: Rows, kind: str, outcome: str,
) -> None:  # fmt: skip
    people(12, 1) if kind == "import" else linked(12, 1, action=kind)
    simulator.control.settings(bulk_outcomes=[outcome] * 2)
    assert push_lists().failed == 0
    assert set(statuses(sql_rows)) == {"done"}
    # One that was cancelled is sent again as it was; else one contact alone, and two halves.
    assert made(simulator, "POST", "/activities") <= (3 if outcome == "cancelled" else 6)


@pytest.mark.parametrize("outcome", ["failed", "timed_out", "cancelled"])
@pytest.mark.parametrize("kind", ["add", "remove"])
def test_jobs_that_always_end_otherwise_are_given_up_after_few_calls(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows, kind: str,
    outcome: str,
) -> None:  # fmt: skip
    linked(100, 1, action=kind)
    simulator.control.settings(bulk_outcomes=[outcome] * 99)
    push_lists()
    for status, detail in answers(sql_rows).values():
        assert status == "failed"
        assert detail == f"Tried several times without success. The activity ended as {outcome}."
    assert made(simulator, "POST", "/activities") <= (3 if outcome == "cancelled" else 20)


def test_a_job_that_did_its_work_and_says_otherwise_is_believed_by_the_mirror(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows
) -> None:
    linked(12, 1)
    wrong = {"nulls": {"fields": ["items_completed_count"]}}
    simulator.control.add_fault(
        "nulls", match={"path": "/activities/"}, times=99, params=wrong["nulls"]
    )
    assert push_lists().added == 12
    assert made(simulator, "POST", "/activities") == 1


@pytest.fixture
def uncounted(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows
) -> Callable[..., None]:
    """Makes contacts on list 1 and a request each; no counter and no change date tells its end."""

    def make(size: int, action: str = "add") -> None:
        simulator.control.settings(lists_update_contacts=False)
        simulator.control.clock(now="2024-05-05T00:00:00Z")
        linked(size, 1)
        # Newer than those: a reading of what changed leaves them out.
        simulator.control.clock(advance_s=3600)
        simulator.control.load(contacts=[vendor_contact(90_000, "newer@example.com")])
        push_lists()
        simulator.control.add_fault(
            "nulls", match={"path": "/activities"}, times=99, params={"fields": ["status"]}
        )
        if action == "remove":
            sql_rows("UPDATE crm_list_membership SET action = 'remove', status = 'pending'")
        else:
            sql_rows("UPDATE crm_list_membership SET list_id = %s, status = 'pending'", list_id(2))
        simulator.control.clear_calls()

    return make


@pytest.mark.parametrize(("per_page", "asked_after"), [(1, 12), (500, 0)])
@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_job_that_counts_nothing_is_judged_by_the_contacts_themselves(
    simulator: Running, push_lists: Push, uncounted: Callable[..., None], action: str,
    monkeypatch: pytest.MonkeyPatch, per_page: int, asked_after: int,
) -> None:  # fmt: skip
    uncounted(12, action)
    monkeypatch.setattr(vendor, "CONTACTS_PER_PAGE", per_page)
    report = push_lists()
    assert (report.added, report.removed) == ((12, 0) if action == "add" else (0, 12))
    assert made(simulator, "POST", "/activities") == 1
    # By whichever way takes fewer calls.
    assert made(simulator, "GET", "/v3/contacts/") == asked_after
    expected = {1, 2} if action == "add" else set()
    del (are_on := on_lists(simulator))["newer@example.com"]
    assert all(each == expected for each in are_on.values())


def test_jobs_that_count_nothing_are_judged_by_all_their_contacts_however_many(
    simulator: Running, push_lists: Push, uncounted: Callable[..., None]
) -> None:
    uncounted(1_020)
    assert push_lists().added == 1_020
    assert made(simulator, "POST", "/activities") == -(-1_020 // vendor.CONTACTS_PER_CHANGE)
    assert made(simulator, "GET", "/v3/contacts") < 20


@pytest.mark.parametrize("fault", ["html_503", "reset_before", "malformed_json"])
def test_a_contact_that_the_vendor_fails_at_is_in_nobodys_way(
    simulator: Running, push_lists: Push, uncounted: Callable[..., None], fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    uncounted(12)
    monkeypatch.setattr(vendor, "CONTACTS_PER_PAGE", 1)
    simulator.control.add_fault(fault, match={"path": f"/contacts/{contact_id(3)}"}, times=999)
    assert push_lists().added == 12
    assert made(simulator, "POST", "/activities") == 1


def test_a_contact_that_is_mirrored_while_its_job_runs_is_looked_at_after_it(
    simulator: Running, push_lists: Push, uncounted: Callable[..., None], client: Client,
    crm: Database,
) -> None:  # fmt: skip
    uncounted(12)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    with pytest.raises(BulkPending):
        push_lists()
    sync_contacts(client, crm, full=True)
    simulator.control.finish_bulk()
    assert push_lists().added == 12
    assert made(simulator, "POST", "/activities") == 1


def test_a_job_without_an_id_that_is_not_found_is_sent_a_few_times_only(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows
) -> None:
    linked(12, 1)
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/activities"}, times=99,
        params={"status": 201, "body": {}},
    )  # fmt: skip
    assert push_lists().failed == 12
    assert made(simulator, "POST", "/activities") == 3


def test_addresses_that_an_import_leaves_out_are_tried_one_by_one_for_the_vendors_reason(
    simulator: Running, push_lists: Push, people: Callable[..., None], sql_rows: Rows
) -> None:
    people(20, 1)
    sql_rows("UPDATE crm_contact SET preferred_email = 'seven@nowhere' WHERE contact_id = 'c7'")
    report = push_lists()
    assert (report.added, report.created, report.rejected) == (19, 19, 1)
    status, detail = answers(sql_rows)["c7", 1]
    assert status == "rejected"
    assert str(detail).startswith("Constant Contact refused the address: email_address.address")
    assert made(simulator, "POST", "import") == 1
    assert made(simulator, "POST", "/v3/contacts") == 1


def test_a_full_queue_is_waited_for(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows
) -> None:
    linked(600, 1)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    simulator.control.limits(bulk_queue=1)
    with pytest.raises(BulkQueueFull):
        push_lists()
    simulator.control.settings(bulk_polls=1)
    simulator.control.limits(bulk_queue=1000)
    push_lists()
    assert set(statuses(sql_rows)) == {"done"}
    assert len(simulator.control.truth()["bulk_activities"]) == 2


def test_a_job_that_takes_long_is_left_alone_for_longer_and_longer(
    simulator: Running, push_lists: Push, linked: Callable[..., None], sql_rows: Rows, calls: Calls
) -> None:
    linked(12, 1)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    pauses = []
    for age_s in (0, 40, 100, 9_000):
        sql_rows("UPDATE ctct_bulk_activity SET sent_at = now() - make_interval(secs => %s)", age_s)
        calls()
        with pytest.raises(BulkPending, match="works on 1 bulk jobs") as raised:
            push_lists()
        pauses.append((raised.value.resume_at_utc - datetime.now(UTC)).total_seconds())
        # One look, but for the run that sent it.
        assert age_s == 0 or calls() == 1
    assert pauses == pytest.approx([30, 40, 100, 300], abs=5)
    simulator.control.finish_bulk()
    assert push_lists().added == 12
    assert len(simulator.control.truth()["bulk_activities"]) == 1


def test_what_is_asked_meanwhile_does_not_wait_for_a_job_that_takes_long(
    simulator: Running, push_lists: Push, linked: Callable[..., None], want: Want,
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    linked(12, 1)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    with pytest.raises(BulkPending):
        push_lists()
    add_crm_contact("new", "new@example.com")
    want("new", 2)
    with pytest.raises(BulkPending):
        push_lists()
    assert answers(sql_rows)["new", 2][0] == "done"


def test_a_request_that_changes_while_it_is_on_its_way_is_not_overwritten_and_goes_after(
    simulator: Running, push_lists: Push, linked: Callable[..., None], want: Want, sql_rows: Rows
) -> None:
    linked(3, 1)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    with pytest.raises(BulkPending):
        push_lists()
    sql_rows("UPDATE crm_list_membership SET action = 'remove' WHERE contact_id = 'c0'")
    sql_rows("DELETE FROM crm_list_membership WHERE contact_id = 'c1'")
    sql_rows("UPDATE crm_list_membership SET status = 'done' WHERE contact_id = 'c2'")
    sql_rows("UPDATE crm_list_membership SET status = 'pending' WHERE contact_id = 'c2'")
    with pytest.raises(BulkPending):
        push_lists()
    assert made(simulator, "POST", "/activities") == 1
    simulator.control.finish_bulk()
    simulator.control.settings(bulk_polls=1)
    push_lists()
    assert answers(sql_rows) == {
        ("c0", 1): ("done", "Taken off the list."),
        ("c2", 1): ("done", "Was on the list already."),
    }
    assert on_lists(simulator)["0@example.com"] == set()


def test_a_second_crm_contact_of_an_address_on_its_way_waits_for_it(
    simulator: Running, push_lists: Push, people: Callable[..., None], want: Want,
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    people(12, 1)
    simulator.control.settings(bulk_polls=999, bulk_seconds=-1)
    with pytest.raises(BulkPending):
        push_lists()
    add_crm_contact("twin", "3@example.com")
    want("twin", 2)
    with pytest.raises(BulkPending):
        push_lists()
    assert answers(sql_rows)["twin", 2][0] == "pending"
    simulator.control.finish_bulk()
    simulator.control.settings(bulk_polls=1)
    push_lists()
    assert set(statuses(sql_rows)) == {"done"}
    assert on_lists(simulator)["3@example.com"] == {1, 2}
