"""The demo's checks say so when something is wrong: each is shown a fault made for it."""

from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.push import push_memberships
from local.demo import account, checks, membership_checks
from local.demo.campaigns import Calendar, day_lists, make_calendar, new_list
from local.demo.checks import Check
from local.demo.crm import Connection, ask_for_lists, seed_contacts
from local.demo.dag_report import DagReport
from local.demo.engagement import make_events
from local.demo.evidence import Crm, Vendor, counts
from local.demo.expected import Expected, Permission, Standing
from local.demo.memberships import Outcome, outcome
from local.demo.people import CrmContact, People, Person
from local.demo.story import crm_after, make_story
from simulator.control import Control
from simulator.server import Running, running
from tests.databases import Databases, prepare_one_account
from tests.support import UNLIMITED, MemoryTokenStore, api_client, api_settings

PEOPLE = 250
OF_A_KIND = 25
NO_WAIT = (0.0,) * 4


@dataclass
class SmallDemo:
    """One night of the demo on few people, by the jobs alone."""

    connection: Connection
    control: Control
    calendar: Calendar
    contacts: list[CrmContact]
    expected: Expected
    before: list[dict[str, Any]]
    summary: dict[str, Any]
    permissions: dict[str, Permission]
    links: DagReport
    standing: Standing
    carried: Outcome

    def found(self) -> dict[str, Check]:
        """Every check that compares, by its function's name."""
        crm, vendor = Crm.read(self.connection), Vendor.asked(self.control)
        return {
            "lists": checks.lists(crm, self.summary),
            "mirror": checks.mirror(crm, vendor),
            "own_columns": checks.own_columns(crm, self.contacts),
            "links": checks.links(crm, self.expected),
            "figures": checks.figures(self.links, self.standing),
            "ledger": checks.ledger(crm, vendor),
            "interactions": checks.interactions(crm, vendor, self.expected, self.calendar.names),
            "permissions": checks.permissions(
                vendor, self.permissions | self.carried.permissions(vendor.contacts)
            ),
            "flags": checks.flags(crm, vendor, self.expected),
            "outbox": checks.outbox(crm, self.expected),
            "will": checks.will(vendor),
            "kept": checks.kept(vendor, self.before),
            "requests": membership_checks.requests(crm, self.expected),
            "members": membership_checks.members(vendor, self.carried),
            "new": membership_checks.new(vendor, self.before, self.carried),
        }

    def wrong(self) -> set[str]:
        """Names of the checks that say that something is wrong."""
        return {name for name, check in self.found().items() if not check.is_right}

    def run(self, statement: Any) -> None:
        self.connection.execute(statement)
        self.connection.commit()


def few(people: list[Person]) -> list[Person]:
    """Some of every kind."""
    seen: dict[str, int] = {}
    chosen = []
    for person in people:
        seen[person.kind] = seen.get(person.kind, 0) + 1
        if seen[person.kind] <= OF_A_KIND or (person.kind == "ordinary" and len(chosen) < PEOPLE):
            chosen.append(person)
    return chosen


class Night:
    """The night, played once: each test gets a copy of the CRM and of the vendor after it."""

    def __init__(self, simulator: Running) -> None:
        self._world = simulator.world
        self._simulator = simulator
        self._after: dict[str, Any] = {}
        self._played: dict[str, Any] = {}

    def play(self, url: str) -> None:
        """On a new database, which is copied then."""
        prepare_one_account(url)
        crm = Database(lambda: psycopg.connect(url), name="connection crm_default")
        settings = api_settings(self._simulator, self._simulator.control.grant())
        call_log = ApiCallLog(crm, Caller("a_dag", "a_task", "a_run", 1))
        client = api_client(settings, crm, MemoryTokenStore(crm), call_log, "engagement")
        with closing(crm), closing(call_log), psycopg.connect(url) as connection:
            self._played = played(connection, self._simulator.control, client, crm)
        self._after = deepcopy(vars(self._world))

    def again(self, connection: Connection) -> SmallDemo:
        """As though it had just been played, on a copy of its database."""
        vars(self._world).update(deepcopy(self._after))
        return SmallDemo(connection, self._simulator.control, **deepcopy(self._played))


def played(
    connection: Connection, control: Control, client: Client, crm: Database
) -> dict[str, Any]:
    """What else a `SmallDemo` knows."""
    control.limits(**UNLIMITED)
    now = datetime.now(UTC).replace(microsecond=0)
    calendar = make_calendar(1, now)
    sent = [issue.sent for issue in calendar.newsletters]
    people = few(People(1, now, sent, calendar.living_lists).make())
    lists = day_lists(1, calendar)
    story = make_story(people, lists)
    contacts = crm_after(people, story)
    account.load_new(control, people, calendar, make_events(1, now, people, calendar))
    control.load(lists=[new_list(1, now)])
    control.delete_list(lists.goes)
    summary, before = control.truth(), list(control.truth_contacts())
    expected = Expected()
    expected.link(contacts, before)
    permissions = expected.permissions(contacts, before, [])
    carried = outcome(story.requests, contacts, expected.links, permissions, (summary, before))
    expected.answers |= carried.answers
    standing = expected.standing(contacts)
    seed_contacts(connection, contacts)
    sync_lists(client, crm)
    sync_contacts(client, crm)
    links = link_contacts(crm).as_dict()
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    project_interactions(crm)
    push_opt_outs(client, crm)
    ask_for_lists(connection, story.requests)
    push_memberships(client, crm, waits_s=NO_WAIT)
    expected.link(contacts, control.truth_contacts())
    return {
        "calendar": calendar,
        "contacts": contacts,
        "expected": expected,
        "before": before,
        "summary": summary,
        "permissions": permissions,
        "links": DagReport("", "", "", "success", 0, {"links": links}),
        "standing": standing,
        "carried": carried,
    }


@pytest.fixture(scope="session")
def night() -> Iterator[Night]:
    with running() as simulator:
        yield Night(simulator)


@pytest.fixture
def demo(night: Night, databases: Databases) -> Iterator[SmallDemo]:
    name = databases.create(night.play)
    with psycopg.connect(databases.url(name)) as connection:
        yield night.again(connection)
    databases.take_back(name)


def test_a_night_without_a_fault_is_right_and_each_fault_is_found(demo: SmallDemo) -> None:
    assert not demo.wrong()

    (first, second) = list(demo.expected.links)[:2]
    links = demo.expected.links
    demo.run(
        "UPDATE crm_contact SET constant_contact_id = "
        f"'{links[second]}' WHERE contact_id = '{first}'"
    )
    assert demo.wrong() == {"links"}
    assert first in demo.found()["links"].difference
    demo.run(
        f"UPDATE crm_contact SET constant_contact_id = '{links[first]}'"
        f" WHERE contact_id = '{first}'"
    )

    demo.run("UPDATE crm_contact SET first_name = 'copied' WHERE contact_id = 'CRM-00001'")
    assert demo.wrong() == {"own_columns"}
    name = next(each.first_name for each in demo.contacts if each.contact_id == "CRM-00001")
    demo.connection.execute(
        "UPDATE crm_contact SET first_name = %s WHERE contact_id = 'CRM-00001'", [name]
    )

    demo.run("UPDATE crm_opt_out_change SET status = 'failed' WHERE change_id = 1")
    assert demo.wrong() == {"outbox"}
    demo.run("UPDATE crm_opt_out_change SET status = 'done' WHERE change_id = 1")

    demo.run("UPDATE ctct_list SET membership_count = membership_count + 1")
    assert demo.wrong() == {"lists"}
    demo.run("UPDATE ctct_list SET membership_count = membership_count - 1")
    assert not demo.wrong()


def test_a_lost_and_a_doubled_interaction_are_found(demo: SmallDemo) -> None:
    one = "(SELECT max(interaction_id) FROM crm_interaction)"
    demo.run(f"CREATE TABLE kept AS SELECT * FROM crm_interaction WHERE interaction_id = {one}")
    demo.run(f"DELETE FROM crm_interaction WHERE interaction_id = {one}")
    assert demo.wrong() == {"interactions"}
    assert "1 missing" in demo.found()["interactions"].difference
    demo.run("INSERT INTO crm_interaction SELECT * FROM kept")
    assert not demo.wrong()
    demo.run("UPDATE kept SET interaction_id = 'another'")
    demo.run("INSERT INTO crm_interaction SELECT * FROM kept")
    assert "1 too many" in demo.found()["interactions"].difference

    demo.run("DELETE FROM ctct_engagement WHERE event_id = 1")
    assert "ledger" in demo.wrong()


def test_somebody_mailed_against_their_will_is_found(demo: SmallDemo) -> None:
    flagged = next(
        demo.expected.links[contact.contact_id]
        for contact in demo.contacts
        if contact.do_not_email and contact.contact_id in demo.expected.links
    )
    demo.control.resubscribe(flagged)
    assert {"permissions", "flags", "mirror"} <= demo.wrong()
    assert flagged in demo.found()["permissions"].difference


def test_an_optout_on_the_wrong_word_is_found(demo: SmallDemo) -> None:
    contact_id = next(
        each
        for each, permission in demo.permissions.items()
        if permission == Permission("unsubscribed", "Account")
    )
    demo.control.unsubscribe(contact_id, source="Contact")
    assert "permissions" in demo.wrong()
    assert "flags" not in demo.wrong()


def test_a_name_overwritten_at_the_vendor_is_found_without_telling_it(demo: SmallDemo) -> None:
    contact_id = next(iter(demo.permissions))
    demo.control.update_contact(contact_id, first_name="Overwritten", list_memberships=[])
    assert "kept" in demo.wrong()
    told = demo.found()["kept"].difference
    assert contact_id in told
    assert "Overwritten" not in told


def test_a_request_without_its_answer_is_found(demo: SmallDemo) -> None:
    refused = "WHERE detail LIKE 'Has unsubscribed%'"
    demo.run(f"CREATE TABLE kept AS SELECT * FROM crm_list_membership {refused}")
    one = "WHERE contact_id = (SELECT min(contact_id) FROM kept)"
    demo.run(f"UPDATE crm_list_membership SET detail = NULL {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"UPDATE crm_list_membership SET detail = 'The list was deleted.' {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"UPDATE crm_list_membership SET detail = 'Has unsubscribed.', status = 'done' {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"DELETE FROM crm_list_membership {one}")
    assert demo.wrong() == {"requests"}


def test_somebody_on_a_wrong_list_is_found(demo: SmallDemo) -> None:
    on_some = [each for each, lists in demo.carried.lists.items() if lists]
    on_one_less = sorted(demo.carried.lists[on_some[0]])[1:]
    demo.control.update_contact(on_some[0], list_memberships=on_one_less)
    assert demo.wrong() == {"members"}
    assert on_some[0] in demo.found()["members"].difference


def test_a_new_contact_that_is_not_as_it_must_be_is_found(demo: SmallDemo) -> None:
    known = {each["contact_id"] for each in demo.before}
    new = [each for each in demo.control.truth_contacts() if each["contact_id"] not in known]
    jobs = [job["kind"] for job in demo.control.truth()["bulk_activities"]]
    assert len(new) == len(demo.carried.new) == 14
    assert jobs.count("contacts_json_import") == 1
    (out,) = (each for each in new if each["permission"] == "unsubscribed")
    named = next(each for each in new if each["first_name"])
    demo.control.update_contact(named["contact_id"], first_name="Overwritten")
    assert demo.wrong() == {"new"}
    told = demo.found()["new"].difference
    assert "CRM-" in told
    assert "@" not in told
    demo.control.update_contact(named["contact_id"], first_name=named["first_name"])
    assert not demo.wrong()
    demo.control.load(contacts=[{"email_address": {"address": "nobody@example.com"}}])
    assert {"new"} <= demo.wrong()
    demo.control.resubscribe(out["contact_id"])
    assert {"new", "permissions", "flags"} <= demo.wrong()


def test_the_account_is_the_same_after_writing_it_down_and_loading_it(demo: SmallDemo) -> None:
    written = account.write_down(demo.control, demo.calendar.campaigns)
    there = Vendor.asked(demo.control)
    demo.control.reset()
    account.load_again(demo.control, written)
    again = Vendor.asked(demo.control)
    told = ("contact_id", "email", "first_name", "permission", "opt_out_source", "opt_out_date",
            "lists", "deleted", "updated_at", "extras")  # fmt: skip
    assert [[each[name] for name in told] for each in again.contacts] == [
        [each[name] for name in told] for each in there.contacts
    ]
    assert again.events.equals(there.events)
    assert again.summary["lists"] == there.summary["lists"]


def test_anything_that_comes_of_a_repetition_is_found(demo: SmallDemo) -> None:
    before = counts(demo.connection)
    quiet = DagReport("again", "links", "", "success", 0, {"links": {"linked": 0}})
    assert all(check.is_right for check in checks.nothing_new(before, before, [quiet]))
    demo.run("INSERT INTO ctct_list (list_id, mirrored_at) VALUES ('x', now())")
    loud = DagReport("again", "links", "", "success", 0, {"links": {"linked": 1}}, writes=1)
    found = checks.nothing_new(before, counts(demo.connection), [loud])
    assert not any(check.is_right for check in found)


@pytest.mark.parametrize(
    "said", ["Anna.Ivanova7@Example.com", "email=anna%40example.org", "secret-of-the-demo"]
)
def test_an_address_or_a_secret_in_a_log_is_found(said: str) -> None:
    clean = pd.DataFrame([{"path": "/contacts", "error_message": None}], dtype=object)
    dirty = pd.DataFrame([{"path": "/contacts", "error_message": said}], dtype=object)
    secrets = ["secret-of-the-demo"]
    assert checks.privacy(clean, "12 contacts read", secrets).is_right
    assert not checks.privacy(clean, f"read {said}", secrets).is_right
    found = checks.privacy(dirty, "", secrets)
    assert not found.is_right
    assert said not in found.difference


@pytest.mark.parametrize(
    "changed",
    [
        {"api_calls": 9},
        {"throttled_count": 1},
        {"max_calls_in_one_second": 21},
    ],
)
def test_calls_that_are_lost_or_too_fast_are_found(changed: dict[str, int]) -> None:
    logged = pd.DataFrame({"path": ["/v3/contacts"] * 8 + ["/oauth2/default/v1/token"]})
    vendor = {"api_calls": 8, "throttled_count": 0, "max_calls_in_one_second": 20}
    assert checks.calls(logged, vendor, 8, 20).is_right
    assert checks.calls(logged, vendor, None, 20).is_right
    assert not checks.calls(logged, vendor, 7, 20).is_right
    assert not checks.calls(logged, vendor | changed, 8, 20).is_right


def test_policy_violations_and_revivals_are_found() -> None:
    good = dict.fromkeys(
        ("policy_violations", "revivals", "names_overwritten", "resubscribe_emails_sent"), 0
    )
    nobody = pd.DataFrame()
    assert checks.will(Vendor(good, [], nobody)).is_right
    for name in good:
        assert not checks.will(Vendor(good | {name: 1}, [], nobody)).is_right


def test_expected_links_follow_a_living_contact_and_leave_a_deleted_one() -> None:
    contact = CrmContact("C", None, None, "\u00a0ANNA@example.com ", None)
    anna = {"contact_id": "1", "email": "anna@example.com", "deleted": False}
    expected = Expected()
    expected.link([contact], [anna])
    assert expected.links == {"C": "1"}
    expected.link([contact], [anna | {"email": "other@example.com"}])
    assert expected.links == {"C": "1"}
    expected.link([contact], [anna | {"deleted": True}])
    assert expected.links == {}
    assert expected.histories == {"C": "1"}
    expected.link([contact], [anna | {"deleted": True}, anna | {"contact_id": "2"}])
    assert expected.links == expected.histories == {"C": "2"}


def test_a_check_that_finds_more_or_less_than_the_crm_was_made_with_is_wrong() -> None:
    made_with = dict.fromkeys(
        ("contacts_addresses", "contacts_flags", "shared_addresses"), "differs"
    )
    for found, is_right in (
        (made_with, True),
        (made_with | {"token": "refused"}, False),
        ({}, False),
    ):
        report = DagReport("before", "constant_contact_check", "r", "success", 1.0)
        report.tasks["check"] = {"ok": 60, "not_tried": 5, "found": found}
        assert checks.check(report).is_right is is_right
