"""What `DATE` of `make run` means to a DAG. Imports Airflow."""

import random
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from airflow.sdk import DAG
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import DataInterval, TimeRestriction, Timetable

from local.stop import USAGE, Stop


class When(NamedTuple):
    """The time a run is for."""

    logical_date: datetime
    interval: DataInterval | None


def when(dag: DAG, asked: date | datetime | None) -> When:
    """The logical date and the data interval.

    - Nothing asked: now, with the last complete interval, as a run triggered by hand.
    - A date: the scheduled run whose interval begins on that day (in the schedule's zone).
    - A time: a run triggered by hand at that time.

    Raises:
        Stop: that day's interval is not over yet, or the time lies ahead.
    """
    timetable = coerce_to_core_timetable(dag.timetable)
    now = datetime.now(UTC)
    if asked is not None and not isinstance(asked, datetime):
        if asked > now.date():
            raise Stop(f"DATE={asked} lies ahead", USAGE)
        scheduled = _scheduled_on(timetable, asked)
        if scheduled is not None:
            if scheduled.end > now:
                raise Stop(
                    f"DATE={asked}: its data interval ends at {scheduled.end.isoformat()};"
                    " without DATE the run takes the last complete one",
                    USAGE,
                )
            return When(_unused(scheduled.start), scheduled)
        asked = datetime(asked.year, asked.month, asked.day, tzinfo=UTC)
    moment = asked or now
    if moment > now:
        raise Stop(f"DATE={moment.isoformat()} lies ahead", USAGE)
    interval = timetable.infer_manual_data_interval(run_after=_pendulum(moment))
    return When(_unused(moment) if asked else moment, interval)


def _scheduled_on(timetable: Timetable, day: date) -> DataInterval | None:
    if not timetable.can_be_scheduled or not timetable.periodic:
        return None
    zone: Any = getattr(timetable, "_timezone", UTC)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    restriction = TimeRestriction(earliest=_pendulum(midnight), latest=None, catchup=True)
    info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    if info is None or info.data_interval is None:
        return None
    interval: DataInterval = info.data_interval
    return interval if interval.start.astimezone(zone).date() == day else None


def _unused(moment: datetime) -> datetime:
    # A DAG has one run per logical date, and the scheduled one of that day may be there already
    # or still come: ours takes another microsecond.
    return moment.replace(microsecond=random.randrange(1, 1_000_000))  # noqa: S311


def _pendulum(moment: datetime) -> Any:
    # Airflow's timetables calculate with pendulum's
    import pendulum  # noqa: PLC0415

    return pendulum.instance(moment)
