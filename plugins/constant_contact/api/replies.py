"""What a reply means: the vendor's status and body, turned into a page or an error."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from constant_contact.errors import (
    BadRequest,
    BulkQueueFull,
    Conflict,
    ConstantContactError,
    DeadCursor,
    Forbidden,
    NotFound,
    ServerFault,
    Throttled,
)
from constant_contact.redact import redact

_MESSAGE_CHARS = 500
# The vendor says no time for its queue of bulk jobs; a quarter of an hour is ours.
_QUEUE_DRAINS = timedelta(minutes=15)


def decode(body: bytes) -> Any:
    """Parse a JSON reply.

    Raises:
        ServerFault: The body is empty, cut off or not JSON (a gateway's HTML).
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # The standard parser takes a lone surrogate, which neither orjson nor PostgreSQL does.
        lenient = json.loads(body.decode("utf-8", "replace"))
        return json.loads(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except ValueError:
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not whole JSON"
        message = f"the reply is {kind} ({len(body)} bytes)" if body else "the reply is empty"
        raise ServerFault(message) from None


def error_of(body: bytes) -> tuple[str | None, str]:
    """Return (error key, message) of an error body in any of the vendor's shapes, redacted.

    Most endpoints send an array of `{error_key, error_message}`; authorization, throttling and the
    reports send one such object; the token endpoint sends OAuth's `error` and
    `error_description`; gateways send HTML.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, redact(body.decode("utf-8", "replace"), _MESSAGE_CHARS) or "no message"
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(first, dict):
        return None, redact(str(first), _MESSAGE_CHARS)
    key = first.get("error_key") or first.get("error")
    message = (
        first.get("error_message")
        or first.get("error_description")
        or first.get("message")
        or "no message"
    )
    return (
        redact(str(key), _MESSAGE_CHARS) if key else None,
        redact(str(message), _MESSAGE_CHARS),
    )


def is_quota(status: int, error_key: str | None) -> bool:
    """Whether the vendor says that the day's calls are spent (429 `quota_exceeded`)."""
    return status == 429 and error_key == "quota_exceeded"  # noqa: PLR2004


def error_for(
    call: str, status: int, error_key: str | None, message: str, *, is_page_link: bool
) -> ConstantContactError:
    """The error for a reply that is neither 2xx nor 401 nor `quota_exceeded`.

    Args:
        call: Method and path, for the message.
        status: The HTTP status.
        error_key: The vendor's key, None where the body had none.
        message: The vendor's message, redacted.
        is_page_link: Whether the call followed a `_links.next`.
    """
    said = f"{call} answered {status}{f' {error_key}' if error_key else ''}: {message}"
    match status:
        case 429 if error_key != "throttled" and call.startswith("POST") and "/activities" in call:
            return BulkQueueFull(said, datetime.now(UTC) + _QUEUE_DRAINS)
        case 429:
            return Throttled(said)
        case 403:
            return Forbidden(said)
        case 400 | 404 | 410 if is_page_link:
            return DeadCursor(said, status=status, error_key=error_key)
        case 404:
            return NotFound(said, status=status, error_key=error_key, said=message)
        case 409:
            return Conflict(said, status=status, error_key=error_key, said=message)
        case _ if status >= 500 or status == 408:  # noqa: PLR2004
            return ServerFault(said)
        case _ if 400 <= status < 500:  # noqa: PLR2004
            return BadRequest(said, status=status, error_key=error_key, said=message)
        case _:
            return ServerFault(said)


def why_forbidden(status: int | None, privileges: Any) -> str:
    """Why a call was answered 403, by the answer to getUserPrivileges.

    Args:
        status: Of that answer; None if there was none.
        privileges: Its payload, an array of `{privilege_id, privilege_name}`.
    """
    match status:
        case 403:
            return (
                "The application is deactivated: activate it at "
                "https://v3.developer.constantcontact.com, or replace it by another"
            )
        case 200:
            rows = privileges if isinstance(privileges, list) else []
            names = [each.get("privilege_name") for each in rows if isinstance(each, dict)]
            has = ", ".join(sorted(str(name) for name in names if name)) or "none"
            return (
                "The application is active. So the grant lacks a scope, or the user who authorized "
                f"lacks a privilege; that user has: {redact(has, _MESSAGE_CHARS)}"
            )
        case _:
            return (
                "A scope is missing, a privilege of the user who authorized, or the application is "
                "deactivated; Constant Contact did not say which"
            )


def object_of(method: str, path: str, payload: Any) -> dict[str, Any]:
    """The reply's object; a write needs none. `path` is as logs may show it.

    Raises:
        ServerFault: A read was answered with something else, which would pass for an empty page.
    """
    if isinstance(payload, dict):
        return payload
    if method == "GET":
        raise ServerFault(f"GET {path}: the reply is no JSON object")
    return {}


def next_href(payload: Mapping[str, Any]) -> str | None:
    """`_links.next.href`; absent, null and empty all mean the last page."""
    links = payload.get("_links")
    link = links.get("next") if isinstance(links, dict) else None
    href = link.get("href") if isinstance(link, dict) else None
    return href if isinstance(href, str) and href else None


def row_count(payload: Any) -> int | None:
    """Rows of the first list in the reply, which is what a listing's page holds."""
    values = payload.values() if isinstance(payload, dict) else (payload,)
    return next((len(value) for value in values if isinstance(value, list)), None)
