"""What a reply means: the vendor's status and body, turned into a page or an error."""

import codecs
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from constant_contact.errors import (
    BadRequest,
    BulkQueueFull,
    Conflict,
    ConstantContactError,
    DeadCursor,
    Forbidden,
    GatewayReply,
    NotFound,
    ServerFault,
    Throttled,
)
from constant_contact.redact import redact

_MESSAGE_CHARS = 500
_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,200}?)\s*</title", re.IGNORECASE)
NOT_THE_VENDOR = (
    "These are not Constant Contact's words: a firewall or proxy on the way answered in its place; "
    "if it stays so, ask who runs it"
)
OF_THE_VENDOR = "The next try goes on from here; if it stays so, see Constant Contact's status page"
# What every error of the contract has at least one of: StatsError and its like.
_WORDS = ("error_key", "error_message")
# What a link that has expired, or is longer than a gateway takes, may be answered with.
OF_DEAD_LINKS: Final = frozenset({400, 404, 410, 414, 422, 431})
# The vendor says no time for its queue of bulk jobs; a quarter of an hour is ours.
_QUEUE_DRAINS = timedelta(minutes=15)


class Refusal(NamedTuple):
    """What an error body says.

    Attributes:
        error_key: The vendor's key, or OAuth's; None if there is none.
        message: For people, redacted.
        is_vendors: Whether it has a shape of the vendor's contract. Any other body, JSON too, is of
            a firewall or proxy in between, whatever the status.
        is_message: Whether it is JSON with a message and nothing else that tells whose it is. The
            vendor says so where its own limits are met.
    """

    error_key: str | None
    message: str
    is_vendors: bool
    is_message: bool = False


class Reply(NamedTuple):
    """An answer: what a 2xx brings, or what another status says."""

    status: int
    payload: Any
    refusal: Refusal | None


def decode(body: bytes) -> Any:
    """Parse a JSON reply.

    Raises:
        ServerFault: The body is empty, cut off or not JSON (a gateway's HTML).
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # The standard parser takes a lone surrogate, which neither orjson nor PostgreSQL does.
        lenient = json.loads(body.decode("utf-8", "replace"))
        return json.loads(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except ValueError:
        raise ServerFault(f"the reply is {_kind_of(body)}") from None


def is_cut_json(body: bytes) -> bool:
    """Whether a body that is no JSON was meant to be: the vendor's answer, cut or garbled."""
    return not body or body.lstrip()[:1] in {b"{", b"["}


def _kind_of(body: bytes) -> str:
    if not body:
        return "empty"
    kind = "HTML" if body.lstrip()[:1] == b"<" else "not whole JSON"
    return f"{kind} ({len(body)} bytes)"


def error_of(body: bytes) -> Refusal:
    """What an error body says, in any of the vendor's shapes or in another.

    Most endpoints send an array of `{error_key, error_message}`; authorization, throttling and the
    reports send one such object; a full queue of bulk jobs has a message only. The token endpoint
    sends OAuth's `error` and `error_description`; gateways send HTML, nothing, or JSON of theirs.
    """
    try:
        parsed = decode(body)
    except ServerFault:
        shown = body.decode("utf-8", "replace")
        if shown.lstrip()[:1] == "<":
            title = _TITLE.search(shown)
            shown = f"{_kind_of(body)}{f', {title[1]!r}' if title else ''}"
        return Refusal(None, redact(shown, _MESSAGE_CHARS) or "no message", is_vendors=False)
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(first, dict):
        return Refusal(None, redact(str(first), _MESSAGE_CHARS), is_vendors=False)
    key = first.get("error_key") or first.get("error")
    message = (
        first.get("error_message")
        or first.get("error_description")
        or first.get("message")
        or "no message"
    )
    return Refusal(
        redact(str(key), _MESSAGE_CHARS) if key else None,
        redact(str(message), _MESSAGE_CHARS),
        is_vendors=any(isinstance(first.get(name), str) for name in _WORDS),
        is_message=isinstance(first.get("message"), str),
    )


def is_quota(status: int, refusal: Refusal) -> bool:
    """Whether the vendor says that the day's calls are spent (429 `quota_exceeded`)."""
    return status == 429 and refusal.error_key == "quota_exceeded"  # noqa: PLR2004


def error_for(
    call: str, status: int, refusal: Refusal, *, is_page_link: bool
) -> ConstantContactError:
    """The error for a reply that is neither 2xx nor the vendor's 401 nor its `quota_exceeded`.

    Args:
        call: Method and path, for the message.
        status: The HTTP status.
        refusal: What the body says.
        is_page_link: Whether the call followed a `_links.next`.
    """
    error_key, message, is_vendors, is_message = refusal
    said = f"{call} answered {status}{f' {error_key}' if error_key else ''}: {message}"
    if not (is_vendors or (is_message and status == 429)):  # noqa: PLR2004
        return GatewayReply(f"{said}. {NOT_THE_VENDOR}", status)
    match status:
        case 429 if error_key != "throttled" and call.startswith("POST") and "/activities" in call:
            return BulkQueueFull(said, datetime.now(UTC) + _QUEUE_DRAINS)
        case 429:
            return Throttled(said)
        case 403:
            return Forbidden(said)
        case _ if is_page_link and status in OF_DEAD_LINKS:
            return DeadCursor(said, status=status, error_key=error_key)
        case 404:
            return NotFound(said, status=status, error_key=error_key, said=message)
        case 409:
            return Conflict(said, status=status, error_key=error_key, said=message)
        case _ if 400 <= status < 500 and status != 408:  # noqa: PLR2004
            return BadRequest(said, status=status, error_key=error_key, said=message)
        case _:
            return ServerFault(f"{said}. {OF_THE_VENDOR}")


def why_forbidden(reply: Reply | None) -> str:
    """Why a call was answered 403, by the answer to getUserPrivileges, if there was one."""
    if reply is None or (reply.refusal and not (reply.status == 403 and reply.refusal.is_vendors)):  # noqa: PLR2004
        return (
            "A scope is missing, a privilege of the user who authorized, or the application is "
            "deactivated; Constant Contact did not say which"
        )
    if reply.refusal:
        return (
            "The application is deactivated: activate it at "
            "https://v3.developer.constantcontact.com, or replace it by another"
        )
    has = ", ".join(privilege_names(reply.payload)) or "none"
    return (
        "The application is active. So the grant lacks a scope, or the user who authorized "
        f"lacks a privilege; that user has: {redact(has, _MESSAGE_CHARS)}"
    )


def privilege_names(payload: Any) -> list[str]:
    """The names in an answer to getUserPrivileges, an array of `{privilege_id, privilege_name}`."""
    rows = payload if isinstance(payload, list) else []
    names = [each.get("privilege_name") for each in rows if isinstance(each, dict)]
    return sorted(str(name) for name in names if name)


def object_of(method: str, path: str, payload: Any) -> dict[str, Any]:
    """The reply's object; a write needs none. `path` is as logs may show it.

    Raises:
        ServerFault: A read was answered with something else, which would pass for an empty page.
    """
    if isinstance(payload, dict):
        return payload
    if method == "GET":
        raise ServerFault(f"GET {path}: the reply is no JSON object. {OF_THE_VENDOR}")
    return {}


def row_list(payload: Any) -> list[Any] | None:
    """The longest list in the reply, which is what a listing's page holds."""
    values = payload.values() if isinstance(payload, dict) else (payload,)
    return max((value for value in values if isinstance(value, list)), key=len, default=None)


def row_count(payload: Any) -> int | None:
    """How many rows the reply has; None: it has no list."""
    rows = row_list(payload)
    return None if rows is None else len(rows)
