"""Faults of the token endpoint: no token is lost that need not be, and no storm of requests."""

from dataclasses import dataclass

import pytest

from constant_contact.errors import AuthorizationRequired, RefreshUncertain
from tests.faults.faults import ALWAYS, Fault, assert_as_undisturbed
from tests.faults.jobs import JOBS
from tests.faults.stage import Open
from tests.faults.wasted import Wasted

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class TokenFault:
    """A fault of the token endpoint; `rotated`: the refresh token is used up all the same."""

    fault: Fault
    rotated: bool


TOKEN_FAULTS = {
    "token 503": TokenFault(Fault("html_503"), rotated=False),
    "token reset before": TokenFault(Fault("reset_before"), rotated=False),
    "token reset after": TokenFault(Fault("reset_after"), rotated=True),
    "token malformed": TokenFault(Fault("malformed_json"), rotated=True),
}


@pytest.mark.parametrize("fault_name", TOKEN_FAULTS)
@pytest.mark.parametrize("job_name", JOBS)
def test_a_refresh_without_a_usable_answer_ends_the_run_after_one_request(
    stage_of: Open, wasted: Wasted, job_name: str, fault_name: str
) -> None:
    case = TOKEN_FAULTS[fault_name]
    stage = stage_of(job_name)
    stage.control.add_fault(
        case.fault.kind, match={"path": "/token$"}, times=ALWAYS, params=case.fault.params
    )
    with pytest.raises(RefreshUncertain):
        stage.run()
    requests = stage.calls()
    stage.control.clear_faults()
    if case.rotated:
        with pytest.raises(AuthorizationRequired, match="authorize again"):
            stage.run()
        stage.authorize()
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls
    wasted(fault_name, job_name, cost)
    assert requests == 1
    assert cost <= 1 + case.rotated


@pytest.mark.parametrize("job_name", JOBS)
def test_a_throttled_refresh_is_repeated_and_passes(
    stage_of: Open, wasted: Wasted, job_name: str
) -> None:
    stage = stage_of(job_name)
    stage.control.add_fault(
        "status", match={"path": "/token$"}, times=2, params={"status": 429, "body": {"error": "x"}}
    )
    stage.run()
    assert stage.differences(stage.undisturbed.once) == []
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls
    wasted("token 429", job_name, cost)
    assert cost == 2
