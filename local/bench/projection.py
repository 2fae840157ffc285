"""The projection of a quiet night, on more and more stored events."""

import psycopg

from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.engagement.interactions import project_interactions
from local.bench.account import crm_database
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured, middle
from local.bench.plans import PlannedCursor
from local.bench.result import Result
from local.bench.stage import Stage

_SIZES = (100_000, 1_000_000)
_LARGE = 10_000_000
_CONTACTS, _CAMPAIGNS = 100_000, 500
_NEW_EVENTS, _MOVED_CAMPAIGNS = 5_000, 3
_NEW = "interactions/project_new_events"
_MOST_S = 10.0
# what is stored may cost a deeper index; ten times the rows are not to cost twice the time
_MOST_GROWTH = 2.0


def project(gauge: Gauge, *, crm_url: str) -> Figures:
    """One run of the job."""
    crm = crm_database(crm_url)
    with gauge:
        report = project_interactions(crm)
    crm.close()
    return report.as_dict()


def explain(_gauge: Gauge, *, crm_url: str) -> Figures:
    """One more run, with the plan of each statement."""
    seen = PlannedCursor.watch(crm_url)
    crm = crm_database(crm_url, PlannedCursor)
    project_interactions(crm)
    crm.close()
    return {"plans": seen.as_dict()}


def run(stage: Stage) -> list[Result]:
    """Stored events and interactions first, then a few new ones."""
    result = Result(
        "projection",
        f"interactions of a night with {_NEW_EVENTS:,} new events, median of {stage.rounds}",
        ("stored events", "first: s", "events/s", "new: s", "interactions", "growth"),
    )
    before: float | None = None
    sizes = (*_SIZES, _LARGE) if stage.large else _SIZES
    for size in sizes:
        with stage.database() as crm_url:
            _store(stage, crm_url, size)
            first = measured("local.bench.projection:project", crm_url=crm_url)
            settle(crm_url)
            stage.say(f"projection {size:,}: first {first['seconds']:.1f} s")
            rounds = []
            for number in range(stage.rounds):
                _add(crm_url, size + number * _NEW_EVENTS)
                rounds.append(measured("local.bench.projection:project", crm_url=crm_url))
            _add(crm_url, size + stage.rounds * _NEW_EVENTS)
            plans = measured("local.bench.projection:explain", crm_url=crm_url)["plans"]
        seconds = middle(rounds, "seconds")
        stage.say(f"projection {size:,}: {_NEW_EVENTS:,} new ones {seconds:.2f} s")
        growth = seconds / before if before else ""
        made = rounds[-1]["of_new_events"]
        result.rows.append((size, first["seconds"], size / first["seconds"], seconds, made, growth))
        if before:
            step = f"{size // 10:,} → {size:,}"
            result.at_most(f"growth {step}", seconds / before, _MOST_GROWTH, "x")
        before = seconds
        if size == sizes[-1]:
            result.at_most(f"seconds on {size:,} stored events", seconds, _MOST_S, " s")
            result.notes += [f"{name}: {each['seconds']:.3f} s" for name, each in plans.items()]
            result.notes.append(plans[_NEW]["plan"])
    return [result]


def _store(stage: Stage, crm_url: str, size: int) -> None:
    stage.say(f"projection {size:,}: making the events")
    make(crm_url, "contacts", size=_CONTACTS)
    make(crm_url, "streams", campaigns=_CAMPAIGNS)
    with psycopg.connect(crm_url) as connection:
        connection.execute("TRUNCATE crm_contact")
    make(crm_url, "linked_contacts")
    # The jobs work on what was seen of the CRM.
    crm = crm_database(crm_url)
    see_contacts(crm)
    crm.close()
    make(
        crm_url, "events", first=1, last=size, campaigns=_CAMPAIGNS, contacts=_CONTACTS,
    )  # fmt: skip
    settle(crm_url)


def _add(crm_url: str, stored: int) -> None:
    """A night's events, without the vacuum that would make the morning easy."""
    make(
        crm_url, "events", first=stored + 1, last=stored + _NEW_EVENTS,
        campaigns=_MOVED_CAMPAIGNS, contacts=_CONTACTS,
    )  # fmt: skip
