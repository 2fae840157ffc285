"""What is let in before a route is found: the forms of users, and no address into a log.

FastAPI reads a form before it asks who sends it, and puts a file of any size on the disk. So who
asks, and how much, is looked at here, before the first byte is read.
"""

from typing import Final

from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from fastapi import HTTPException, Request, status
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from constant_contact.redact import is_telling
from constant_contact.web.connection.redirect import CALLBACK_PATH
from constant_contact.web.frame.forms import SAFE_METHODS
from constant_contact.web.frame.problems import problem_of

# Starlette takes no longer field, such as the ids that are pasted into the wizard.
MOST_BYTES: Final = 1 << 20
_FORM: Final = "application/x-www-form-urlencoded"


class FormsOfUsers:
    """Refuses whatever would change something and is no short form of a user of Airflow's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through with its body read."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await get_user(request, None, await bearer_scheme(request))
            body = await _form(request)
        except HTTPException as error:
            await problem_of(request, error)(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)


async def _form(request: Request) -> bytes:
    """The body of a form, as it is sent.

    Raises:
        HTTPException: 413 or 415; it is too long, or no form of ours.
    """
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind != _FORM:
        raise HTTPException(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "Only forms of these pages are taken."
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(
                status.HTTP_413_CONTENT_TOO_LARGE,
                f"A form has at most {MOST_BYTES >> 20} MB: choose fewer contacts at once.",
            )
    return bytes(body)


def _once(body: bytes, receive: Receive) -> Receive:
    """Receives a body that is read already, then what the server still tells."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


class ForgetsQueries:
    """Keeps a query with an address, or with an authorization's code, out of the log of requests.

    Airflow writes that log when the answer is complete, from what it then finds in the scope. A
    code alone is worth nothing, without the verifier, the secret and an exchange before ours. A
    proxy in front of Airflow may log either: no page of ours asks for an address by its URL.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and forget its query if it tells too much."""
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and (
                scope["path"].endswith(CALLBACK_PATH)
                or is_telling(scope["query_string"].decode("latin-1").replace("+", " "))
            ):
                scope["query_string"] = b""
