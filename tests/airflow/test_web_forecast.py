"""Whether the day's calls will be enough: the forecast of the overview."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from constant_contact.store.budget import Day
from constant_contact.store.database import Database
from constant_contact.web.overview.forecast import Hour, forecast, waits_from
from simulator.server import Running
from tests.support import Rows, api_settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return NOON.replace(hour=hour, minute=minute)


def day_of(simulator: Running, calls: int, calls_per_day: int = 1000) -> Day:
    plan = api_settings(simulator, "a seed", calls_per_day=calls_per_day)
    return Day(plan, calls, False, NOON.replace(hour=0) + timedelta(days=1))


# Of 1,000 calls a day: engagement waits at 800, memberships at 900, opt-outs at 1,000. Calls made
# by 12:00, the calls expected in each hour from then on, and who waits from when.
CASES = {
    "a quiet day is enough for all": (100, [10] * 12, {}),
    "nothing is expected": (799, [0] * 12, {}),
    "engagement waits in the middle of an hour": (
        100,
        [600, 200, 0],
        {"engagement": "13:30", "memberships": "14:00"},
    ),
    "one after the other": (
        0,
        [400, 400, 400],
        {"engagement": "14:00", "memberships": "14:15", "opt_outs": "14:30"},
    ),
    "an hour that ends at the limit": (700, [100, 0], {"engagement": "13:00"}),
    "what waits already, waits from now": (800, [0, 0], {"engagement": "12:00"}),
    "all was used": (
        1000,
        [5],
        {"engagement": "12:00", "memberships": "12:00", "opt_outs": "12:00"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_lane_waits_from_when_the_expected_calls_reach_its_limit(
    simulator: Running, case: str
) -> None:
    calls, expected, waits = CASES[case]
    hours = [
        Hour(NOON + timedelta(hours=number), NOON + timedelta(hours=number + 1), count)
        for number, count in enumerate(expected)
    ]
    found = waits_from(day_of(simulator, calls), hours)
    assert found == {lane: at(clock) for lane, clock in waits.items()}
    assert list(found) == list(waits)


@pytest.fixture
def add_calls(sql_rows: Rows) -> Callable[..., None]:
    """Adds calls to the log, evenly, over hours that end so many hours ago."""

    def add(a_hour: int, *, hours: float, ended: float = 0) -> None:
        sql_rows(
            "INSERT INTO ctct_api_call (called_at, method, path, duration_ms)"
            " SELECT now() - make_interval(secs => %s * 3600 + (n - 0.5) * 3600 / %s),"
            " 'GET', '/contacts', 1 FROM generate_series(1, %s) AS n",
            ended,
            a_hour,
            int(hours * a_hour),
        )

    return add


def hours_left() -> float:
    now = datetime.now(UTC)
    return 24 - (now.hour + now.minute / 60 + now.second / 3600)


def test_the_rest_of_the_day_is_expected_as_the_days_before_had_it(
    simulator: Running, crm: Database, add_calls: Callable[..., None]
) -> None:
    add_calls(60, hours=76)
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 100, 100_000))
    assert (found.days, found.above_usual) == (3, 0)
    assert found.last_hour == pytest.approx(60, abs=1)
    assert found.by_midnight == pytest.approx(100 + 60 * hours_left(), rel=0.05)
    assert not found.waits_from


def test_what_the_last_hour_has_above_its_average_goes_on(
    simulator: Running, crm: Database, add_calls: Callable[..., None]
) -> None:
    add_calls(60, hours=76)
    add_calls(600, hours=1)
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 100, 100_000))
    assert found.above_usual == pytest.approx(600, abs=15)
    assert found.by_midnight == pytest.approx(100 + 660 * hours_left(), rel=0.05)


def test_a_night_that_is_as_busy_as_ever_frightens_nobody(
    simulator: Running, crm: Database, add_calls: Callable[..., None]
) -> None:
    for days in range(9):
        add_calls(3000, hours=1, ended=24 * days)
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 3000, 10_000))
    assert found.days == 7
    assert found.last_hour == pytest.approx(3000, abs=60)
    assert found.above_usual == 0
    # The hour that ends now comes again in 23 hours: in a day's first hour, some of it today.
    again = 3000 * max(0.0, hours_left() - 23)
    assert found.by_midnight == pytest.approx(3000 + again, abs=60)


def test_a_young_log_is_taken_by_its_last_hour_alone(
    simulator: Running, crm: Database, add_calls: Callable[..., None]
) -> None:
    add_calls(120, hours=2)
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 240, 100_000))
    assert (found.days, found.above_usual) == (0, found.last_hour)
    assert found.by_midnight == pytest.approx(240 + 120 * hours_left(), rel=0.05)


def test_before_the_first_call_nothing_is_expected(simulator: Running, crm: Database) -> None:
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 0))
    assert (found.by_midnight, found.days, found.last_hour) == (0, 0, 0)


def test_no_more_calls_are_expected_than_the_plan_allows(
    simulator: Running, crm: Database, add_calls: Callable[..., None]
) -> None:
    add_calls(3600, hours=1)
    with crm.transaction() as connection:
        found = forecast(connection, day_of(simulator, 999, 1000))
    assert found.by_midnight <= 1000
