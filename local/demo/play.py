"""The demo itself: two nights with a day between them, then all of it once more.

A later demo finds the CRM as the last one left it and plays the repetition only.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from constant_contact.store.seam_check import install
from constant_contact.store.sql import SQL_DIR
from constant_contact.sync.check.results import as_file, load_last
from local.demo import account, checks, crm, evidence, membership_checks
from local.demo.campaigns import Calendar, day_lists, make_calendar
from local.demo.checks import Check
from local.demo.crm import Connection, Memory
from local.demo.dag_report import DagReport
from local.demo.engagement import make_events
from local.demo.evidence import Crm, Vendor
from local.demo.expected import Expected
from local.demo.memberships import Judge
from local.demo.nights import Nights
from local.demo.people import JSON, CrmContact, People, Person, crm_contacts
from local.demo.progress import Progress
from local.demo.stage import CALLS_PER_DAY, CALLS_PER_SECOND, Stage
from local.demo.story import Story, crm_after, make_story
from local.demo.vendor_edits import edit_account

SEED = 1
# A repetition needs a few hundred.
_CALLS_TO_SPARE = 1_000


@dataclass
class Verdict:
    """All that the report is made of."""

    reports: list[DagReport]
    checks: list[Check] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    crm: Crm | None = None
    calls: int = 0
    calls_today: int = 0

    @property
    def is_right(self) -> bool:
        """Whether every check is."""
        return all(check.is_right for check in self.checks)


class Play:
    """Plays it."""

    def __init__(
        self,
        stage: Stage,
        connection: Connection,
        nights: Nights,
        progress: Progress,
        log: Path,
    ) -> None:
        self._control = stage.control
        self._secrets = stage.secrets
        self._connection = connection
        self._nights = nights
        self._progress = progress
        self._log = log
        self._verdict = Verdict(nights.reports)
        self._expected = Expected()
        # Calls of earlier demos are in the log and in the budget already.
        self._earlier_call = self._earlier_calls = 0
        self._began = datetime.now(UTC)

    def from_nothing(self) -> Verdict:
        """Everything, in an empty database."""
        self._progress.begin("making up a CRM and an account")
        now = datetime.now(UTC).replace(microsecond=0)
        install(self._connection)
        crm.begin(self._connection, digest(), SEED, now)
        people, calendar = _make(SEED, now)
        story = make_story(people, day_lists(SEED, calendar))
        contacts = list(crm_contacts(people))
        events = make_events(SEED, now, people, calendar)
        account.load_new(self._control, people, calendar, events)
        crm.seed_contacts(self._connection, contacts)
        self._progress.end(
            f"made up: {len(contacts):,} CRM contacts; at the vendor"
            f" {sum(1 for _ in self._control.truth_contacts()):,} contacts,"
            f" {len(calendar.lists)} lists, {len(calendar.campaigns)} campaigns,"
            f" {len(events):,} events"
        )
        self._check()
        self._night("night 1", contacts, Story(), calendar)
        self._edit(story, calendar)
        contacts = crm_after(people, story)
        self._night("night 2", contacts, story, calendar)
        return self._again(contacts, calendar)

    def from_memory(self, memory: Memory) -> Verdict:
        """The repetition, on what an earlier demo left."""
        if memory.account is None or memory.expected is None:
            raise ValueError("an earlier demo that did not end is nothing to go on from")
        self._progress.begin("loading the account as the last demo left it")
        self._expected = Expected.from_json(memory.expected)
        people, calendar = _make(memory.seed, memory.now)
        account.load_again(self._control, memory.account)
        self._earlier_calls = evidence.calls_today(self._connection)
        self._earlier_call = evidence.newest_call(self._connection)
        crm.forget_end(self._connection)
        self._progress.end(
            f"found the CRM of the demo of {memory.now:%Y-%m-%d %H:%M} UTC, and its account"
        )
        story = make_story(people, day_lists(memory.seed, calendar))
        return self._again(crm_after(people, story), calendar, memory.account)

    def _check(self) -> None:
        """As a person does before the first night: what it tells is left beside the log."""
        report = self._nights.check("before")
        kept = load_last(self._connection)
        self._connection.commit()
        if kept is not None:
            self._log.with_name("check.md").write_text(as_file(kept), encoding="utf-8")
        self._add("before", [checks.check(report)])

    def _edit(self, story: Story, calendar: Calendar) -> None:
        self._progress.begin("a day of edits")
        crm.change_flags(self._connection, story.flags)
        crm.change_addresses(self._connection, story.addresses)
        crm.ask_for_lists(self._connection, story.requests)
        edit_account(self._control, story, calendar, SEED)
        removals = sum(request.action == "remove" for request in story.requests)
        cleared = sum(not change.do_not_email for change in story.flags)
        self._progress.end(
            f"the day between: {len(story.flags) - cleared} times Do Not Email is set and"
            f" {cleared} times cleared in the CRM, {len(story.requests) - removals} times a contact"
            f" is put on a list and {removals} times taken off one; at the vendor"
            f" {len(story.leaving)} unsubscribe,"
            f" {len(story.deleted) + len(story.moved)} are deleted,"
            f" {len(story.joined) + len(story.moved)} are new, a newsletter is sent"
        )

    def _night(
        self, name: str, contacts: Sequence[CrmContact], story: Story, calendar: Calendar
    ) -> None:
        """The day's story is what this night has to carry."""
        self._expected.link(contacts, self._control.truth_contacts())
        standing = self._expected.standing(contacts)
        reports, _, found = self._carry(name, contacts, story, calendar, {})
        (links_report,) = (each for each in reports if each.dag_id.endswith("_contacts"))
        self._add(name, [*found, checks.figures(links_report, standing)])

    def _again(
        self, contacts: Sequence[CrmContact], calendar: Calendar, written: bytes | None = None
    ) -> Verdict:
        rows_before = evidence.counts(self._connection)
        confs = {"contacts": {"full": True}, "activities": {"reread": True}}
        reports, there, found = self._carry("again", contacts, Story(), calendar, confs)
        self._count_calls(there)
        rows_after = evidence.counts(self._connection)
        self._add("again", [*checks.nothing_new(rows_before, rows_after, reports), *found])
        self._end(there, rows_before, rows_after)
        if self._verdict.is_right:
            written = written or account.write_down(self._control, calendar.campaigns)
            crm.remember(self._connection, written, self._expected.as_json())
        return self._verdict

    def _carry(
        self,
        name: str,
        contacts: Sequence[CrmContact],
        story: Story,
        calendar: Calendar,
        confs: dict[str, JSON],
    ) -> tuple[list[DagReport], Crm, list[Check]]:
        """Run a night, and hold what there is then against what must be."""
        expected = self._expected
        summary, before = self._control.truth(), list(self._control.truth_contacts())
        wanted = expected.permissions(contacts, before, story.flags)
        judge = Judge(contacts, expected.links, wanted, (summary, before))
        carried = judge.judge(story.requests)
        expected.answers |= carried.answers
        reports = self._nights.run(name, confs)
        self._progress.begin(f"{name}: checking")
        there, vendor = Crm.read(self._connection), Vendor.asked(self._control)
        if story.requests:
            # The last job of the night makes contacts, and links them.
            expected.link(contacts, vendor.contacts)
        found = [
            checks.lists(there, summary),
            checks.mirror(there, vendor),
            checks.own_columns(there, contacts),
            checks.links(there, expected),
            checks.ledger(there, vendor),
            checks.completeness(there),
            checks.interactions(there, vendor, expected, calendar.names),
            checks.flags(there, vendor, expected),
            checks.outbox(there, expected),
            checks.will(vendor),
            checks.permissions(vendor, wanted | carried.permissions(vendor.contacts)),
            checks.kept(vendor, before),
            *membership_checks.found(there, vendor, before, carried, expected),
        ]
        return reports, there, found

    def _end(self, there: Crm, rows_before: dict[str, int], rows_after: dict[str, int]) -> None:
        """Check what goes for the demo as a whole, and gather what the report shows."""
        mine = there.calls[there.calls["call_id"] > self._earlier_call]
        today = evidence.calls_today(self._connection)
        is_one_day = datetime.now(UTC).date() == self._began.date()
        used = today - self._earlier_calls if is_one_day else None
        summary = self._control.calls_summary()
        log = evidence.log_text(self._log)
        self._add(
            "all",
            [
                checks.calls(mine, summary, used, CALLS_PER_SECOND),
                checks.privacy(mine, log, self._secrets),
            ],
        )
        verdict = self._verdict
        verdict.before, verdict.after, verdict.crm = rows_before, rows_after, there
        verdict.calls, verdict.calls_today = summary["api_calls"], today

    def _add(self, part: str, found: Sequence[Check]) -> None:
        self._verdict.checks += [check._replace(name=f"{part}: {check.name}") for check in found]

    def _count_calls(self, there: Crm) -> None:
        """How many calls each run made, by the call log."""
        for report in self._verdict.reports:
            made = there.calls[there.calls["run_id"] == report.run_id]
            report.calls = len(made)
            is_write = made["method"].isin(["PUT", "POST"]) & ~made["path"].str.contains("oauth2")
            report.writes = int(is_write.sum())


def can_go_on(memory: Memory | None, calls_today: int) -> bool:
    """Whether the database is one that this demo can repeat itself on."""
    return (
        memory is not None
        and memory.account is not None
        and memory.made_of == digest()
        and CALLS_PER_DAY - calls_today > _CALLS_TO_SPARE
    )


def digest() -> str:
    """Of what makes the data up, and of the schema: other data want another database."""
    files = [*Path(__file__).parent.glob("*.py"), *(SQL_DIR / "schema").glob("*.sql")]
    found = hashlib.sha256()
    for file in sorted(files):
        found.update(file.read_bytes())
    return found.hexdigest()


def _make(seed: int, now: datetime) -> tuple[list[Person], Calendar]:
    calendar = make_calendar(seed, now)
    sent = [issue.sent for issue in calendar.newsletters]
    return People(seed, now, sent, calendar.living_lists).make(), calendar
