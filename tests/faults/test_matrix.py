"""Each fault, each job: nothing lost, nothing doubled, few calls wasted.

A job meets a fault in the middle; the fault is cleared; the job runs again. Then the CRM database
is what the same two runs give without a fault.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from constant_contact.errors import (
    AuthorizationRequired,
    BadRequest,
    BudgetSpent,
    Conflict,
    ConnectionFault,
    ConstantContactError,
    ContractBroken,
    Forbidden,
    NotFound,
    RefreshUncertain,
    ServerFault,
    Throttled,
    WriteUncertain,
)
from constant_contact.sync.engagement import sync_engagement
from constant_contact.sync.links import link_contacts
from tests.faults.jobs import JOBS
from tests.faults.stage import Stage
from tests.support import contact_id

pytestmark = pytest.mark.slow

Open = Callable[[str], Stage]
Wasted = Callable[[str, str, int], None]
ALWAYS = 999


@dataclass(frozen=True)
class Place:
    """Where in a job a fault hits: the `after`-th matching call, counted from 0.

    Attributes:
        streams: How many readings or changes are carried side by side there: each meets a fault
            that lasts by itself.
    """

    job: str
    match: dict[str, str]
    after: int = 0
    streams: int = 1


PLACES = {
    # page by page
    "lists": Place("lists", {"path": "contact_lists"}, 1),
    "contacts_full": Place("contacts_full", {"path": "/contacts$"}, 3),
    "contacts_changed": Place("contacts_changed", {"path": "/contacts$"}, 1),
    "opted_out": Place("contacts_changed", {"path": "/contacts$"}, 3),
    "links": Place("links", {"path": "/contacts$"}, 3),
    "summaries": Place("campaigns", {"path": "summaries"}, 1),
    "campaigns": Place("campaigns", {"path": "/emails$"}, 1),
    "engagement": Place("engagement", {"path": "/tracking/"}, 4, 9),
    "activities": Place("activities", {"path": "/tracking/"}, 1, 2),
    "night": Place("night", {"path": "/tracking/"}, 3, 9),
    # one by one
    "campaign": Place("campaigns", {"path": "/emails/."}, 1, 5),
    "counts": Place("campaigns", {"path": "/stats/.*,"}, 1, 3),
    "opt_outs_get": Place("opt_outs", {"method": "GET"}, 2, 10),
    "opt_outs_put": Place("opt_outs", {"method": "PUT"}, 1, 8),
}
PAGED = ("lists", "contacts_full", "contacts_changed", "opted_out", "links", "summaries")
PAGED += ("campaigns", "engagement", "activities", "night")
# The first call of each job, for what is refused for good.
STARTS = {
    "lists": Place("lists", {"path": "contact_lists"}),
    "contacts_full": Place("contacts_full", {"path": "/contacts$"}),
    "contacts_changed": Place("contacts_changed", {"path": "/contacts$"}),
    "opted_out": Place("contacts_changed", {"query": "optout_after"}),
    "links": Place("links", {"path": "/contacts$"}),
    "summaries": Place("campaigns", {"path": "summaries"}),
    "campaigns": Place("campaigns", {"path": "/emails$"}),
    "night": Place("night", {"path": "/emails$"}),
}

ARRAY = [{"error_key": "some.key", "error_message": "Some message."}]
HTML = "<html><body><h1>Oops</h1></body></html>"
SHAPES: dict[str, Any] = {"array": ARRAY, "object": ARRAY[0], "html": HTML, "empty": ""}


@dataclass(frozen=True)
class Fault:
    """A fault, and what it may cost in calls beyond the undisturbed runs.

    Attributes:
        wasted: Of a read.
        wasted_by_write: Of a PUT: each is looked at before it is repeated.
        heals: Whether the first run's end is already as without the fault.
        without: Columns that hold what the vendor said.
    """

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    wasted: int = 1
    wasted_by_write: int = 2
    heals: bool = True
    without: tuple[str, ...] = ()
    timeout_s: float = 5


def status(code: int, shape: str) -> Fault:
    return Fault("status", {"status": code, "body": SHAPES[shape]}, 2, 2, 4)


NULLED = ("opt_out_reason", "device_type", "description", "type_code", "percents")
# By a permission or a role of no known name a job decides: see the tests below the matrix.
RENAMED = ("device_type", "bounce_code", "current_status", "type")
SHOWN = (*RENAMED, "description")

PASSING = {
    "500 array": status(500, "array"),
    "502 html": status(502, "html"),
    "503 object": status(503, "object"),
    "408 empty": status(408, "empty"),
    "429 html": status(429, "html"),
    "503 html": Fault("html_503", {}, 2, 2, 4),
    "503 that acted": Fault("html_503", {"acts": True}, 2, 2, 2),
    "throttled": Fault("throttled", {}, 2, 2, 2),
    "reset before": Fault("reset_before", {}, 2, 2, 4),
    "reset after": Fault("reset_after", {}, 2, 2, 2),
    "time-out": Fault("timeout", {"seconds": 1}, 1, 1, 2, timeout_s=0.4),
    "time-out that acted": Fault("timeout", {"seconds": 1, "acts": True}, 1, 1, 1, timeout_s=0.4),
    "slow drip": Fault("slow_drip", {"chunk_bytes": 1, "delay_s": 0.02}, 1, 1, 1, timeout_s=0.2),
    "truncated": Fault("truncated_json", {}, 2, 2, 2),
    "truncated, cut off": Fault("truncated_json", {"mid_body": True}, 2, 2, 2),
    "malformed": Fault("malformed_json", {}, 2, 2, 2),
    "401": Fault("unauthorized", {}, 1, 2, 2),
}
PAGE_FAULTS = {
    # The listing starts again: the pages read before are read twice.
    "dead cursor": Fault("dead_cursor", {}, 1, 8),
    "repeated page": Fault("repeated_page", {}, 1, 8),
    "empty page": Fault("empty_page"),
    "shifted page, back": Fault("shifted_page", {"by": -1}),
    "shifted page, on": Fault("shifted_page", {"by": 1}, 1, 8, heals=False),
}
PASSING |= {
    "nulls": Fault("nulls", {"fields": NULLED}, ALWAYS, 0, 0, without=NULLED),
    "unknown fields": Fault("unknown_fields", {"enums": []}, ALWAYS, 0, 0),
    "unknown values": Fault("unknown_fields", {"enums": RENAMED}, 1, 0, 0, without=SHOWN),
}


def meet(stage: Stage, place: Place, fault: Fault) -> None:
    # Only calls with a cursor match that fault.
    after = 0 if fault.kind == "dead_cursor" else place.after
    stage.control.add_fault(
        fault.kind, match=place.match, after=after, times=fault.times, params=fault.params
    )


def assert_hit(stage: Stage) -> None:
    assert stage.control.faults()[0]["fired"], "the fault hit nothing"


def assert_as_undisturbed(stage: Stage, without: tuple[str, ...] = ()) -> None:
    assert stage.differences(stage.undisturbed.twice, without) == []
    stage.assert_nobody_was_wronged()


# Waiting is slow, and acting without an answer matters to a write only.
SLOW = {"time-out", "slow drip"}
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


@pytest.mark.parametrize(("place_name", "fault_name"), cells())
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


@dataclass(frozen=True)
class Lasting:
    """A fault that stays until somebody mends it.

    Attributes:
        error: What the job fails with.
        calls: What it may cost at most, for each stream.
        by_write: What a job fails with whose PUT meets it.
    """

    fault: Fault
    error: type[ConstantContactError]
    calls: int
    by_write: type[ConstantContactError] | None = None


def _shaped(code: int, shape: str) -> Fault:
    return Fault("status", {"status": code, "body": SHAPES[shape]})


# Six tries for a read; a write is looked at, then tried again, four times.
LASTING = {
    "500 lasts": Lasting(_shaped(500, "object"), ServerFault, 8, WriteUncertain),
    "reset lasts": Lasting(Fault("reset_before"), ConnectionFault, 8, WriteUncertain),
    "malformed lasts": Lasting(Fault("malformed_json"), ServerFault, 8),
    "429 lasts": Lasting(_shaped(429, "empty"), Throttled, 8),
    "quota": Lasting(Fault("quota_exceeded"), BudgetSpent, 1),
    "401 lasts": Lasting(Fault("unauthorized"), AuthorizationRequired, 3),
    **{f"403 {shape}": Lasting(_shaped(403, shape), Forbidden, 1) for shape in SHAPES},
}
PAGES_LAST = {
    "foreign next": Lasting(Fault("foreign_next"), ContractBroken, 1),
    "dead cursors last": Lasting(Fault("dead_cursor"), ContractBroken, 9),
}


def lasting_cells() -> Iterator[Any]:
    for place, where in PLACES.items():
        # A PUT whose answer is garbled did happen: it is looked at and found done.
        left_out = {"malformed lasts"} if place == "opt_outs_put" else set()
        if place not in {"lists", "engagement", "opt_outs_put"}:
            left_out |= {"403 object", "403 html", "403 empty"}
        # A stream whose links are broken is set aside; see below.
        is_listing = place in PAGED and where.streams == 1
        for fault in LASTING | PAGES_LAST if is_listing else LASTING:
            if fault not in left_out:
                yield pytest.param(place, fault, id=f"{place}-{fault}")


@pytest.mark.parametrize(("place_name", "fault_name"), lasting_cells())
def test_a_fault_that_lasts_ends_the_job_with_its_name_and_the_next_run_goes_on(
    stage_of: Open, wasted: Wasted, place_name: str, fault_name: str
) -> None:
    place, lasting = PLACES[place_name], (LASTING | PAGES_LAST)[fault_name]
    stage = stage_of(place.job)
    meet(stage, place, replace(lasting.fault, times=ALWAYS))
    is_write = place_name == "opt_outs_put"
    with pytest.raises((is_write and lasting.by_write) or lasting.error):
        stage.run()
    assert_hit(stage)
    stage.assert_nobody_was_wronged()
    stage.control.clear_faults()
    stage.a_new_day()
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(fault_name, place_name, cost)
    # A stream that stopped between two events alike is read once more.
    assert cost <= lasting.calls * place.streams + (place.streams if place.streams > 1 else 0)


@pytest.mark.parametrize(
    ("code", "shape", "error"),
    [
        *((400, shape, BadRequest) for shape in SHAPES),
        (404, "object", NotFound),
        (409, "array", Conflict),
    ],
)
@pytest.mark.parametrize("place_name", STARTS)
def test_a_refused_listing_ends_the_job_after_one_call(
    stage_of: Open, wasted: Wasted, place_name: str, code: int, shape: str,
    error: type[ConstantContactError],
) -> None:  # fmt: skip
    place = STARTS[place_name]
    stage = stage_of(place.job)
    stage.control.add_fault(
        "status", match=place.match, times=ALWAYS, params={"status": code, "body": SHAPES[shape]}
    )
    with pytest.raises(error):
        stage.run()
    assert stage.control.faults()[0]["fired"] == 1
    stage.control.clear_faults()
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(f"{code} refuses", place_name, cost)
    assert cost <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", [400, 404, 409])
def test_a_refused_stream_stops_no_other_and_is_read_on_request(
    stage_of: Open, code: int, shape: str
) -> None:
    stage = stage_of("engagement")
    stage.control.add_fault(
        "status", match={"path": "1/tracking/sends"}, times=ALWAYS,
        params={"status": code, "body": SHAPES[shape]},
    )  # fmt: skip
    stage.run()
    stage.run()
    assert stage.control.faults()[0]["fired"] == 1
    stage.control.clear_faults()
    stage.run(lambda client, crm: sync_engagement(client, crm, reread=True))
    # That reads the empty streams too.
    assert_as_undisturbed(stage, ("read_count", "covered_to", "mirrored_at"))


@pytest.mark.parametrize("kind", ["foreign_next", "dead_cursor"])
def test_a_stream_with_broken_links_stops_no_other_and_is_read_on_request(
    stage_of: Open, kind: str
) -> None:
    stage = stage_of("engagement")
    stage.control.add_fault(kind, match={"path": "1/tracking/sends"}, times=ALWAYS)
    with suppress(ContractBroken):
        stage.run()
    assert_hit(stage)
    stage.control.clear_faults()
    stage.run(lambda client, crm: sync_engagement(client, crm, reread=True))
    assert_as_undisturbed(stage, ("read_count", "covered_to", "mirrored_at"))


@pytest.mark.parametrize(
    ("code", "shape"), [(400, "array"), (400, "empty"), (404, "object"), (409, "html")]
)
@pytest.mark.parametrize("place_name", ["campaign", "counts"])
def test_one_campaign_refused_for_a_moment_is_asked_again(
    stage_of: Open, wasted: Wasted, place_name: str, code: int, shape: str
) -> None:
    place = PLACES[place_name]
    stage = stage_of(place.job)
    stage.control.add_fault(
        "status", match=place.match, after=place.after, params=_shaped(code, shape).params
    )
    try:
        stage.run()
    except (BadRequest, Conflict):
        assert place_name == "campaign"
    assert_hit(stage)
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(f"{code} refuses", place_name, cost)
    assert cost <= 3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", [400, 409])
def test_a_refused_change_is_marked_with_the_reason_and_goes_out_when_asked_again(
    stage_of: Open, wasted: Wasted, code: int, shape: str
) -> None:
    stage = stage_of("opt_outs")
    stage.control.add_fault(
        "status", match={"method": "PUT", "path": contact_id(7)}, times=ALWAYS,
        params={"status": code, "body": SHAPES[shape]},
    )  # fmt: skip
    try:
        stage.run()
    except (Conflict, WriteUncertain):
        # Someone edits the contact: it may wait for the next run instead.
        assert code == 409
    open_changes = "SELECT * FROM crm_opt_out_change WHERE status IN ('failed', 'pending')"
    (change,) = stage.execute(open_changes)
    assert change["contact_id"] == "c07"
    if code == 400:
        assert change["status"] == "failed"
        assert "answered 400" in change["detail"]
    stage.control.clear_faults()
    stage.execute("UPDATE crm_opt_out_change SET status = 'pending' WHERE status = 'failed'")
    stage.run()
    assert_as_undisturbed(stage, ("attempts",))
    cost = stage.calls() - stage.undisturbed.calls
    wasted(f"{code} refuses", "opt_outs_put", cost)
    assert cost <= (2 if code == 400 else 8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_opt_out_of_someone_the_vendor_seemed_not_to_know_goes_out_with_the_next_links(
    stage_of: Open, shape: str, method: str
) -> None:
    stage = stage_of("opt_outs")
    stage.control.add_fault(
        "status", match={"method": method, "path": contact_id(7)},
        params={"status": 404, "body": SHAPES[shape]},
    )  # fmt: skip
    # A 404 that is no answer of the API itself may end the run.
    with suppress(ConstantContactError):
        stage.run()
    stage.run(lambda _client, crm: link_contacts(crm))
    stage.run()
    assert stage.control.truth_contact(contact_id(7))["permission"] == "unsubscribed"
    mirror = [row for row in stage.dump().splitlines() if row.startswith("ctct_contact")]
    expected = stage.undisturbed.twice().splitlines()
    assert mirror == [row for row in expected if row.startswith("ctct_contact")]
    stage.assert_nobody_was_wronged()


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


@pytest.mark.parametrize("value", ["permission_to_send", "opt_out_source"])
def test_a_permission_of_no_known_name_mails_nobody_again(stage_of: Open, value: str) -> None:
    stage = stage_of("opt_outs")
    before = {c["contact_id"]: c["permission"] for c in stage.control.truth_contacts()}
    stage.control.add_fault("unknown_fields", times=ALWAYS, params={"enums": [value]})
    stage.run()
    for contact in stage.control.truth_contacts():
        was, now = before[contact["contact_id"]], contact["permission"]
        assert now in {was, "unsubscribed"}
    for number in (5, 7, 8, 9, 1):
        assert stage.control.truth_contact(contact_id(number))["permission"] == "unsubscribed"
    stage.assert_nobody_was_wronged()
