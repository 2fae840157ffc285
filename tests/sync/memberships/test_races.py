"""What changes while a run of memberships looks, plans and sends; and who once said no."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import BudgetSpent, DatabaseUnavailable
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.listing import Listing
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships import bulk_jobs, push
from constant_contact.sync.memberships.bulk_jobs import BulkActivities
from constant_contact.sync.memberships.bulk_memberships import Chosen, request_memberships
from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.consent.outbox import approve
from tests.sync.memberships.requests import Push, answers, list_id, on_lists

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

CROWD = 30
STRICT: dict[str, Any] = {"breaker_contacts": 5, "breaker_share": 0}
ANN = "ann@example.com"
# Takes what else happens before the sending.
AnnAppears = Callable[[Callable[[], None]], None]


@pytest.fixture
def crowd(simulator: Running, lists: list[str], add_crm_contact: Add) -> list[str]:
    """Linked contacts on the first list."""
    numbers = range(1, CROWD + 1)
    simulator.control.load(
        contacts=[
            vendor_contact(n, f"p{n}@example.com", list_memberships=lists[:1]) for n in numbers
        ]
    )
    for n in numbers:
        add_crm_contact(f"c{n}", f"p{n}@example.com", constant_contact_id=contact_id(n))
    return [f"c{n}" for n in numbers]


def ask_for_an_import(add_crm_contact: Add, want: Want) -> None:
    """Enough new contacts that one call for all is cheaper."""
    for n in range(10):
        add_crm_contact(f"n{n}", f"new{n}@example.com")
        want(f"n{n}", 1)


@pytest.fixture
def ann_appears_before_sending(
    simulator: Running, add_crm_contact: Add, want: Want, monkeypatch: pytest.MonkeyPatch
) -> AnnAppears:
    """Plans an import of Ann with a wrong name; she is at the vendor before it is sent."""

    def prepare(then: Callable[[], None]) -> None:
        ask_for_an_import(add_crm_contact, want)
        add_crm_contact("c1", ANN, first_name="WRONG")
        want("c1", 1)
        send, arrived = BulkActivities.send_planned, iter([1])

        def sending(self: BulkActivities) -> int:
            for _ in arrived:
                simulator.control.load(contacts=[vendor_contact(9, ANN, first_name="Ann")])
                then()
            return send(self)

        monkeypatch.setattr(BulkActivities, "send_planned", sending)

    return prepare


def test_the_breaker_weighs_what_arrives_while_the_run_looks(
    crowd: list[str], push_lists: Push, want: Want, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(crowd[0], 1, "remove")
    look, arrived = push.refresh_contacts, iter(crowd[1:])

    def looking(client: Client, crm: Database) -> None:
        look(client, crm)
        for each in arrived:
            want(each, 1, "remove")

    monkeypatch.setattr(push, "refresh_contacts", looking)
    report = push_lists(**STRICT)
    assert (report.held, report.removed) == (CROWD, 0)


def test_who_was_released_once_is_weighed_when_it_is_asked_for_anew(
    crowd: list[str], push_lists: Push, client: Client, crm: Database
) -> None:
    sync_lists(client, crm)
    request_memberships(crm, list_id(1), Chosen(crowd), action="remove")
    assert push_lists(**STRICT).held == CROWD
    assert approve(crm) == CROWD
    assert push_lists(**STRICT).removed == CROWD
    request_memberships(crm, list_id(1), Chosen(crowd))
    assert push_lists(**STRICT).added == CROWD
    request_memberships(crm, list_id(1), Chosen(crowd), action="remove")
    assert push_lists(**STRICT).held == CROWD


def test_a_contact_that_came_between_linking_and_planning_is_not_renamed(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, ANN, first_name="Ann")])
    ask_for_an_import(add_crm_contact, want)
    link, arrived = push.update_links, iter([1])

    def linking(crm: Database) -> None:
        link(crm)
        for _ in arrived:
            add_crm_contact("c1", ANN, first_name="WRONG")
            want("c1", 1)

    monkeypatch.setattr(push, "update_links", linking)
    push_lists()
    push_lists()
    assert simulator.control.truth_contact(contact_id(1))["lists"] == [list_id(1)]


def test_a_contact_that_the_night_linked_between_planning_and_sending_is_not_renamed(
    simulator: Running, push_lists: Push, client: Client, crm: Database,
    ann_appears_before_sending: AnnAppears,
) -> None:  # fmt: skip
    def linked_by_the_night() -> None:
        sync_contacts(client, crm)
        link_contacts(crm)

    ann_appears_before_sending(linked_by_the_night)
    push_lists()
    push_lists()
    assert simulator.control.truth_contact(contact_id(9))["lists"] == [list_id(1)]


def test_a_contact_that_appeared_while_an_import_waited_long_is_not_renamed(
    simulator: Running, push_lists: Push, ann_appears_before_sending: AnnAppears,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ann_appears_before_sending(lambda: None)
    monkeypatch.setattr(bulk_jobs, "_STALE_S", -1.0)
    push_lists()
    push_lists()
    truth = simulator.control.truth_contact(contact_id(9))
    assert (truth["first_name"], truth["lists"]) == ("Ann", [list_id(1)])


def test_a_flag_that_is_set_while_an_import_waits_for_its_slot_keeps_the_contact_out_of_it(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want,
    set_do_not_email: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ask_for_an_import(add_crm_contact, want)
    post, take, waits = Client.post, ApiBudget.take_slot, []

    def post_import(client: Client, path: str, *given: Any) -> Any:
        waits.append(path)
        return post(client, path, *given)

    def take_late(budget: ApiBudget) -> float:
        if waits and "import" in waits[-1]:
            waits.clear()
            set_do_not_email("n3", True)
        return take(budget)

    monkeypatch.setattr(Client, "post", post_import)
    monkeypatch.setattr(ApiBudget, "take_slot", take_late)
    push_lists()
    mailable = {
        each["email"]
        for each in simulator.control.truth_contacts()
        if each["permission"] != "unsubscribed"
    }
    assert mailable == {f"new{n}@example.com" for n in range(10) if n != 3}


@pytest.mark.parametrize("was_read", [True, False])
def test_a_look_that_was_cut_off_at_its_end_is_repeated(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want,
    monkeypatch: pytest.MonkeyPatch, was_read: bool,
) -> None:  # fmt: skip
    add_crm_contact("c0", "zero@example.com")
    want("c0", 1)
    if was_read:
        push_lists()
    else:
        # The first pass of all has something to go on with.
        simulator.control.load(contacts=[vendor_contact(1, "other@example.com")])
    add_crm_contact("c00", "zero0@example.com")
    want("c00", 1)

    def gone(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Listing, "end", gone)
        with pytest.raises(DatabaseUnavailable):
            push_lists()
    simulator.control.load(contacts=[vendor_contact(9, ANN, first_name="Ann")])
    ask_for_an_import(add_crm_contact, want)
    add_crm_contact("c1", ANN, first_name="WRONG")
    want("c1", 1)
    push_lists()
    assert simulator.control.truth_contact(contact_id(9))["lists"] == [list_id(1)]


def test_a_look_that_ran_out_of_calls_is_repeated(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    simulator.control.load(
        contacts=[vendor_contact(n, f"p{n}@example.com", first_name="P") for n in range(1, 1201)]
    )
    add_crm_contact("c0", "zero@example.com")
    want("c0", 1)
    push_lists()
    add_crm_contact("c00", "zero0@example.com")
    want("c00", 1)
    read = Client._read

    def spent(self: Client, url: str, *, is_page_link: bool) -> Any:
        if is_page_link:
            raise BudgetSpent("spent", datetime.now(UTC) + timedelta(hours=9))
        return read(self, url, is_page_link=is_page_link)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "_read", spent)
        with pytest.raises(BudgetSpent):
            push_lists()
    simulator.control.update_contact(contact_id(1), email=ANN)
    ask_for_an_import(add_crm_contact, want)
    add_crm_contact("c1", ANN, first_name="WRONG")
    want("c1", 1)
    push_lists()
    assert simulator.control.truth_contact(contact_id(1))["first_name"] == "P"


@pytest.mark.parametrize("crowded", [False, True])
def test_who_asked_to_be_left_alone_is_created_unsubscribed_whatever_the_flag_says_now(
    simulator: Running,
    push_lists: Push,
    push: Callable[..., Any],
    add_crm_contact: Add,
    want: Want,
    set_do_not_email: Callable[..., None],
    crowded: bool,
) -> None:
    add_crm_contact("c1", ANN, first_name="Ann")
    set_do_not_email("c1", True, "asked by phone", True)
    push()
    set_do_not_email("c1", False)
    push()
    want("c1", 1)
    if crowded:
        ask_for_an_import(add_crm_contact, want)
    push_lists()
    (ann,) = [each for each in simulator.control.truth_contacts() if each["email"] == ANN]
    assert ann["permission"] == "unsubscribed"


def test_a_removal_that_failed_is_not_told_as_done(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, lists: list[str],
    sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, ANN, list_memberships=lists[:1])])
    add_crm_contact("c1", ANN)
    want("c1", 2)
    push_lists()
    # The mirror does not know of the first list.
    sql_rows("UPDATE ctct_contact SET list_ids = '{}'")
    simulator.control.settings(bulk_outcomes=["failed"] * 3)
    want("c1", 1, "remove")
    push_lists()
    assert 1 in on_lists(simulator)[ANN]
    assert answers(sql_rows)["c1", 1][0] == "failed"


def test_an_address_whose_contact_was_purged_can_be_added_again(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, client: Client,
    crm: Database,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, ANN)])
    sync_contacts(client, crm, full=True)
    simulator.control.purge_contact(contact_id(1))
    sync_contacts(client, crm, full=True)
    add_crm_contact("c1", ANN)
    want("c1", 1)
    assert push_lists().created == 1
    assert on_lists(simulator)[ANN] == {1}


@pytest.mark.parametrize("refused", [False, True])
def test_who_asked_to_be_left_alone_is_put_on_no_list_before_that_was_carried(
    simulator: Running, push_lists: Push, push: Callable[..., Any], crowd: list[str],
    add_crm_contact: Add, want: Want, set_do_not_email: Callable[..., None], sql_rows: Rows,
    refused: bool,
) -> None:  # fmt: skip
    set_do_not_email("c1", True, by_contact=True)
    if refused:
        simulator.control.add_fault(
            "status", match={"method": "PUT"}, times=9, params={"status": 400}
        )
        push()
    set_do_not_email("c1", False)
    want("c1", 2)
    want("c2", 2)
    push_lists()
    assert on_lists(simulator)["p2@example.com"] == {1, 2}
    assert answers(sql_rows)["c1", 2][0] == "pending"
    push()
    push_lists()
    assert on_lists(simulator)["p1@example.com"] <= {1}
    assert answers(sql_rows)["c1", 2][0] == "rejected"


def test_so_can_one_whose_opt_out_was_the_accounts_own_and_is_taken_back(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, client: Client,
    crm: Database, push: Callable[..., Any], set_do_not_email: Callable[..., None],
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, ANN)])
    sync_contacts(client, crm, full=True)
    add_crm_contact("c1", ANN)
    link_contacts(crm)
    set_do_not_email("c1", True)
    push()
    simulator.control.purge_contact(contact_id(1))
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    set_do_not_email("c1", False)
    push()
    want("c1", 1)
    assert push_lists().created == 1


@pytest.mark.parametrize("has_left", [False, True])
def test_a_no_is_heard_that_waits_also_of_somebody_who_has_left_the_crm(
    simulator: Running, push_lists: Push, crowd: list[str], add_crm_contact: Add, want: Want,
    set_do_not_email: Callable[..., None], sql_rows: Rows, has_left: bool,
) -> None:  # fmt: skip
    add_crm_contact("same", "p1@example.com", constant_contact_id=contact_id(1))
    set_do_not_email("same", True, by_contact=True)
    if has_left:
        sql_rows("DELETE FROM crm_contact WHERE contact_id = 'same'")
    want("c1", 2)
    push_lists()
    assert on_lists(simulator)["p1@example.com"] == {1}


@pytest.mark.parametrize("crowded", [False, True])
def test_who_had_unsubscribed_is_not_created_anew_when_the_vendor_forgot_them(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, client: Client,
    crm: Database, sql_rows: Rows, crowded: bool,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(1, ANN)])
    simulator.control.unsubscribe(contact_id(1), source="Contact")
    sync_contacts(client, crm, full=True)
    add_crm_contact("c1", ANN)
    link_contacts(crm)
    simulator.control.purge_contact(contact_id(1))
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    want("c1", 1)
    if crowded:
        ask_for_an_import(add_crm_contact, want)
    push_lists()
    made = [
        call["path"]
        for call in simulator.control.calls()
        if call["method"] == "POST" and "/v3/" in call["path"]
    ]
    assert made == (["/v3/activities/contacts_json_import"] if crowded else [])
    assert ANN not in on_lists(simulator)
    status, detail = answers(sql_rows)["c1", 1]
    assert status == "rejected"
    assert detail.startswith("Had unsubscribed")


def test_contacts_without_an_address_do_not_overrule_each_other(
    push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    for each in ("a", "b"):
        add_crm_contact(each, None)
    want("a", 1)
    want("b", 1, "remove")
    push_lists()
    assert answers(sql_rows)["a", 1][0] == "rejected"
    assert answers(sql_rows)["b", 1][0] == "done"


def test_what_else_a_search_for_an_address_brings_is_not_taken_for_the_new_contact(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, lists: list[str]
) -> None:
    somebody = {
        "contact_id": contact_id(1),
        "email_address": {"address": "bob@example.com"},
        "list_memberships": lists,
    }
    found = {"status": 200, "body": {"contacts": [somebody]}}
    simulator.control.add_fault("status", match={"query": "email="}, params=found)
    simulator.control.add_fault("html_503", match={"method": "POST", "path": "/contacts$"})
    add_crm_contact("c1", ANN)
    want("c1", 1)
    push_lists()
    assert on_lists(simulator)[ANN] == {1}
