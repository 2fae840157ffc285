"""The budget row: paced, counted by the UTC day, shared by lanes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import SimpleNamespace

import pytest

from constant_contact.api.settings import ApiSettings
from constant_contact.errors import BudgetSpent
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from tests.support import Rows

SETTINGS = ApiSettings.from_connection(
    conn_id="constant_contact_default",
    login="key",
    password="secret",
    host=None,
    port=None,
    extra={"calls_per_second": 1000, "calls_per_day": 100},
)


def taken(budget: ApiBudget) -> int:
    """How many calls a lane gets before the day is spent."""
    calls = 0
    try:
        while calls < 1000:
            budget.take_slot()
            calls += 1
    except BudgetSpent:
        pass
    return calls


@pytest.fixture
def long_after_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is: in a day's first minutes the vendor's word may be about yesterday."""
    monkeypatch.setattr("constant_contact.store.budget._DAY_BEGINS", timedelta())


def stop_the_clock(crm: Database, sql_rows: Rows, at: str) -> None:
    """The database's clock cannot be set; its function can be shadowed."""
    sql_rows("CREATE SCHEMA clock")
    sql_rows(
        "CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        f" RETURN timestamptz '{at}'"
    )
    (database,) = sql_rows("SELECT current_database() AS name")
    sql_rows(f"ALTER DATABASE {database['name']} SET search_path = clock, pg_catalog, public")
    crm.close()  # its sessions began before


@pytest.mark.parametrize(
    ("lane", "calls"), [("opt_outs", 100), ("memberships", 90), ("engagement", 80)]
)
def test_a_lane_leaves_its_share_of_the_day_to_those_before_it(
    crm: Database, lane: str, calls: int
) -> None:
    assert taken(ApiBudget(crm, SETTINGS, lane)) == calls


def test_opt_outs_still_go_when_the_load_has_used_up_its_share(crm: Database) -> None:
    assert taken(ApiBudget(crm, SETTINGS, "engagement")) == 80
    assert taken(ApiBudget(crm, SETTINGS, "memberships")) == 10
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 10


def test_the_error_says_when_it_goes_on(crm: Database) -> None:
    budget = ApiBudget(crm, SETTINGS, "engagement")
    taken(budget)
    with pytest.raises(BudgetSpent, match="rate_plan and calls_per_day") as spent:
        budget.take_slot()
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert spent.value.resume_at_utc.astimezone(UTC).date() == tomorrow


def test_a_raised_setting_lets_the_waiting_go_on(crm: Database) -> None:
    taken(ApiBudget(crm, SETTINGS, "engagement"))
    ApiBudget(crm, replace(SETTINGS, calls_per_day=1000), "engagement").take_slot()


def test_a_new_day_is_a_new_budget(crm: Database, sql_rows: Rows) -> None:
    taken(ApiBudget(crm, SETTINGS, "opt_outs"))
    sql_rows("UPDATE ctct_api_budget SET day_utc = day_utc - 1")
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 100


@pytest.mark.usefixtures("long_after_midnight")
def test_the_vendors_word_that_the_day_is_spent_counts_for_all_lanes(
    crm: Database, sql_rows: Rows
) -> None:
    ApiBudget(crm, SETTINGS, "engagement").take_slot()
    ApiBudget(crm, SETTINGS, "engagement").day_spent("quota_exceeded")
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 0
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = spent_day_utc - 1, day_utc = day_utc - 1")
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 100


@pytest.mark.usefixtures("long_after_midnight")
def test_a_raised_setting_overrules_the_vendors_word_until_it_is_said_again(crm: Database) -> None:
    ApiBudget(crm, SETTINGS, "engagement").day_spent("quota_exceeded")
    bigger = replace(SETTINGS, calls_per_day=1000)
    ApiBudget(crm, bigger, "engagement").take_slot()
    ApiBudget(crm, bigger, "engagement").day_spent("quota_exceeded")
    assert taken(ApiBudget(crm, bigger, "opt_outs")) == 0


@pytest.mark.usefixtures("long_after_midnight")
def test_the_vendors_word_counts_even_before_the_first_call(crm: Database) -> None:
    ApiBudget(crm, SETTINGS, "engagement").day_spent("quota_exceeded")
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 0


def test_two_keys_have_two_budgets(crm: Database) -> None:
    assert taken(ApiBudget(crm, SETTINGS, "opt_outs")) == 100
    assert taken(ApiBudget(crm, replace(SETTINGS, api_key="other"), "opt_outs")) == 100


def test_no_call_is_handed_out_twice(crm: Database, sql_rows: Rows) -> None:
    settings = replace(SETTINGS, calls_per_day=1000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ApiBudget(crm, settings, "opt_outs").take_slot(), range(200)))
    assert sql_rows("SELECT calls FROM ctct_api_budget") == [{"calls": 200}]


def test_calls_are_spaced_by_the_rate_whoever_makes_them(crm: Database) -> None:
    settings = replace(SETTINGS, calls_per_second=50, calls_per_day=1000)
    began = monotonic()
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: ApiBudget(crm, settings, "opt_outs").take_slot(), range(26)))
    # 26 calls have 25 gaps of a fiftieth of a second; never less.
    assert monotonic() - began >= 0.5


def test_an_opt_out_stands_behind_half_a_second_of_other_calls_at_most(
    crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, calls_per_second=4, calls_per_day=1000)
    stop_the_clock(crm, sql_rows, "2026-05-05 10:00:00+00")
    slept: list[float] = []

    class TurnedAway(Exception):
        pass

    def sleep(seconds: float) -> None:
        # There is no waiting here: all ask within the same moment.
        slept.append(seconds)
        if len(slept) > 10:
            raise TurnedAway

    monkeypatch.setattr(
        "constant_contact.store.budget.time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0)
    )
    load = ApiBudget(crm, settings, "engagement")
    with pytest.raises(TurnedAway):
        [load.take_slot() for _ in range(1000)]
    # At once and 0.3 s later; the third would stand 0.6 s behind.
    (given,) = sql_rows("SELECT calls FROM public.ctct_api_budget")
    assert given["calls"] == 2
    slept.clear()
    assert ApiBudget(crm, settings, "opt_outs").take_slot() < 0.9
    # Opt-outs queue as they come; the load stands aside meanwhile.
    waits = [ApiBudget(crm, settings, "opt_outs").take_slot() for _ in range(4)]
    assert waits == sorted(waits)
    assert waits[-1] > 1.5


def test_throttling_holds_everyone_for_a_second(crm: Database) -> None:
    budget = ApiBudget(crm, SETTINGS, "opt_outs")
    budget.take_slot()
    began = monotonic()
    budget.slow_down()
    ApiBudget(crm, SETTINGS, "engagement").take_slot()
    assert monotonic() - began >= 0.99


def test_a_quota_of_yesterday_does_not_spend_a_day_that_has_just_begun(
    crm: Database, sql_rows: Rows
) -> None:
    stop_the_clock(crm, sql_rows, "2026-05-05 00:02:00+00")
    spent = ApiBudget(crm, SETTINGS, "engagement").day_spent("quota_exceeded")
    assert spent.resume_at_utc == datetime(2026, 5, 5, 0, 7, tzinfo=UTC)
    assert sql_rows("SELECT * FROM public.ctct_api_budget") == []


def test_a_lane_without_any_calls_is_told_so_on_any_day(crm: Database, sql_rows: Rows) -> None:
    one = replace(SETTINGS, calls_per_day=1)
    ApiBudget(crm, one, "opt_outs").take_slot()
    sql_rows("UPDATE ctct_api_budget SET day_utc = day_utc - 1")
    with pytest.raises(BudgetSpent):
        ApiBudget(crm, one, "engagement").take_slot()


def test_many_who_call_first_with_a_key_all_get_their_turn(crm: Database) -> None:
    slow = replace(SETTINGS, calls_per_second=20)
    with ThreadPoolExecutor(8) as pool:
        for number in range(5):
            fresh = replace(slow, api_key=f"key {number}")
            callers = [ApiBudget(crm, fresh, "engagement") for _ in range(8)]
            assert len(list(pool.map(ApiBudget.take_slot, callers))) == 8


@pytest.mark.parametrize(("oversleeps", "turns"), [(1, 2), (99, 6)])
def test_who_wakes_too_late_makes_no_call_in_that_turn(
    crm: Database,
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    oversleeps: int,
    turns: int,
) -> None:
    clock = SimpleNamespace(now=0.0, left=oversleeps, slept=0)

    def sleep(seconds: float) -> None:
        clock.slept += 1
        clock.now += seconds
        if clock.left > 0:
            clock.left -= 1
            clock.now += 0.2

    fake = SimpleNamespace(sleep=sleep, monotonic=lambda: clock.now)
    monkeypatch.setattr("constant_contact.store.budget.time", fake)
    ApiBudget(crm, SETTINGS, "opt_outs").take_slot()
    # Not for ever: on a machine that is always late, a call is made all the same.
    assert clock.slept == turns
    assert sql_rows("SELECT calls FROM ctct_api_budget") == [{"calls": 1}]
