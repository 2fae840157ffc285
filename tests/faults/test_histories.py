"""Any history: edits on both sides, runs, faults, kills, time. Nobody is wronged, nothing is lost.

Hypothesis makes up the histories, the same ones each time, and shortens one that fails to the few
steps that matter. After each run the law is checked (`tests.faults.model`); at a history's end all
jobs run twice undisturbed, and both sides must agree.
"""

from itertools import chain

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.history import FAULTS, History
from tests.faults.steps import Step, address, number, step
from tests.faults.world import ADDRESSES, World

spelled = st.sampled_from([*ADDRESSES, *(f" {each.upper()}\t" for each in ADDRESSES)])
job = st.sampled_from(["opt_outs", "links", "activities", "opt_outs", "links_changed", "lists"])
event = st.sampled_from(["opens", "clicks"])
fault = st.sampled_from(sorted(FAULTS))
token_fault = st.sampled_from(["503 html", "reset after", "malformed"])

in_crm = [
    *[step("turn_flag", number=number, by_contact=st.booleans())] * 5,
    step("change_address", number=number, address=st.none() | spelled),
    step("add_person", address=spelled, flag=st.booleans()),
    step("remove_person", number=number),
]
at_vendor = [
    step("unsubscribe", number=number, source=st.sampled_from(["Contact", "Account"])),
    step("opt_in_again", number=number),
    step("change_vendors_address", number=number, address=address),
    step("sign_up", address=address),
    step("delete", number=number),
    step("restore_or_purge", number=number, purged=st.booleans()),
    step("send", number=st.none() | number),
    step("engage", number=number, kind=event, times=st.integers(1, 6)),
    step("leave_by_a_link_in_a_campaign", number=number),
]  # fmt: skip
between = [
    *[step("run", job=job)] * 8,
    *[step("run_with_a_fault", job=job, fault=fault, after=st.integers(0, 6))] * 4,
    *[step("run_and_be_killed", job=job, at_step=st.integers(1, 80))] * 4,
    step("run_with_a_fault_of_the_token", job=job, fault=token_fault),
    step("time_passes", days=st.sampled_from([0.1, 1.1, 8])),
]  # fmt: skip


def any_of(steps: list[st.SearchStrategy[Step]]) -> st.SearchStrategy[Step]:
    """One of these, or nothing; what stands there twice comes twice as often."""
    return st.sampled_from([step("nothing"), *steps]).flatmap(lambda chosen: chosen)


# Somebody does something, something runs: so that most of what happens has consequences.
happenings = st.tuples(any_of([*in_crm, *at_vendor]), any_of(between))


def play(world: World, *, seed: int) -> None:
    """Ten histories: after so many Hypothesis varies one story; another seed makes new ones."""
    stories = st.lists(happenings, min_size=12, max_size=36)

    @hypothesis.seed(seed)
    @settings(
        max_examples=11,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(ran_before=st.sampled_from([True, True, False]), story=stories)
    def played(ran_before: bool, story: list[tuple[Step, Step]]) -> None:
        world.reset()
        history = History(world)
        history.send(None)
        if ran_before:
            history.round()
        for each in chain.from_iterable(story):
            each.happen(history)
        history.settle()

    played()


@pytest.mark.slow
# Shortening one that fails takes minutes.
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(1, 8))
def test_whatever_happens_nobody_is_wronged_and_both_sides_agree(world: World, seed: int) -> None:
    play(world, seed=seed)
