"""What faults do to an answer: a kind that answers or alters is a row of a table here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator import errors
from simulator.call import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.faults import Fault

HTML_503 = (
    b"<html>\n<head><title>503 Service Temporarily Unavailable</title></head>\n<body>\n"
    b"<center><h1>503 Service Temporarily Unavailable</h1></center>\n</body>\n</html>\n"
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
NULLABLE = (
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "opt_out_reason",
    "opt_in_date",
    "device_type",
    "description",
    "type_code",
    "current_email_address",
    "campaign_activity_name",
    "last_sent_date",
    "last_refresh_time",
    "percents",
    "aggregate_percents",
)
#: Values of enumerations that the contract does not have.
NEW_VALUES = {
    "permission_to_send": "sunset",
    "device_type": "refrigerator",
    "bounce_code": "Q",
    "current_status": "Paused",
    "role": "encore",
    "opt_out_source": "Robot",
    "type": "HOLOGRAM",
    "state": "pondering",
    "tracking_activity_type": "em_holograms",
}


def _status(fault: Fault) -> Reply:
    status = int(fault.params.get("status", 500))
    body = fault.params.get("body", [{"error_key": "server.error", "error_message": "Oops"}])
    if isinstance(body, str):
        kind = str(fault.params.get("content_type", "text/html"))
        return Reply(status, raw=body.encode(), content_type=kind)
    return Reply(status, body)


def _refusal(error: errors.ApiError) -> Reply:
    return Reply(error.status, error.body)


#: Kinds that answer instead of acting (unless params.acts).
REPLACING: dict[str, Callable[[Fault], Reply]] = {
    "status": _status,
    "html_503": lambda _: Reply(503, raw=HTML_503, content_type="text/html"),
    "throttled": lambda _: _refusal(errors.throttled()),
    "quota_exceeded": lambda _: _refusal(errors.quota_exceeded()),
    "bulk_queue_full": lambda _: _refusal(errors.bulk_queue_full()),
    "unauthorized": lambda _: _refusal(errors.unauthorized()),
    "edit_conflict": lambda _: _refusal(
        errors.conflict("The contact is being edited by another request.")
    ),
    "dead_cursor": lambda _: _refusal(errors.bad_query("cursor is invalid: it has expired")),
}


def _truncate(_fault: Fault, _call: Call, reply: Reply) -> None:
    whole = reply.payload()
    reply.raw = whole[: len(whole) // 2]


def _malform(_fault: Fault, _call: Call, reply: Reply) -> None:
    reply.raw = b'{"oops": tru' + reply.payload()[:20]


def _fail_job(_fault: Fault, call: Call, reply: Reply) -> None:
    call.world.bulk.jobs[reply.body["activity_id"]].outcome = "failed"


def _nulls(fault: Fault, _call: Call, reply: Reply) -> None:
    _walk(reply.body, _make_null, set(fault.params.get("fields", NULLABLE)))


def _unknown_fields(fault: Fault, _call: Call, reply: Reply) -> None:
    _walk(reply.body, _make_unknown, set(fault.params.get("enums", NEW_VALUES)))


def _naive_times(_fault: Fault, _call: Call, reply: Reply) -> None:
    _walk(reply.body, _make_naive, set())


def _repeat_page(_fault: Fault, call: Call, reply: Reply) -> None:
    query = "&".join(f"{name}={value}" for name, value in call.query)
    _link_next(reply, call.path + (f"?{query}" if query else ""))


def _foreign_next(fault: Fault, call: Call, reply: Reply) -> None:
    host = str(fault.params.get("host", "https://elsewhere.example"))
    _link_next(reply, host + call.link_to(0))


def _empty_page(fault: Fault, call: Call, reply: Reply) -> None:
    for name, value in (reply.body if isinstance(reply.body, dict) else {}).items():
        if isinstance(value, list):
            reply.body[name] = []
    # The nonce makes it another cursor for the same rows, so that nothing is lost.
    _link_next(reply, call.link_to(call._offset, nonce=fault.fired))


#: Kinds that act, then change the answer or what comes of it.
ALTERING: dict[str, Callable[[Fault, Call, Reply], None]] = {
    "truncated_json": _truncate,
    "malformed_json": _malform,
    "repeated_page": _repeat_page,
    "empty_page": _empty_page,
    "nulls": _nulls,
    "unknown_fields": _unknown_fields,
    "foreign_next": _foreign_next,
    "failed_job": _fail_job,
    "naive_times": _naive_times,
}
#: Kinds that act, and answer otherwise where the answer is a refusal of params.instead_of.
REFUSING: dict[str, Callable[[Fault], Reply]] = {"other_refusal": _status}


def _link_next(reply: Reply, href: str) -> None:
    if isinstance(reply.body, dict):
        reply.body["_links"] = {"next": {"href": href}}


def _walk(node: Any, change: Any, names: set[str]) -> None:
    if isinstance(node, dict):
        for value in node.values():
            _walk(value, change, names)
        change(node, names)
    elif isinstance(node, list):
        for each in node:
            _walk(each, change, names)


def _make_null(node: dict[str, Any], names: set[str]) -> None:
    for name in names & node.keys():
        node[name] = None


def _make_naive(node: dict[str, Any], _names: set[str]) -> None:
    for name, value in node.items():
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            node[name] = value.removesuffix("Z")


def _make_unknown(node: dict[str, Any], names: set[str]) -> None:
    for name in names & node.keys() & NEW_VALUES.keys():
        node[name] = NEW_VALUES[name]
    if "href" not in node:
        node["x_new_field"] = {"nested": [1, "two", None]}
