"""The vendor's error replies.

Most bodies are an array of ``{error_key, error_message}``. Authentication, throttling and reports
answer a single object, and a full bulk queue an array with a message only.
"""

from typing import Any


class ApiError(Exception):
    """Raised anywhere below a route; becomes the reply."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def refused(status: int, key: str, message: str, *, single: bool = False) -> ApiError:
    """Any error, as an array or (`single`) an object."""
    error = {"error_key": key, "error_message": message}
    return ApiError(status, error if single else [error])


def invalid(message: str) -> ApiError:
    """400 for a body."""
    return refused(400, "contacts.api.validation.error", message)


def refuse_unknown(names: set[str], within: str = "") -> None:
    """Refuse a body if it has properties that the contract does not have."""
    if names:
        raise invalid(f"unknown property: {within}{', '.join(sorted(names))}")


def bad_query(message: str, *, single: bool = False) -> ApiError:
    """400 for a query."""
    return refused(400, "query.param.invalid", message, single=single)


def not_found(what: str, *, single: bool = False) -> ApiError:
    """404."""
    return refused(404, "not_found", f"The requested resource was not found: {what}", single=single)


def conflict(message: str) -> ApiError:
    """409."""
    return refused(409, "contacts.api.conflict", message)


def unauthorized() -> ApiError:
    """401."""
    return refused(401, "unauthorized", "Unauthorized", single=True)


def forbidden(message: str) -> ApiError:
    """403."""
    return refused(403, "forbidden", message)


def throttled() -> ApiError:
    """429 of the second."""
    return refused(
        429, "throttled", "Too many requests: the limit per second is exceeded.", single=True
    )


def quota_exceeded() -> ApiError:
    """429 of the day."""
    return refused(
        429, "quota_exceeded", "Too many requests: the quota of the day is spent.", single=True
    )


def bulk_queue_full() -> ApiError:
    """429 of the bulk queue: a message without a key."""
    return ApiError(
        429,
        [
            {
                "error_message": "Too many requests. You exceeded 1,000 queued activities "
                "for this user account."
            }
        ],
    )
