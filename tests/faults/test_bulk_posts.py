"""Each fault, each bulk call of memberships: none sent twice, no contact added that objected.

There is no idempotency key: whether a call without an answer was taken on can be known from the
vendor's collection of jobs, and from nothing else.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from constant_contact.errors import (
    AuthorizationRequired,
    BudgetSpent,
    BulkQueueFull,
    ConstantContactError,
    Forbidden,
    WriteUncertain,
)
from tests.faults.faults import (
    ALWAYS,
    ARRAY,
    GATEWAY_REFUSALS,
    HTML,
    LASTING,
    PASSING,
    Fault,
    Place,
    assert_as_undisturbed,
    assert_hit,
    meet,
)
from tests.faults.stage import Open, Stage
from tests.faults.wasted import Wasted

pytestmark = pytest.mark.slow

KINDS = {
    "add": "add_list_memberships",
    "remove": "remove_list_memberships",
    "import": "contacts_json_import",
}
# The vendor took it on, and its answer says that it did not, or nothing.
ACTED = {
    "500 that acted": Fault("status", {"status": 500, "body": ARRAY, "acts": True}),
    "502 that acted": Fault("status", {"status": 502, "body": HTML, "acts": True}),
    "answer without an id": Fault("nulls", {"fields": ["activity_id"]}),
}
# A 429 without a key is the vendor's full queue there: the run goes on later.
LEFT_OUT = {"429 html", "nulls", "unknown fields", "unknown values"}
# What a gateway refuses is sent in parts.
LEFT_OUT |= GATEWAY_REFUSALS.keys()
FAULTS = ACTED | {name: PASSING[name] for name in PASSING if name not in LEFT_OUT}
STOPS: dict[str, type[ConstantContactError]] = {
    "500 lasts": WriteUncertain,
    "reset lasts": WriteUncertain,
    "429 lasts": BulkQueueFull,
    "quota": BudgetSpent,
    "bulk queue": BulkQueueFull,
    "401 lasts": AuthorizationRequired,
    "403 object": Forbidden,
}


def post_of(kind: str) -> Place:
    return Place("memberships", {"method": "POST", "path": f"/activities/{KINDS[kind]}$"})


def jobs(stage: Stage) -> Counter[tuple[str, int]]:
    """How many jobs the vendor has taken on since the start, by kind and number of contacts."""
    taken_on = stage.control.truth()["bulk_activities"]
    return Counter((job["kind"], max(job["status"].values())) for job in taken_on)


def lists(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Address → the lists it is on, as the vendor has it."""
    return {
        contact["email"]: tuple(sorted(contact["lists"]))
        for contact in stage.control.truth_contacts()
        if not contact["deleted"]
    }


def unwilling(stage: Stage) -> set[str]:
    """The addresses of contacts that said no, on either side."""
    flagged = stage.execute(
        "SELECT ctct_email_key(preferred_email) AS email FROM crm_contact"
        " WHERE do_not_email AND constant_contact_id IS NOT NULL"
    )
    return {row["email"] for row in flagged} | {
        contact["email"]
        for contact in stage.control.truth_contacts()
        if contact["permission"] == "unsubscribed"
    }


class Expected:
    """What the vendor has after two runs without a fault, and had before them."""

    def __init__(self, stage: Stage) -> None:
        self._said_no = unwilling(stage)
        self._before = lists(stage)
        stage.run()
        stage.run()
        self._lists, self._jobs = lists(stage), jobs(stage)
        assert {kind for kind, _ in self._jobs} == set(KINDS.values())
        stage.reset()

    def assert_met(self, stage: Stage) -> None:
        """Every membership is as asked, by no job more, and no contact was wronged."""
        # How many a list has is of when it was last looked at.
        assert_as_undisturbed(stage, ("membership_count",))
        assert lists(stage) == self._lists
        assert jobs(stage) <= self._jobs
        for address in self._said_no:
            assert set(lists(stage).get(address, ())) <= set(self._before.get(address, ()))


@pytest.fixture(scope="session")
def expected_of() -> Callable[[Stage], Expected]:
    """Made once: it takes two runs."""
    made: dict[str, Expected] = {}

    def get(stage: Stage) -> Expected:
        if stage.name not in made:
            made[stage.name] = Expected(stage)
        return made[stage.name]

    return get


@pytest.mark.parametrize("fault_name", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bulk_call_that_meets_a_fault_is_taken_on_once(
    stage_of: Open, expected_of: Callable[[Stage], Expected], wasted: Wasted, kind: str,
    fault_name: str,
) -> None:  # fmt: skip
    fault = FAULTS[fault_name]
    stage = stage_of("memberships")
    expected = expected_of(stage)
    meet(stage, post_of(kind), fault)
    stage.run(timeout_s=fault.timeout_s)
    assert_hit(stage)
    stage.control.clear_faults()
    stage.run()
    expected.assert_met(stage)
    wasted(fault_name, kind, stage.calls() - stage.undisturbed.calls)


@pytest.mark.parametrize("lasting", STOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bulk_call_that_cannot_be_made_is_made_by_the_next_run(
    stage_of: Open, expected_of: Callable[[Stage], Expected], kind: str, lasting: str
) -> None:
    stage = stage_of("memberships")
    expected = expected_of(stage)
    meet(stage, post_of(kind), replace(LASTING[lasting].fault, times=ALWAYS))
    with pytest.raises(STOPS[lasting]):
        stage.run()
    assert_hit(stage)
    stage.assert_nobody_was_wronged()
    stage.control.clear_faults()
    stage.a_new_day()
    stage.run()
    stage.run()
    expected.assert_met(stage)
