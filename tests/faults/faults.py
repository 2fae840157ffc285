"""The faults, where in a job each hits, and what it may cost."""

from dataclasses import dataclass, field
from typing import Any

from constant_contact.errors import (
    AuthorizationRequired,
    BudgetSpent,
    ConnectionFault,
    ConstantContactError,
    ContractBroken,
    Forbidden,
    ServerFault,
    Throttled,
    WriteUncertain,
)
from tests.faults.stage import Stage

ALWAYS = 999


@dataclass(frozen=True)
class Place:
    """Where in a job a fault hits: the `after`-th matching call, counted from 0.

    Attributes:
        streams: How many readings or changes are carried side by side there: each meets a fault
            that lasts by itself.
        is_of_rows: Whether the vendor may fail at the rows of a call there, which are fewer than
            would end the job.
    """

    job: str
    match: dict[str, str]
    after: int = 0
    streams: int = 1
    is_of_rows: bool = False


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
    "campaign": Place("campaigns", {"path": "/emails/."}, 1, 5, is_of_rows=True),
    "counts": Place("campaigns", {"path": "/stats/.*,"}, 1, 3, is_of_rows=True),
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
# The vendor's own words, and what a firewall or proxy on the way answers.
SHAPES: dict[str, Any] = {"array": ARRAY, "object": ARRAY[0]}
GATEWAYS: dict[str, Any] = {"html": HTML, "empty": "", "other": {"message": "Forbidden"}}
BODIES = SHAPES | GATEWAYS


@dataclass(frozen=True)
class Fault:
    """A fault, and what it may cost in calls beyond the undisturbed runs.

    Attributes:
        wasted: Of a read.
        wasted_by_write: Of a PUT: each is looked at before it is repeated.
        heals: Whether the first run's end is already as without the fault.
        without: Columns that hold what the vendor said.
        timeout_s: Of the whole run, whose other calls answer in it on a busy machine too.
    """

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    wasted: int = 1
    wasted_by_write: int = 2
    heals: bool = True
    without: tuple[str, ...] = ()
    timeout_s: float = 30


def status(code: int, shape: str) -> Fault:
    return Fault("status", {"status": code, "body": BODIES[shape]}, 2, 2, 4)


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
    "time-out": Fault("timeout", {"seconds": 2.5}, 1, 1, 2, timeout_s=2),
    "time-out that acted": Fault("timeout", {"seconds": 2.5, "acts": True}, 1, 1, 1, timeout_s=2),
    "slow drip": Fault("slow_drip", {"chunk_bytes": 1, "delay_s": 0.1}, 1, 1, 1, timeout_s=2),
    "truncated": Fault("truncated_json", {}, 2, 2, 2),
    "truncated, cut off": Fault("truncated_json", {"mid_body": True}, 2, 2, 2),
    "malformed": Fault("malformed_json", {}, 2, 2, 2),
    "401": Fault("unauthorized", {}, 1, 2, 2),
}
# Waiting takes its time.
SLOW = {"time-out", "slow drip"}
PAGE_FAULTS = {
    # The listing starts again: the pages read before are read twice.
    "dead cursor": Fault("dead_cursor", {}, 1, 8),
    "repeated page": Fault("repeated_page", {}, 1, 8),
    "empty page": Fault("empty_page"),
    "shifted page, back": Fault("shifted_page", {"by": -1}),
    "shifted page, on": Fault("shifted_page", {"by": 1}, 1, 8, heals=False),
}
# What it was written without.
PLAINER = ("opt_out_reason", "detail")
GATEWAY_REFUSALS = {
    f"{code} {shape}": Fault("status", {"status": code, "body": BODIES[shape]}, without=PLAINER)
    for code, shape in ((403, "html"), (404, "other"), (200, "html"), (302, "empty"))
}
PASSING |= GATEWAY_REFUSALS
PASSING |= {
    "nulls": Fault("nulls", {"fields": NULLED}, ALWAYS, 0, 0, without=NULLED),
    "unknown fields": Fault("unknown_fields", {"enums": []}, ALWAYS, 0, 0),
    "unknown values": Fault("unknown_fields", {"enums": RENAMED}, 1, 0, 0, without=SHOWN),
}


@dataclass(frozen=True)
class Lasting:
    """A fault that stays until it is mended.

    Attributes:
        error: What the job fails with.
        calls: What it may cost at most, for each stream.
        by_write: What a job fails with whose PUT meets it.
    """

    fault: Fault
    error: type[ConstantContactError]
    calls: int
    by_write: type[ConstantContactError] | None = None


def shaped(code: int, shape: str) -> Fault:
    return Fault("status", {"status": code, "body": BODIES[shape]})


# Six tries for a read; a write is looked at, then tried again, four times.
LASTING = {
    "500 lasts": Lasting(shaped(500, "object"), ServerFault, 8, WriteUncertain),
    "reset lasts": Lasting(Fault("reset_before"), ConnectionFault, 8, WriteUncertain),
    "malformed lasts": Lasting(Fault("malformed_json"), ServerFault, 8),
    "429 lasts": Lasting(shaped(429, "object"), Throttled, 8),
    "429 of a gateway lasts": Lasting(shaped(429, "empty"), ServerFault, 8, WriteUncertain),
    "quota": Lasting(Fault("quota_exceeded"), BudgetSpent, 1),
    # None of these jobs fills that queue: to them it is a 429 without a key.
    "bulk queue": Lasting(Fault("bulk_queue_full"), Throttled, 8),
    "401 lasts": Lasting(Fault("unauthorized"), AuthorizationRequired, 3),
    **{f"403 {shape}": Lasting(shaped(403, shape), Forbidden, 1) for shape in SHAPES},
    **{
        f"403 {shape}": Lasting(shaped(403, shape), ServerFault, 8, WriteUncertain)
        for shape in GATEWAYS
    },
}
PAGES_LAST = {
    "foreign next": Lasting(Fault("foreign_next"), ContractBroken, 1),
    "dead cursors last": Lasting(Fault("dead_cursor"), ContractBroken, 9),
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
