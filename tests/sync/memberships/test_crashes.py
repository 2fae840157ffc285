"""Calls without an answer, refusals, two runs at once, and the circuit breaker."""

from collections.abc import Callable

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import BudgetSpent, BulkPending, ServerFault, WriteUncertain
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.memberships.push import push_memberships
from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.consent.outbox import approve
from tests.sync.memberships.requests import Push, answers, made, on_lists, statuses

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def crowd(
    simulator: Running, lists: list[str], add_crm_contact: Add, want: Want
) -> Callable[..., None]:
    """Requests a list for contacts that exist, or for new ones, or removals."""

    def make(size: int, kind: str) -> None:
        on = lists[:1] if kind == "remove" else []
        if kind in {"add", "remove"}:
            simulator.control.load(
                contacts=[
                    vendor_contact(n, f"{n}@example.com", list_memberships=on) for n in range(size)
                ]
            )
        for n in range(size):
            add_crm_contact(f"c{n}", f"{n}@example.com", first_name="First")
            want(f"c{n}", 1, "remove" if kind == "remove" else "add")

    return make


@pytest.mark.parametrize("fault", ["reset_after", "malformed_json", "reset_before", "html_503"])
@pytest.mark.parametrize(("kind", "size"), [("add", 3), ("remove", 3), ("import", 12)])
def test_a_job_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows, kind: str,
    size: int, fault: str,
) -> None:  # fmt: skip
    crowd(size, kind)
    simulator.control.add_fault(fault, match={"method": "POST", "path": "/activities"})
    push_lists()
    assert set(statuses(sql_rows)) == {"done"}
    assert len(simulator.control.truth()["bulk_activities"]) == 1
    expected = set() if kind == "remove" else {1}
    assert all(each == expected for each in on_lists(simulator).values())


@pytest.mark.parametrize("fault", ["reset_after", "malformed_json", "reset_before", "html_503"])
@pytest.mark.parametrize("says_no", [True, False])
def test_a_contact_whose_creation_had_no_answer_is_looked_for_by_its_address(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows, fault: str,
    says_no: bool,
) -> None:  # fmt: skip
    crowd(1, "new")
    sql_rows("UPDATE crm_contact SET do_not_email = %s", says_no)
    simulator.control.add_fault(fault, match={"method": "POST", "path": "/contacts$"})
    assert push_lists().created == 1
    ((status, detail),) = answers(sql_rows).values()
    assert status == "done"
    assert str(detail).startswith("Created at Constant Contact")
    posted = fault in {"reset_before", "html_503"}
    assert made(simulator, "POST", "/v3/contacts") == 1 + posted


def test_a_job_that_is_not_there_yet_is_given_a_minute_before_it_is_sent_again(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(3, "add")
    simulator.control.add_fault("reset_before", match={"method": "POST", "path": "/activities"})
    with pytest.raises(WriteUncertain):
        push_lists(grace_s=60)
    with pytest.raises(BulkPending):
        push_lists(grace_s=60)
    assert set(statuses(sql_rows)) == {"pending"}
    sql_rows("UPDATE ctct_bulk_activity SET sent_at = sent_at - interval '61 seconds'")
    assert push_lists(grace_s=60).added == 3
    assert len(simulator.control.truth()["bulk_activities"]) == 1


def test_a_job_of_somebody_else_that_looks_like_ours_loses_no_request(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], client: Client,
    lists: list[str],
) -> None:  # fmt: skip
    crowd(3, "add")
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@else.com") for n in range(50, 53)])
    others = {"contact_ids": [contact_id(n) for n in range(50, 53)]}
    client.post("/activities/add_list_memberships", {"source": others, "list_ids": lists[1:2]})
    simulator.control.add_fault("reset_before", match={"method": "POST", "path": "/activities"})
    assert push_lists().added == 3
    assert on_lists(simulator)["1@example.com"] == {1}


@pytest.mark.parametrize("kind", ["add", "new"])
def test_a_vendor_that_stays_down_leaves_all_pending(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows, kind: str
) -> None:
    crowd(3, kind)
    simulator.control.add_fault("html_503", match={"method": "POST", "path": "v3/"}, times=99)
    with pytest.raises(WriteUncertain):
        push_lists()
    simulator.control.add_fault("html_503", times=99)
    with pytest.raises(ServerFault):
        push_lists()
    assert set(statuses(sql_rows)) == {"pending"}
    simulator.control.clear_faults()
    push_lists()
    assert set(statuses(sql_rows)) == {"done"}


@pytest.mark.parametrize(("kind", "path"), [("add", "/activities"), ("new", "/contacts$")])
def test_a_day_without_calls_left_is_waited_for(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows, kind: str,
    path: str,
) -> None:  # fmt: skip
    crowd(3, kind)
    simulator.control.add_fault("quota_exceeded", match={"method": "POST", "path": path})
    with pytest.raises(BudgetSpent):
        push_lists()
    assert set(statuses(sql_rows)) == {"pending"}
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = NULL")
    push_lists()
    assert set(statuses(sql_rows)) == {"done"}


def test_an_address_that_is_taken_at_that_very_moment_is_linked_and_keeps_its_name(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(2, "new")
    said = [
        {
            "error_key": "contacts.api.conflict",
            "error_message": f"Email already exists for contact {contact_id(7)}",
        }
    ]
    # It is there, and was read as not: as though it came between.
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/contacts$"},
        params={"status": 409, "body": said},
    )  # fmt: skip
    simulator.control.clock(advance_s=-86_400)
    simulator.control.load(contacts=[vendor_contact(7, "0@EXAMPLE.com", first_name="Own")])
    simulator.control.clock(advance_s=86_400)
    sql_rows(
        "INSERT INTO ctct_sync_state (noun, covered_to, full_pass_at)"
        " VALUES ('contacts', now(), now()), ('opted_out_contacts', now(), NULL)"
    )
    report = push_lists()
    assert (report.added, report.created) == (2, 1)
    assert simulator.control.truth_contact(contact_id(7))["first_name"] == "Own"
    assert on_lists(simulator)["0@EXAMPLE.com"] == {1}


def test_a_refused_call_is_rejected_with_the_vendors_words_and_the_others_go_on(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], want: Want,
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(3, "add")
    add_crm_contact("new", "new@example.com")
    want("new", 2)
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "add_list"}, times=99,
        params={"status": 400, "body": [{"error_key": "k", "error_message": "no, ann@x.com"}]},
    )  # fmt: skip
    assert push_lists().rejected == 3
    found = answers(sql_rows)
    assert found.pop(("new", 2))[0] == "done"
    ((status, detail),) = set(found.values())
    assert status == "rejected"
    assert str(detail).startswith("Constant Contact refused it: no, <email> (It is tried again")
    # All three; one and two; one and one.
    assert made(simulator, "POST", "add_list") == 5


def test_a_flag_that_is_set_between_plan_and_call_stops_the_call(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows,
    crm: Database,
) -> None:  # fmt: skip
    crowd(12, "import")
    sql_rows(
        "CREATE FUNCTION set_flag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c3'; RETURN NULL; END $$"
    )
    sql_rows(
        "CREATE TRIGGER set_flag AFTER INSERT ON ctct_bulk_activity"
        " FOR EACH STATEMENT EXECUTE FUNCTION set_flag()"
    )
    push_lists()
    now = {each["email"]: each for each in simulator.control.truth_contacts()}
    assert now["3@example.com"]["permission"] == "unsubscribed"
    assert now["2@example.com"]["permission"] == "implicit"


def test_a_request_that_is_never_right_to_send_ends_the_run_all_the_same(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(1, "add")
    sql_rows(
        "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE crm_list_membership SET requested_at = clock_timestamp(); RETURN NULL; END $$"
    )
    sql_rows(
        "CREATE TRIGGER again AFTER INSERT ON ctct_bulk_activity"
        " FOR EACH STATEMENT EXECUTE FUNCTION again()"
    )
    assert push_lists().pending == 1
    assert made(simulator, "POST", "/activities") == 0
    sql_rows("DROP TRIGGER again ON ctct_bulk_activity")
    assert push_lists().added == 1


def test_only_one_run_at_a_time_sends(
    crm_url: str, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(3, "add")
    with psycopg.connect(crm_url) as other:
        other.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('constant_contact memberships', 0))"
        )
        with pytest.raises(BulkPending, match="another run"):
            push_lists()
    assert push_lists().added == 3


def test_the_circuit_breaker_holds_a_mass_removal_until_a_person_releases_it(
    simulator: Running, push_lists: Push, crm: Database, crowd: Callable[..., None], want: Want,
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(12, "remove")
    add_crm_contact("new", "new@example.com")
    want("new", 2)
    report = push_lists(breaker_contacts=10)
    assert (report.held, report.removed, report.added) == (12, 0, 1)
    assert "12 contacts would be taken off lists within a day" in str(answers(sql_rows)["c1", 1][1])
    assert push_lists(breaker_contacts=10).held == 0
    assert approve(crm) == 12
    assert push_lists(breaker_contacts=10).removed == 12
    assert on_lists(simulator)["3@example.com"] == set()


def test_the_breaker_weighs_a_share_of_the_linked_contacts_too(
    simulator: Running, push_lists: Push, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(12, "remove")
    sql_rows("DELETE FROM crm_list_membership WHERE contact_id > 'c10'")
    sql_rows("UPDATE crm_contact SET constant_contact_id = contact_id")
    for n in range(12):
        sql_rows(
            "UPDATE crm_contact SET constant_contact_id = %s WHERE contact_id = %s",
            contact_id(n), f"c{n}",
        )  # fmt: skip
    assert push_lists(breaker_contacts=1, breaker_share=0.25).removed == 3


def test_the_lane_leaves_room_for_opt_outs(
    make_client: Callable[..., Client], crm: Database, crowd: Callable[..., None], sql_rows: Rows
) -> None:
    crowd(3, "add")
    client = make_client("memberships", calls_per_day=10)
    sql_rows("DELETE FROM ctct_api_budget")
    client.get("/contact_lists")
    sql_rows("UPDATE ctct_api_budget SET calls = 9")
    with pytest.raises(BudgetSpent, match="used up for memberships"):
        push_memberships(client, crm)
    assert set(statuses(sql_rows)) == {"pending"}


@pytest.mark.parametrize(("said", "removed"), [("approved", 12), ("rejected", 0)])
def test_a_person_answers_for_exactly_the_removals_that_were_shown(
    push_lists: Push,
    crowd: Callable[..., None],
    crm: Database,
    said: holds.Answer,
    removed: int,
) -> None:
    crowd(12, "remove")
    assert push_lists(breaker_contacts=10).held == 12
    hold = holds.ask_about(crm, 1)
    assert hold is not None
    assert (hold.noun, hold.contacts) == ("memberships", 12)
    assert "off the list" in hold.groups[0]["reason"]
    assert holds.answer(crm, 1, said, by="ann") == 12
    assert push_lists(breaker_contacts=10).removed == removed
