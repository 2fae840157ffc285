"""What faults do to an answer."""

from __future__ import annotations

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
}


def replacement(fault: Fault) -> Reply:
    """The answer of a fault that answers instead of acting."""
    if fault.kind == "status":
        status = int(fault.params.get("status", 500))
        body = fault.params.get("body", [{"error_key": "server.error", "error_message": "Oops"}])
        if isinstance(body, str):
            kind = str(fault.params.get("content_type", "text/html"))
            return Reply(status, raw=body.encode(), content_type=kind)
        return Reply(status, body)
    if fault.kind == "html_503":
        return Reply(503, raw=HTML_503, content_type="text/html")
    makers: dict[str, Callable[[], errors.ApiError]] = {
        "throttled": errors.throttled,
        "quota_exceeded": errors.quota_exceeded,
        "bulk_queue_full": errors.bulk_queue_full,
        "unauthorized": errors.unauthorized,
        "edit_conflict": lambda: errors.conflict("The contact is being edited by another request."),
        "dead_cursor": lambda: errors.bad_query("cursor is invalid: it has expired"),
    }
    error = makers[fault.kind]()
    return Reply(error.status, error.body)


def alter(fault: Fault, call: Call, reply: Reply) -> None:
    """Change the answer of a call that was carried out."""
    if fault.kind in ("truncated_json", "malformed_json"):
        whole = reply.payload()
        cut = whole[: len(whole) // 2]
        reply.raw = cut if fault.kind == "truncated_json" else b'{"oops": tru' + whole[:20]
        return
    body = reply.body
    if fault.kind == "failed_job":
        call.world.bulk.jobs[body["activity_id"]].outcome = "failed"
    elif fault.kind == "nulls":
        _walk(body, _make_null, set(fault.params.get("fields", NULLABLE)))
    elif fault.kind == "unknown_fields":
        _walk(body, _make_unknown, set(fault.params.get("enums", NEW_VALUES)))
    elif not isinstance(body, dict):
        return
    elif fault.kind == "repeated_page":
        query = "&".join(f"{name}={value}" for name, value in call.query)
        body["_links"] = {"next": {"href": call.path + (f"?{query}" if query else "")}}
    elif fault.kind == "foreign_next":
        host = str(fault.params.get("host", "https://elsewhere.example"))
        body["_links"] = {"next": {"href": host + call.link_to(0)}}
    elif fault.kind == "empty_page":
        for name, value in body.items():
            if isinstance(value, list):
                body[name] = []
        # The nonce makes it another cursor for the same rows, so that nothing is lost.
        body["_links"] = {"next": {"href": call.link_to(call._offset, nonce=fault.fired)}}


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


def _make_unknown(node: dict[str, Any], names: set[str]) -> None:
    for name in names & node.keys() & NEW_VALUES.keys():
        node[name] = NEW_VALUES[name]
    if "href" not in node:
        node["x_new_field"] = {"nested": [1, "two", None]}
