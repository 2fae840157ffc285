"""Two nights of all jobs on a small account, whatever vendor the simulator is set to be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from constant_contact.errors import ConstantContactError
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.push import push_memberships
from constant_contact.sync.report import Report, in_words
from constant_contact.sync.upkeep.completeness import compare_campaigns, compare_contacts
from constant_contact.sync.upkeep.findings import FindingsReport
from tests.faults.model import TYPES
from tests.support import Rows, contact_id, set_flag, vendor_contact

if TYPE_CHECKING:
    from collections.abc import Callable

    from constant_contact.api.client import Client
    from constant_contact.store.database import Database
    from simulator.control import Control

LIST = "00000000-0000-4000-8001-000000000001"
PEOPLE = range(1, 10)
TAKEN_BACK, OPTED_OUT, DELETED, FLAGGED, PURGED = 2, 3, 4, 5, 8
# As many as are imported, and one who says no.
NEW = range(20, 28)
NEW_FLAGGED = 27


def _compare(client: Client, crm: Database) -> Report:
    report = FindingsReport()
    compare_contacts(client, crm, report)
    compare_campaigns(crm, report)
    return report


JOBS: dict[str, Callable[[Client, Database], Report]] = {
    "lists": sync_lists,
    "contacts": sync_contacts,
    "links": lambda _client, crm: link_contacts(crm),
    "opt-outs": push_opt_outs,
    "memberships": lambda client, crm: push_memberships(client, crm, waits_s=(0, 0, 0), grace_s=0),
    "campaigns": sync_campaigns,
    "activities": sync_engagement,
    "completeness": _compare,
}
# What a report counts of what could not be done as usual.
_TROUBLE = {
    "malformed", "uncounted", "set_aside", "unseen", "refused", "stats_refused", "failed_streams",
    "refused_streams", "short_streams", "shortfall", "future_dated", "without_report", "failed",
    "rejected", "pending", "links_held", "unknown_values", "unknown_types",
    "findings",
}  # fmt: skip


def address(number: int) -> str:
    return f"person{number}@example.com"


def stock(control: Control) -> None:
    """Contacts and campaigns of every kind, and people that the CRM has too."""
    control.generate(
        seed=4, contacts=60, lists=2, campaigns=4, events=600, recent_campaigns=2,
        deleted_share=0.05,
    )  # fmt: skip
    people = [
        vendor_contact(n, address(n), first_name="Pat", list_memberships=[LIST] if n == 7 else [])
        for n in PEOPLE
    ]
    control.load(lists=[{"list_id": LIST, "name": "News"}], contacts=people)


def begin_bulk_job(client: Client) -> None:
    """Past jobs are what the check looks at."""
    body = {"source": {"contact_ids": [contact_id(1)]}, "list_ids": [LIST]}
    client.post("/activities/add_list_memberships", body)


@dataclass
class Nights:
    """What two nights came to.

    Attributes:
        failures: Of each night by job, the error that it stopped with.
        trouble: Of both nights, by job: the figures of what was not as usual.
    """

    failures: list[dict[str, ConstantContactError]] = field(default_factory=list)
    trouble: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, failures: dict[str, ConstantContactError], reports: dict[str, Report]) -> None:
        """Take a night's."""
        self.failures.append(failures)
        for job, report in reports.items():
            figures = {name: value for name, value in report.as_dict().items() if value}
            unusual = {name: figures[name] for name in sorted(_TROUBLE & figures.keys())}
            if unusual:
                self.trouble[job] = self.trouble.get(job, {}) | unusual

    def said(self) -> str:
        """What was not as usual, in words."""
        stopped: dict[str, list[str]] = {}
        for job, error in (self.failures[0] | self.failures[1]).items():
            stopped.setdefault(type(error).__name__, []).append(job)
        unusual = [f"stopped with {error}: {', '.join(jobs)}" for error, jobs in stopped.items()]
        unusual += [f"{job}: {in_words(figures)}" for job, figures in sorted(self.trouble.items())]
        return "; ".join(unusual) or "as ever"


def play(client: Client, crm: Database, control: Control, sql_rows: Rows) -> Nights:
    """A first night; what people do on the day after; a second night.

    Three people say no: one at the vendor, whose flag the CRM sets and clears, one in the CRM, and
    one that the CRM wants on a list all the same. The opt-out of one is taken back, one is deleted
    at the vendor and one purged, and both are flagged then.
    """
    nights = Nights()
    _add_people(sql_rows, [(f"c{n}", address(n), n == TAKEN_BACK) for n in PEOPLE])
    nights.add(*_run(client, crm))
    control.unsubscribe(contact_id(OPTED_OUT), source="Contact")
    control.delete_contact(contact_id(DELETED))
    control.purge_contact(contact_id(PURGED))
    for number, flag, by_contact in (
        (OPTED_OUT, True, False), (OPTED_OUT, False, False), (FLAGGED, True, True),
        (TAKEN_BACK, False, False), (DELETED, True, False), (PURGED, True, False),
    ):  # fmt: skip
        with sql_rows.transaction() as connection:
            set_flag(connection, f"c{number}", flag, "wrote", by_contact)
    new = [(f"n{n}", address(n), n == NEW_FLAGGED) for n in NEW]
    _add_people(sql_rows, new)
    wanted = [("c6", "add"), ("c7", "remove")] + [(person, "add") for person, _, _ in new]
    for person, action in wanted:
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES (%s, %s, %s)",
            person, LIST, action,
        )  # fmt: skip
    nights.add(*_run(client, crm))
    return nights


def _add_people(sql_rows: Rows, people: list[tuple[str, str, bool]]) -> None:
    with sql_rows.transaction() as connection:
        connection.cursor().executemany(
            "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
            " VALUES (%s, %s, %s)",
            people,
        )


def _run(
    client: Client, crm: Database
) -> tuple[dict[str, ConstantContactError], dict[str, Report]]:
    failures, reports = {}, {}
    for name, job in JOBS.items():
        try:
            reports[name] = job(client, crm)
        except ConstantContactError as error:
            failures[name] = error
    return failures, reports


def assert_nobody_is_wronged(
    control: Control, sql_rows: Rows, nights: Nights, before: dict[str, Any]
) -> None:
    """Nobody who said no is mailed because of us; whose no could not be carried waits.

    Args:
        control: Knows the truth.
        sql_rows: Of the CRM.
        nights: What they came to.
        before: The truth before them.
    """
    truth = control.truth()
    for wrong in ("policy_violations", "revivals", "names_overwritten"):
        assert truth[wrong] == before[wrong]
    contacts = list(control.truth_contacts())
    may_be_mailed = {
        each["email"]
        for each in contacts
        if not each["deleted"] and each["permission"] != "unsubscribed"
    }
    assert address(OPTED_OUT) not in may_be_mailed
    assert address(NEW_FLAGGED) not in may_be_mailed
    if address(FLAGGED) in may_be_mailed:
        assert nights.failures[1], "an opt-out is not carried, and nothing says so"
        (no,) = sql_rows(
            "SELECT status, contact.constant_contact_id FROM crm_opt_out_change"
            " JOIN crm_contact AS contact USING (contact_id) WHERE contact_id = %s",
            f"c{FLAGGED}",
        )
        # Of one that is not linked, the link will bring it up.
        assert no["status"] == "pending" or no["constant_contact_id"] is None
    emails = Counter(each["email"] for each in contacts)
    assert max(emails.values()) == 1, "a contact was created twice"


def assert_links_are_right(control: Control, sql_rows: Rows) -> None:
    """No CRM contact is linked to another person's contact."""
    of_contact = {contact_id(PURGED): address(PURGED)}
    of_contact |= {each["contact_id"]: each["email"] for each in control.truth_contacts()}
    for row in sql_rows("SELECT contact_id, constant_contact_id, preferred_email FROM crm_contact"):
        link = row["constant_contact_id"]
        assert link is None or of_contact[link] == row["preferred_email"]


def assert_no_event_is_lost(control: Control, sql_rows: Rows, nights: Nights) -> None:
    """The ledger has the vendor's events, once each; what it lacks is counted in the report."""
    stored = Counter(
        (row["campaign_activity_id"], row["activity_type"], row["contact_id"], row["occurred_at"])
        for row in sql_rows(
            "SELECT * FROM ctct_engagement JOIN ctct_engagement_stream USING (stream_id)"
        )
    )
    true = Counter(
        (
            each["campaign_activity_id"],
            TYPES[each["tracking_activity_type"]],
            each["contact_id"],
            datetime.fromisoformat(each["created_time"]),
        )
        for each in control.truth_events()
    )
    assert stored <= true, "an event is doubled or made up"
    if lost := true - stored:
        said = "activities" in nights.trouble
        failed = {"campaigns", "activities"} & nights.failures[1].keys()
        assert said or failed, f"{lost.total()} events are missing, and nothing says so"


def assert_survived(
    control: Control, sql_rows: Rows, nights: Nights, before: dict[str, Any]
) -> None:
    """All that must be true whatever the vendor does."""
    assert_nobody_is_wronged(control, sql_rows, nights, before)
    assert_links_are_right(control, sql_rows)
    assert_no_event_is_lost(control, sql_rows, nights)
