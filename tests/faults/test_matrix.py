"""Each fault, each job: nothing lost, nothing doubled, few calls wasted.

A job meets a fault in the middle; the fault is cleared; the job runs again. Then the CRM database
is what the same two runs give without a fault.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.errors import Forbidden, ServerFault
from tests.faults.faults import (
    ALWAYS,
    LASTING,
    PAGE_FAULTS,
    PAGED,
    PAGES_LAST,
    PASSING,
    PLACES,
    SLOW,
    assert_as_undisturbed,
    assert_hit,
    meet,
)
from tests.faults.stage import Open
from tests.faults.wasted import Wasted

pytestmark = pytest.mark.slow

# Acting without an answer matters to a write only.
ACTING = {"503 that acted", "time-out that acted"}
ONE_A_JOB = {*PLACES} - {"opted_out", "summaries", "campaign", "counts", "night", "opt_outs_get"}

# The whole night is slow, and its parts have places of their own.
AT_NIGHT = {"500 array", "throttled", "reset after", "truncated", "401"}


def cells() -> Iterator[Any]:
    for place in PLACES:
        left_out = (SLOW if place not in ONE_A_JOB else set()) | (
            ACTING if place != "opt_outs_put" else set()
        )
        if place == "night":
            left_out = PASSING.keys() - AT_NIGHT
        for fault in PASSING | PAGE_FAULTS if place in PAGED else PASSING:
            if fault not in left_out:
                yield pytest.param(place, fault, id=f"{place}-{fault}")


@pytest.mark.parametrize(("place_name", "fault_name"), list(cells()))
def test_a_fault_that_passes_costs_a_few_calls_and_nothing_else(
    stage_of: Open, wasted: Wasted, place_name: str, fault_name: str
) -> None:
    place, fault = PLACES[place_name], (PASSING | PAGE_FAULTS)[fault_name]
    stage = stage_of(place.job)
    meet(stage, place, fault)
    budget = stage.run(timeout_s=fault.timeout_s)
    assert_hit(stage)
    assert budget.slowed == (fault.times if "429" in fault_name or "throttled" in fault_name else 0)
    if fault.heals:
        assert stage.differences(stage.undisturbed.once, fault.without) == []
    stage.control.clear_faults()
    stage.run()
    assert_as_undisturbed(stage, fault.without)
    cost = stage.calls() - stage.undisturbed.calls
    wasted(fault_name, place_name, cost)
    assert cost <= (fault.wasted_by_write if place_name == "opt_outs_put" else fault.wasted)


@pytest.mark.parametrize("place_name", PLACES)
def test_an_access_token_that_expires_on_the_way_costs_one_refresh_and_one_replay(
    stage_of: Open, wasted: Wasted, place_name: str
) -> None:
    stage = stage_of(PLACES[place_name].job)

    def expire(number: int) -> None:
        if number == 3:
            stage.control.expire_access_tokens()

    stage.run(on_call=expire)
    assert stage.differences(stage.undisturbed.once) == []
    stage.run()
    assert_as_undisturbed(stage)
    refused = sum(call["status"] == 401 for call in stage.control.calls())
    cost = stage.calls() - stage.undisturbed.calls
    wasted("expired token", place_name, cost)
    # Those on their way together are refused together.
    assert 1 <= refused <= 10
    assert cost == refused + 1


def lasting_cells() -> Iterator[Any]:
    for place, where in PLACES.items():
        # A PUT whose answer is garbled did happen: it is looked at and found done.
        left_out = {"malformed lasts"} if place == "opt_outs_put" else set()
        if place not in {"lists", "engagement", "opt_outs_put"}:
            left_out |= {"403 object", "403 html", "403 empty", "403 other"}
        # A stream whose links are broken is set aside; see below.
        is_listing = place in PAGED and where.streams == 1
        for fault in LASTING | PAGES_LAST if is_listing else LASTING:
            if fault not in left_out:
                yield pytest.param(place, fault, id=f"{place}-{fault}")


@pytest.mark.parametrize(("place_name", "fault_name"), list(lasting_cells()))
def test_a_fault_that_lasts_ends_the_job_with_its_name_and_the_next_run_goes_on(
    stage_of: Open, wasted: Wasted, place_name: str, fault_name: str
) -> None:
    place, lasting = PLACES[place_name], (LASTING | PAGES_LAST)[fault_name]
    stage = stage_of(place.job)
    meet(stage, place, replace(lasting.fault, times=ALWAYS))
    is_write = place_name == "opt_outs_put"
    if place.is_of_rows and lasting.error is ServerFault:
        # They are set aside, or asked for one by one.
        stage.run()
    else:
        with pytest.raises((is_write and lasting.by_write) or lasting.error):
            stage.run()
    assert_hit(stage)
    stage.assert_nobody_was_wronged()
    stage.control.clear_faults()
    stage.a_new_day()
    stage.run()
    stage.run()
    assert_as_undisturbed(stage, ("attempts",))
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(fault_name, place_name, cost)
    # A stream that stopped between two events alike is read once more.
    # Why a call is forbidden is asked once a run, however many streams met it.
    asked_why = lasting.error is Forbidden
    assert cost - asked_why <= lasting.calls * place.streams + (
        place.streams if place.streams > 1 else 0
    )
