"""The overview: what needs a person, our DAGs, the day's calls, and engagement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from constant_contact.api.vendor import TRACKER_BY_TYPE
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.store import budget
from constant_contact.store.budget import Day
from constant_contact.store.database import Database
from constant_contact.web.frame.charts import Chart
from constant_contact.web.frame.metadata import short
from constant_contact.web.frame.pages import page
from constant_contact.web.frame.parts import Part, part
from constant_contact.web.frame.visit import Reading, Visit
from constant_contact.web.overview import attention, run_attention
from constant_contact.web.overview.attention import Line
from constant_contact.web.overview.forecast import Forecast, forecast
from constant_contact.web.overview.last_runs import readable_dags_of, rows
from constant_contact.web.overview.summary import summary
from constant_contact.web.overview.sync_now import NOT_STARTED, NotStarted
from constant_contact.web.overview.syncs import Row
from constant_contact.web.overview.waiting import Waiting, waiting_tasks

router = APIRouter()
_ENGAGEMENT_DAYS: Final = 30
_CALL_HOURS: Final = 48


@dataclass(frozen=True)
class Lane:
    """A lane of the budget as the page shows it.

    Attributes:
        limit: Up to which count of the day it may call.
        own: Calls that it may make and no lane behind it.
    """

    name: str
    limit: int
    left: int
    own: int


@dataclass(frozen=True)
class DayOfCalls:
    """The day's budget, and what is to be expected of it."""

    day: Day
    lanes: list[Lane]
    forecast: Forecast


@router.get("/")
def overview(visit: Reading, not_started: NotStarted | None = None) -> HTMLResponse:
    """The page; each part that cannot be shown says so, the others are shown all the same."""
    syncs = part(lambda: rows(visit))
    needs = _needs(visit, syncs.value or ())
    return page(
        visit.request,
        "overview",
        note=NOT_STARTED[not_started] if not_started else "",
        sentence=summary(syncs, needs),
        needs=needs,
        syncs=syncs,
        calls=part(lambda: _day_of_calls(visit.hook)),
        waiting=part(lambda: _waiting(visit)),
        engagement=part(lambda: _engagement(visit.crm)),
        hours=part(lambda: _hours(visit.crm)),
    )


def _needs(visit: Visit, syncs: Sequence[Row]) -> list[Part[list[Line]]]:
    """What needs a person; what hurts most, first."""
    return [
        part(lambda: attention.of_authorization(visit.hook)),
        part(lambda: attention.of_questions(visit.session, [row.sync.dag_id for row in syncs])),
        part(lambda: attention.of_crm(visit.hook)),
        part(lambda: attention.of_findings(visit.hook)),
        part(lambda: run_attention.of_runs(syncs)),
        part(lambda: attention.of_check(visit.hook)),
        part(attention.of_settings),
    ]


def _waiting(visit: Visit) -> list[Waiting]:
    with short(visit.session):
        return waiting_tasks(visit.session, readable_dags_of(visit))


def _day_of_calls(hook: ConstantContactHook) -> DayOfCalls:
    day = budget.day(hook.budget_crm, hook.settings)
    with hook.crm.transaction() as connection:
        expected = forecast(connection, day)
    return DayOfCalls(day, _lanes(day), expected)


def _lanes(day: Day) -> list[Lane]:
    """The lanes as they run out of calls, the first one first."""
    lanes: list[Lane] = []
    below = 0
    for name in sorted(budget.RESERVED_SHARE, key=day.limit):
        lanes.append(Lane(name, day.limit(name), day.left(name), day.limit(name) - below))
        below = day.limit(name)
    return lanes


def _engagement(crm: Database) -> Chart:
    days = crm.rows("web/engagement_by_day", {"days": _ENGAGEMENT_DAYS})
    return Chart(
        title=f"Engagement of the last {_ENGAGEMENT_DAYS} days by day and type",
        across="day (UTC)",
        labels=[f"{day['day_utc']:%d %b}" for day in days],
        series={
            kind.replace("_", " "): [day["events"].get(kind, 0) for day in days]
            for kind in TRACKER_BY_TYPE
        },
        label_every=5,
        is_partial=True,
    )


def _hours(crm: Database) -> Chart:
    hours = crm.rows("web/calls_by_hour", {"hours": _CALL_HOURS})
    return Chart(
        title=f"API calls of the last {_CALL_HOURS} hours by hour",
        across="hour (UTC)",
        labels=[f"{row['starts_at'].astimezone(UTC):%d %b %H:%M}" for row in hours],
        series={"calls": [row["calls"] for row in hours]},
        label_every=6,
        is_partial=True,
    )
