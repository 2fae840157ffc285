"""Will the day's calls be enough? A forecast that can be followed by hand.

For each hour that is left of the UTC day: the calls that the same hour had on the days before, on
average, and what the hour that ends now had above its own average, as if that went on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from constant_contact.store import database
from constant_contact.store.budget import RESERVED_SHARE, Day

DAYS_BEFORE: Final = 7


@dataclass(frozen=True)
class Hour:
    """An hour that is left of the day, the last one perhaps shorter, and its expected calls."""

    starts_at: datetime
    ends_at: datetime
    expected: float


@dataclass(frozen=True)
class Forecast:
    """Where the day's calls will stand.

    Attributes:
        by_midnight: Calls made by the end of the day if nothing held them back, or as many as the
            plan allows if that is less.
        waits_from: When each lane that will have none left comes to that, the first one first.
        days: How many days before the averages are of; 0: the call log is younger than a day.
        last_hour: Calls in the hour that ends now.
        above_usual: How many of those are more than that hour has on average.
    """

    by_midnight: int
    waits_from: dict[str, datetime]
    days: int
    last_hour: int
    above_usual: int


def forecast(connection: psycopg.Connection[Any], day: Day) -> Forecast:
    """What is to be expected of the rest of the day, by the call log."""
    rows = database.rows(connection, "web/usual_calls", {"days": DAYS_BEFORE})
    ending, *coming = rows
    above = max(0.0, ending["calls"] - (ending["usual_calls"] or 0.0))
    hours = [
        Hour(row["starts_at"], row["ends_at"], (row["usual_calls"] or 0.0) + above * _share(row))
        for row in coming
    ]
    return Forecast(
        by_midnight=_by_midnight(day, hours),
        waits_from=waits_from(day, hours),
        days=ending["days"] or 0,
        last_hour=ending["calls"],
        above_usual=round(above),
    )


def waits_from(day: Day, hours: Sequence[Hour]) -> dict[str, datetime]:
    """When each lane reaches its limit, as far as it does; within an hour calls come evenly."""
    lanes = sorted(RESERVED_SHARE, key=day.limit)
    found = {lane: _reached(day, day.limit(lane), hours) for lane in lanes}
    return {lane: at for lane, at in found.items() if at is not None}


def _reached(day: Day, limit: int, hours: Sequence[Hour]) -> datetime | None:
    calls = float(day.calls)
    for hour in hours:
        if calls + hour.expected >= limit:
            share = max(0.0, (limit - calls) / hour.expected) if hour.expected else 0.0
            return hour.starts_at + share * (hour.ends_at - hour.starts_at)
        calls += hour.expected
    return None


def _by_midnight(day: Day, hours: Sequence[Hour]) -> int:
    expected = day.calls + round(sum(hour.expected for hour in hours))
    return max(day.calls, min(expected, day.plan.calls_per_day))


def _share(row: dict[str, Any]) -> float:
    return float((row["ends_at"] - row["starts_at"]).total_seconds() / 3600)
