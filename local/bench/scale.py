"""Whole nights of accounts of all sizes: the first load, a quiet night, and one without news."""

import math
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, field

import psycopg

from constant_contact.api import vendor as limits
from local.bench import airflow_night
from local.bench.days import Days
from local.bench.jobs import NIGHTLY, OUTBOXES, Measured, measure, planned
from local.bench.made_up import make, settle
from local.bench.measure import Figures
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_USUAL = 100_000
_EVENTS_PER_CONTACT = 10
_HEADINGS = ("job", "rows", "seconds", "of it replies", "calls", "peak MB", "database grew MB")
_MOST_CALLS, _MOST_S, _MOST_MB = 60, 60.0, 400
_MOST_CALLS_ACTIVITIES, _MOST_CALLS_NOTHING_MOVED = 30, 3
_ACTIVITIES = ("campaigns", "engagement", "interactions")
#: statements whose work is a whole table, each with why that is so
READS_ALL = {
    "completeness/count_contacts": "holds all contacts against the vendor's count, nightly",
    "completeness/count_lists": "counts the members of all lists in the mirror",
    "contacts/count": "tells how many there are",
    "contacts/count_unknown": "tells how many have a value that the contract does not name",
    "contacts/count_seen": "holds a reading of several pages against the vendor's count",
    "crm_contacts/compare": "compares the CRM's contacts with what was seen of them",
    "links/count_differences": "compares both sides' consent",
    "links/count_links": "tells how the CRM's contacts stand",
    "interactions/take_moved_links": "compares all links with those the interactions were made of",
    "interactions/take_new_links": "compares all links with those the interactions were made of",
    "links/want": "compares the addresses of all who have no living link",
}


@dataclass
class Scale:
    """All that was measured of one account.

    Attributes:
        events: Stored after the first load.
        day: What a quiet day brought; see `local.bench.days.Day`.
        airflow: Of each DAG as Airflow runs it: seconds, peak MB.
        statements: Of a quiet night, by name; see `local.bench.plans.Statement`.
    """

    contacts: int
    campaigns: int
    events: int = 0
    first: list[Measured] = field(default_factory=list)
    quiet: list[Measured] = field(default_factory=list)
    outboxes: list[Measured] = field(default_factory=list)
    nothing: list[Measured] = field(default_factory=list)
    day: Figures = field(default_factory=dict)
    airflow: list[Figures] = field(default_factory=list)
    statements: dict[str, Figures] = field(default_factory=dict)


def run(stage: Stage) -> list[Result]:
    """Of an account as many firms have one."""
    return shown(measure_scale(stage, _USUAL))


def measure_scale(
    stage: Stage, contacts: int, events_per_contact: int = _EVENTS_PER_CONTACT
) -> Scale:
    """An account of so many contacts, with several times the events."""
    with stage.vendor() as vendor, stage.database() as crm_url:
        stage.say(f"scale {contacts:,}: making the account")
        days = Days(vendor, contacts=contacts, events=contacts * events_per_contact)
        account = _Account(stage, f"scale {contacts:,}", crm_url, vendor)
        found = Scale(contacts, days.campaigns)
        found.first = account.jobs("first", ("lists", "contacts"))
        # the CRM has been there all the while; its addresses are those of the account
        make(crm_url, "crm_of_mirror")
        settle(crm_url)
        days.send(crm_url)
        found.first += account.jobs("first", list(NIGHTLY)[len(found.first) :])
        found.events = _stored(crm_url)
        settle(crm_url)
        found.day = asdict(days.pass_one(crm_url))
        found.quiet = account.jobs("quiet", NIGHTLY)
        found.outboxes = account.jobs("day", OUTBOXES)
        days.pass_nothing(crm_url)
        found.nothing = account.jobs("nothing moved", NIGHTLY)
        # days like the first, for what would have slowed that
        for look in (account.look_at_plans, account.run_in_airflow):
            settle(crm_url)
            days.pass_one(crm_url)
            look(found)
    return found


@dataclass
class _Account:
    """Whose jobs are run."""

    stage: Stage
    title: str
    crm_url: str
    vendor: Vendor

    def jobs(self, when: str, names: Iterable[str]) -> list[Measured]:
        """One after the other."""
        return [self._job(when, name) for name in names]

    def _job(self, when: str, name: str) -> Measured:
        found = measure(name, self.crm_url, self.vendor)
        self.stage.say(
            f"{self.title}, {when}: {name} {found.did:,} in {found.seconds:.1f} s, "
            f"{found.calls:,} calls, {found.peak_mb:.0f} MB"
        )
        return found

    def look_at_plans(self, found: Scale) -> None:
        """How each statement is done, at its slowest where several jobs have it."""
        self.stage.say(f"{self.title}: the plans of a night")
        for name in (*NIGHTLY, *OUTBOXES):
            for statement, each in planned(name, self.crm_url, self.vendor).items():
                known = found.statements.get(statement)
                if known is None or known["seconds"] < each["seconds"]:
                    found.statements[statement] = each

    def run_in_airflow(self, found: Scale) -> None:
        """The same jobs, where they are at home."""
        found.airflow = airflow_night.measure(self.stage, self.crm_url, self.vendor)


def shown(found: Scale) -> list[Result]:
    """Tables to read, and the figures held against the targets."""
    about = f"{found.contacts:,} contacts, {found.events:,} events, {found.campaigns} campaigns"
    first = _table("scale", f"the first load of {about}", found.first)
    quiet = _table("scale", f"a quiet night of {about}", found.quiet)
    outboxes = _table("scale", f"a day's wishes of the CRM, {about}", found.outboxes)
    nothing = _table("scale", f"a night without news, {about}", found.nothing)
    airflow = Result(
        "scale",
        f"a quiet night as Airflow runs it, DAG by DAG, {about}",
        ("DAG", "seconds", "peak MB"),
        [tuple(each.values()) for each in found.airflow],
    )
    _check_night(quiet, found)
    activities = sum(each.calls for each in found.nothing if each.job in _ACTIVITIES)
    nothing.at_most("calls for activities", activities, _MOST_CALLS_NOTHING_MOVED)
    airflow.at_most("peak memory", max(each["peak_mb"] for each in found.airflow), _MOST_MB, " MB")
    return [first, quiet, outboxes, nothing, airflow, _plans(found)]


def _check_night(result: Result, found: Scale) -> None:
    result.at_most("calls", sum(each.calls for each in found.quiet), _MOST_CALLS)
    result.at_most("seconds", sum(each.seconds for each in found.quiet), _MOST_S, " s")
    result.at_most("peak memory", max(each.peak_mb for each in found.quiet), _MOST_MB, " MB")
    activities = sum(each.calls for each in found.quiet if each.job in _ACTIVITIES)
    result.at_most("calls for activities", activities, _MOST_CALLS_ACTIVITIES)
    opted_out = found.day["opted_out"]
    # who opts out has changed, too
    read = (found.day["changed"] + opted_out, opted_out)
    pages = [math.ceil(rows / limits.CONTACTS_PER_PAGE) for rows in read]
    (calls,) = (each.calls for each in found.quiet if each.job == "contacts")
    result.at_most("calls for contacts", calls, sum(pages))
    result.notes.append(
        f"The day's {found.day['events']:,} events fill at least {found.day['least_pages']} pages."
    )


def _plans(found: Scale) -> Result:
    result = Result(
        "scale",
        f"statements of a quiet night and the day after, {found.contacts:,} contacts",
        ("statement", "times", "seconds", "slowest s", "tables read whole"),
    )
    by_time = sorted(found.statements.items(), key=lambda item: -item[1]["seconds"])
    for name, each in by_time[:20]:
        whole = ", ".join(each["whole"])
        result.rows.append((name, each["times"], each["seconds"], each["slowest_s"], whole))
    unasked = [name for name, each in by_time if each["whole"] and name not in READS_ALL]
    result.at_most("statements that read a large table whole, unasked", len(unasked), 0)
    result.notes.extend(
        f"{name} reads all: {', '.join(found.statements[name]['whole'])}" for name in unasked
    )
    return result


def _stored(crm_url: str) -> int:
    with psycopg.connect(crm_url) as connection:
        row = connection.execute("SELECT count(*) FROM ctct_engagement").fetchone()
    return int(row[0]) if row else 0


def _table(name: str, title: str, jobs: list[Measured]) -> Result:
    total = (
        "together", "", sum(each.seconds for each in jobs), sum(each.replies_s for each in jobs),
        sum(each.calls for each in jobs), max(each.peak_mb for each in jobs),
        sum(each.grown_mb for each in jobs),
    )  # fmt: skip
    return Result(name, title, _HEADINGS, [*map(astuple, jobs), total])
