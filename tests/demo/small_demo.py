"""One night of a demo of few people, played once and copied for each test."""

from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

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
from local.demo.evidence import Crm, Vendor
from local.demo.expected import Expected, Permission, Standing
from local.demo.memberships import Judge, Outcome
from local.demo.people import CrmContact, People, Person
from local.demo.story import crm_after, make_story
from simulator.control import Control
from simulator.server import Running
from tests.databases import prepare_one_account
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
    judge = Judge(contacts, expected.links, permissions, (summary, before))
    carried = judge.judge(story.requests)
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
