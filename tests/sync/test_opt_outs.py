"""Consent: what reaches Constant Contact, what is held, and what never happens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import (
    BudgetSpent,
    ConstantContactError,
    Forbidden,
    ServerFault,
    WriteUncertain,
)
from constant_contact.store.database import Database
from constant_contact.sync.contacts import sync_contacts
from constant_contact.sync.links import link_contacts
from constant_contact.sync.opt_outs import OptOutsReport, push_opt_outs
from simulator.server import Running
from tests.support import contact_id, vendor_contact

Rows = Callable[..., list[dict[str, Any]]]
Add = Callable[..., None]
Flag = Callable[..., None]
Push = Callable[..., OptOutsReport]


@pytest.fixture
def push(client: Client, crm: Database) -> Push:
    return lambda **options: push_opt_outs(client, crm, **options)


@pytest.fixture
def ann(simulator: Running, add_crm_contact: Add) -> str:
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


def changes(sql_rows: Rows) -> list[tuple[str, str, bool]]:
    rows = sql_rows("SELECT * FROM crm_opt_out_change ORDER BY change_id")
    return [(row["contact_id"], row["status"], row["do_not_email"]) for row in rows]


def puts(simulator: Running) -> int:
    return sum(call["method"] == "PUT" for call in simulator.control.calls())


@pytest.fixture(autouse=True)
def nobody_was_wronged(simulator: Running) -> Any:
    """After every test: no opt-in against anyone's will, no deleted contact brought back."""
    yield
    truth = simulator.control.truth()
    assert truth["policy_violations"] == []
    assert truth["revivals"] == []


@pytest.mark.parametrize(("by_contact", "source"), [(True, "Contact"), (False, "Account")])
def test_an_opt_out_is_carried_with_its_reason_and_who_asked(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    by_contact: bool, source: str,
) -> None:  # fmt: skip
    set_do_not_email("c1", True, reason="moved abroad", by_contact=by_contact)
    assert push().unsubscribed == 1
    now = simulator.control.truth_contact(ann)
    assert (now["permission"], now["opt_out_source"]) == ("unsubscribed", source)
    assert now["opt_out_reason"] == "moved abroad"
    assert changes(sql_rows) == [("c1", "done", True)]


def test_nothing_else_of_the_contact_changes(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    before = simulator.control.truth_contact(ann)
    set_do_not_email("c1", True)
    push()
    after = simulator.control.truth_contact(ann)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {
        "permission", "opt_out_source", "opt_out_date", "opt_out_reason", "lists", "updated_at",
    }  # fmt: skip
    assert after["first_name"] == "Ann"
    assert after["extras"] == before["extras"]


def test_the_mirror_learns_it_in_the_same_moment(
    push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    (row,) = sql_rows("SELECT permission_to_send FROM ctct_contact WHERE contact_id = %s", ann)
    assert row["permission_to_send"] == "unsubscribed"


def test_a_long_reason_is_cut_to_what_the_vendor_takes(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, reason="x" * 400)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_reason"] == "x" * 255


def test_the_accounts_own_opt_out_can_be_cleared(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    assert push().resubscribed == 1
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def test_an_opt_out_that_the_contact_asked_for_is_not_cleared_by_us(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    (held,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "Only the contact can undo that" in held["detail"]


def test_an_unsubscribe_made_at_constant_contact_is_not_cleared_by_us(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    sql_rows("DELETE FROM crm_opt_out_change")
    simulator.control.unsubscribe(ann, source="Contact")
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_wish_of_the_contact_counts_even_if_it_was_superseded_before_it_went_out(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    report = push()
    assert (report.superseded, report.held) == (2, 1)
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_an_account_opt_out_becomes_the_contacts_own_when_the_contact_asks(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    simulator.control.unsubscribe(ann, source="Account")
    set_do_not_email("c1", True, by_contact=True)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_someone_else_with_the_address_who_said_no_is_heard(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c2", "ann@example.com", constant_contact_id=ann)
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    set_do_not_email("c2", False)
    assert push().resubscribed == 1


def test_the_newest_change_counts_and_older_ones_are_superseded(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    for flag in (True, False, True):
        set_do_not_email("c1", flag)
    assert push().superseded == 2
    assert changes(sql_rows) == [
        ("c1", "superseded", True),
        ("c1", "superseded", False),
        ("c1", "done", True),
    ]
    assert puts(simulator) == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_later_opt_out_supersedes_a_held_opt_in(
    push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    push()
    set_do_not_email("c1", True)
    push()
    assert [status for _, status, _ in changes(sql_rows)] == ["done", "superseded", "done"]


def test_opt_outs_go_before_opt_ins(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(1, 7)])
    for n in range(1, 7):
        add_crm_contact(
            f"c{n}", f"{n}@example.com", constant_contact_id=contact_id(n), do_not_email=n < 4
        )
    for n in range(1, 7):
        set_do_not_email(f"c{n}", n >= 4)
    push(workers=1)
    rows = sql_rows("SELECT do_not_email FROM crm_opt_out_change ORDER BY processed_at")
    assert [row["do_not_email"] for row in rows] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda control, ann: control.delete_contact(ann),
        lambda control, ann: control.purge_contact(ann),
    ],
    ids=["deleted", "purged"],
)
@pytest.mark.parametrize("flag", [True, False])
def test_a_contact_that_is_gone_is_not_brought_back(
    simulator: Running, push: Push, ann: str, sql_rows: Rows, damage: Any, flag: bool
) -> None:
    damage(simulator.control, ann)
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('c1', %s)", flag)
    assert push().unchanged == 1
    assert puts(simulator) == 0
    assert changes(sql_rows)[0][1] == "done"


def test_a_change_of_an_unlinked_contact_goes_out_when_it_is_linked(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)
    assert push().unchanged == 1
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm, full=True)
    assert link_contacts(crm).opt_outs_queued == 1
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(contact_id(1))["permission"] == "unsubscribed"


def test_a_change_of_nobody_is_done(push: Push, sql_rows: Rows) -> None:
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('gone', TRUE)")
    assert push().unchanged == 1


@pytest.mark.parametrize(
    "kind",
    ["html_503", "reset_before", "reset_after", "truncated_json", "edit_conflict", "throttled"],
)
def test_a_write_that_fails_for_a_moment_is_looked_at_and_repeated(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows, kind: str
) -> None:
    simulator.control.add_fault(kind, match={"method": "PUT"}, times=2)
    set_do_not_email("c1", True, by_contact=True)
    report = push()
    assert report.unsubscribed + report.unchanged == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"
    assert changes(sql_rows) == [("c1", "done", True)]


def test_a_write_that_happened_is_not_repeated(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    simulator.control.add_fault("reset_after", match={"method": "PUT"})
    set_do_not_email("c1", True)
    push()
    assert puts(simulator) == 1


def test_while_constant_contact_is_down_changes_stay_pending(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.add_fault("html_503", match={"path": "/contacts/"}, times=99)
    set_do_not_email("c1", True)
    with pytest.raises(ServerFault):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    simulator.control.clear_faults()
    assert push().unsubscribed == 1


@pytest.mark.parametrize(
    ("kind", "params", "error"),
    [("quota_exceeded", {}, BudgetSpent), ("status", {"status": 403}, Forbidden)],
)
def test_what_concerns_all_changes_stops_at_once_and_loses_none(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    kind: str, params: dict[str, Any], error: type[Exception],
) -> None:  # fmt: skip
    simulator.control.add_fault(kind, match={"path": "/contacts/"}, times=99, params=params)
    set_do_not_email("c1", True)
    with pytest.raises(error):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]


def test_a_refused_change_is_failed_with_the_reason_and_the_others_go_on(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(2, "bob@example.com")])
    add_crm_contact("c2", "bob@example.com", constant_contact_id=contact_id(2))
    simulator.control.add_fault(
        "status", match={"method": "PUT", "path": ann}, times=99,
        params={"status": 400, "body": [{"error_key": "bad", "error_message": "ann@example.com?"}]},
    )  # fmt: skip
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    report = push()
    assert (report.failed, report.unsubscribed) == (1, 1)
    (failed,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'failed'")
    assert "400 bad" in failed["detail"]
    assert "ann@" not in failed["detail"]


def crowd(simulator: Running, add_crm_contact: Add, size: int) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(size)])
    for n in range(size):
        add_crm_contact(f"c{n}", f"{n}@example.com", constant_contact_id=contact_id(n))


def test_the_circuit_breaker_holds_a_mass_opt_out_until_a_person_releases_it(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    report = push(breaker_contacts=10)
    assert (report.held, report.unsubscribed) == (12, 0)
    assert puts(simulator) == 0
    (held,) = sql_rows("SELECT DISTINCT detail FROM crm_opt_out_change")
    assert "12 contacts would be unsubscribed" in held["detail"]
    assert push(breaker_contacts=10).unsubscribed == 0
    released = push(breaker_contacts=10, release_held=True)
    assert (released.released, released.held, released.unsubscribed) == (12, 0, 12)


def test_the_breaker_weighs_a_share_of_the_linked_contacts_too(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id IN ('c1', 'c2', 'c3')")
    assert push(breaker_contacts=1, breaker_share=0.25).unsubscribed == 3


def test_opt_ins_that_wait_for_the_contact_are_not_released_with_the_breakers(
    push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    push()
    assert push(release_held=True).released == 0
    assert changes(sql_rows)[1][1] == "held"


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    for flag in (True, False, True):
        set_do_not_email("c1", flag)
    assert push(dry_run=True).unsubscribed == 1
    assert {status for _, status, _ in changes(sql_rows)} == {"pending"}
    assert puts(simulator) == 0
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def test_a_change_that_another_worker_is_at_is_left_to_it(
    crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with psycopg.connect(crm_url) as other:
        other.execute("SELECT 1 FROM crm_opt_out_change FOR UPDATE")
        assert push().unsubscribed == 0
    assert push().unsubscribed == 1


def test_a_contact_that_another_worker_edits_is_waited_for(
    crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push)
            wait_for_a_waiter(sql_rows)
            assert not pushed.done()
        assert pushed.result().unsubscribed == 1


def test_a_change_that_a_newer_one_overtook_is_not_carried(
    simulator: Running, crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            set_do_not_email("c1", False)
        report = pushed.result()
    assert (report.superseded, report.unchanged) == (1, 1)
    assert puts(simulator) == 0
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def wait_for_a_waiter(sql_rows: Rows) -> None:
    """Until somebody waits for an advisory lock."""
    waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    deadline = monotonic() + 10
    while not sql_rows(waiting):
        assert monotonic() < deadline, "nobody waits"


def test_many_changes_by_several_workers_are_each_carried_once(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 60)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push(workers=6).unsubscribed == 60
    assert puts(simulator) == 60
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}


def test_a_conflict_that_stays_leaves_the_change_pending(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.add_fault("edit_conflict", match={"method": "PUT"}, times=4)
    set_do_not_email("c1", True)
    with pytest.raises(WriteUncertain):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    assert push().unsubscribed == 1


def test_a_person_who_left_the_crm_is_unsubscribed_all_the_same(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    sql_rows("DELETE FROM crm_contact")
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_who_asked_is_left_alone_even_if_the_flag_is_cleared_before_that_went_out(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    assert push().held == 1
    now = simulator.control.truth_contact(ann)
    assert (now["permission"], now["opt_out_source"]) == ("unsubscribed", "Contact")
    set_do_not_email("c1", True)
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_contact_that_opted_in_again_by_itself_is_believed(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    simulator.control.clock(advance_s=3600)
    simulator.control.resubscribe(ann)
    set_do_not_email("c1", False)
    assert push().unchanged == 1
    assert simulator.control.truth_contact(ann)["permission"] != "unsubscribed"


def test_what_another_member_of_the_household_asked_for_is_heard(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c2", "ann@example.com", constant_contact_id=ann)
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c2", True, by_contact=True)
    set_do_not_email("c2", False)
    set_do_not_email("c1", False)
    assert push().resubscribed == 0
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


@pytest.mark.parametrize(
    ("status", "body"), [(200, ""), (200, {}), (200, []), (202, ""), (404, "<html>lost</html>")]
)
def test_an_answer_that_tells_of_no_contact_ends_no_change(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    status: int, body: Any,
) -> None:  # fmt: skip
    simulator.control.add_fault(
        "status", match={"path": "/contacts/"}, times=99, params={"status": status, "body": body}
    )
    set_do_not_email("c1", True)
    with pytest.raises(ConstantContactError):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    simulator.control.clear_faults()
    assert push().unsubscribed == 1


def test_a_change_follows_its_link_where_that_moves_meanwhile(
    simulator: Running, crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(2, "ann.lee@example.com")])
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            simulator.control.purge_contact(ann)
            sql_rows("UPDATE crm_contact SET constant_contact_id = %s", contact_id(2))
        assert pushed.result().unsubscribed == 1
    assert simulator.control.truth_contact(contact_id(2))["permission"] == "unsubscribed"


def test_the_breaker_weighs_what_arrives_while_it_carries(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows, crm_url: str
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c0'")
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [contact_id(0)])
            pushed = pool.submit(push, breaker_contacts=5)
            wait_for_a_waiter(sql_rows)
            sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
        report = pushed.result()
    assert (report.unsubscribed, report.held) == (1, 11)


def test_what_a_person_released_is_not_held_again(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push(breaker_contacts=5)
    simulator.control.add_fault("html_503", match={"path": "/contacts/"}, times=999)
    with pytest.raises(ServerFault):
        push(breaker_contacts=5, release_held=True)
    simulator.control.clear_faults()
    report = push(breaker_contacts=5)
    assert report.held == 0
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}
