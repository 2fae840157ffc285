"""The client: one call, one page iterator, one retry policy.

Every call takes a slot of the budget, has a time limit, is kept in the call log, and ends as
parsed JSON or as one of `constant_contact.errors`.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import tenacity
import urllib3

from constant_contact.api import replies, vendor
from constant_contact.api.authorization import USER_AGENT, WHERE_TO_AUTHORIZE
from constant_contact.api.settings import ApiSettings
from constant_contact.api.transport import BoundedAdapter, read_whole, secured
from constant_contact.calls import AccessTokens, Call, CallBudget, CallLog
from constant_contact.errors import (
    AuthorizationRequired,
    ConnectionFault,
    ConstantContactError,
    ContractBroken,
    DeadCursor,
    Forbidden,
    ServerFault,
    Throttled,
    WriteUncertain,
)
from constant_contact.redact import redact

_log = logging.getLogger("constant_contact.api")
_PATH_CHARS = 300
_HEADER_CHARS = 200
_CONNECT_TIMEOUT_S = 10
# The vendor's largest page, 500 contacts with all that is known of them, has a few megabytes.
MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call that may work in a moment is repeated: capped by tries and by time."""

    max_tries: int = 6
    max_total_s: float = 180
    first_wait_s: float = 0.5
    max_wait_s: float = 30

    def retrying(self) -> tenacity.Retrying:
        """A loop of tries with exponential backoff and full jitter."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Throttled, ServerFault, ConnectionFault)),
            stop=tenacity.stop_after_attempt(self.max_tries)
            | tenacity.stop_after_delay(self.max_total_s),
            wait=tenacity.wait_random_exponential(
                multiplier=self.first_wait_s, max=self.max_wait_s
            ),
            reraise=True,
        )


Body = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


class Page(NamedTuple):
    """One page of a listing: what leads to it, what it says, and what it leads to.

    `next_href` is None on the last page.
    """

    href: str
    payload: dict[str, Any]
    next_href: str | None

    def rows(self, key: str) -> list[Any]:
        """The page's rows; an absent or null list is an empty one."""
        rows = self.payload.get(key)
        return rows if isinstance(rows, list) else []


class _Reply(NamedTuple):
    """An answer; `payload` is None and the error filled where the status is not 2xx."""

    status: int
    payload: Any
    error_key: str | None
    message: str


class Client:
    """Calls the V3 API for one connection, from any number of threads.

    Args:
        settings: Of the connection.
        tokens: Where the access token comes from.
        budget: Where each call's slot comes from.
        call_log: Takes every call.
        retry: When and how often a failed call is repeated.
    """

    def __init__(
        self,
        settings: ApiSettings,
        tokens: AccessTokens,
        budget: CallBudget,
        call_log: CallLog,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._budget = budget
        self._call_log = call_log
        self._retry = retry or RetryPolicy()
        self._local = threading.local()
        self._explaining = threading.Lock()
        self._explanation: str | None = None

    @property
    def conn_id(self) -> str:
        """The connection with the tokens."""
        return self._settings.conn_id

    @property
    def last_call(self) -> Call | None:
        """The last call that this thread made."""
        call: Call | None = getattr(self._local, "last_call", None)
        return call

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET `path` (after the API version) and return its JSON object.

        Raises:
            Rejected, Fatal, Later, Retriable: As the error tree says.
        """
        return self._read(f"{self._settings.api_url}{path}{_query(params)}", is_page_link=False)

    def put(self, path: str, body: Body) -> dict[str, Any]:
        """PUT `body`; see `_write` for what is raised."""
        return self._write("PUT", path, body)

    def post(self, path: str, body: Body) -> dict[str, Any]:
        """POST `body`; see `_write` for what is raised."""
        return self._write("POST", path, body)

    def pages(
        self, path: str, params: Mapping[str, Any] | None = None, *, cursor: str | None = None
    ) -> Iterator[Page]:
        """Yield the pages of a listing, following `_links.next`.

        Args:
            path: After the API version.
            params: Query of the first page; the links carry it on.
            cursor: A `next_href` to go on from instead of the first page.

        Raises:
            DeadCursor: The vendor refuses a link or repeats one: start the listing again.
            ContractBroken: A link leads to another host.
        """
        url = (
            self._page_url(cursor) if cursor else f"{self._settings.api_url}{path}{_query(params)}"
        )
        seen = {url}
        is_page_link = cursor is not None
        while True:
            payload = self._read(url, is_page_link=is_page_link)
            next_href = replies.next_href(payload)
            # Before anybody stores it as the place to go on from.
            next_url = self._page_url(next_href, url) if next_href else None
            base_url = self._settings.base_url
            leads_to = next_url and next_url.removeprefix(base_url)
            yield Page(url.removeprefix(base_url), payload, leads_to)
            if next_url is None:
                return
            url, is_page_link = next_url, True
            if url in seen:
                raise DeadCursor(
                    f"GET {_shown(url)}: the page links to a page that was read already", status=200
                )
            seen.add(url)

    def _page_url(self, href: str, page_url: str | None = None) -> str:
        """The URL of a page link: of the same host, or refused.

        Args:
            href: As the vendor gave it, or as a page's `next_href`.
            page_url: Of the page that has it; what is neither host nor path is relative to that.
        """
        # The vendor knows nothing of the path that a proxy in between puts before its own.
        proxied = urlsplit(self._settings.base_url).path
        if href.startswith("/") and not href.startswith(f"{proxied}/"):
            href = proxied + href
        url = urljoin(page_url or f"{self._settings.base_url}/", href)
        if urlsplit(url)[:2] != urlsplit(self._settings.base_url)[:2]:
            raise ContractBroken(
                f"a page link leads to another host ({urlsplit(url).hostname}); it was not "
                "followed, since the access token would go there"
            )
        return url

    def _read(self, url: str, *, is_page_link: bool) -> dict[str, Any]:
        for attempt in self._retry.retrying():
            with attempt:
                return self._answered("GET", url, None, is_page_link=is_page_link)
        raise AssertionError("unreachable")

    def _write(self, method: str, path: str, body: Body) -> dict[str, Any]:
        """Send a write; it is repeated only where the vendor said that it did not happen.

        Args:
            method: PUT or POST.
            path: Below the API's version.
            body: What to send; or a function that says so when the call has its slot, and raises
                `Withdrawn` if it is not to be sent any more.

        Raises:
            Withdrawn: As `body` says; nothing was sent.
            WriteUncertain: No usable answer: ask whether it happened, then repeat.
            Rejected, Fatal, Later, Throttled: As the error tree says.
        """
        url = f"{self._settings.api_url}{path}"
        for attempt in self._retry.retrying():
            with attempt:
                try:
                    return self._answered(method, url, body, is_page_link=False)
                except (ServerFault, ConnectionFault) as error:
                    raise WriteUncertain(str(error)) from None
        raise AssertionError("unreachable")

    def _answered(
        self, method: str, url: str, body: Body | None, *, is_page_link: bool
    ) -> dict[str, Any]:
        token = self._tokens.access_token()
        reply = self._sent(method, url, body, token)
        if reply.status == requests.codes.unauthorized:
            # Once: a token that is fresh and refused will not get better.
            token = self._tokens.access_token(rejected=token)
            reply = self._sent(method, url, body, token)
        if reply.status < requests.codes.multiple_choices:
            return replies.object_of(method, _shown(url), reply.payload)
        call = f"{method} {_shown(url)}"
        if replies.is_quota(reply.status, reply.error_key):
            raise self._budget.day_spent(
                f"Constant Contact says the day's calls are spent: {reply.message}"
            )
        if reply.status == requests.codes.unauthorized:
            raise AuthorizationRequired(
                f"{call} answered 401 to a fresh access token: authorize connection "
                f"{self._settings.conn_id} again, {WHERE_TO_AUTHORIZE}"
            )
        error = replies.error_for(
            call, reply.status, reply.error_key, reply.message, is_page_link=is_page_link
        )
        if isinstance(error, Throttled):
            self._budget.slow_down()
        if isinstance(error, Forbidden):
            raise self._explained(error, token)
        raise error

    def _explained(self, error: Forbidden, token: str) -> Forbidden:
        """Add what is missing: getUserPrivileges needs no scope, only an active application."""
        with self._explaining:
            if self._explanation is None:
                url = f"{self._settings.api_url}{vendor.PRIVILEGES_PATH}"
                try:
                    reply = self._sent("GET", url, None, token)
                    self._explanation = replies.why_forbidden(reply.status, reply.payload)
                except ConstantContactError as failure:
                    _log.warning("why it is forbidden could not be asked: %s", failure)
                    self._explanation = replies.why_forbidden(None, None)
        return Forbidden(f"{error}. {self._explanation} (docs/tokens.md)")

    def _sent(self, method: str, url: str, payload: Body | None, token: str) -> _Reply:
        """Make one HTTP call in its slot of the budget, read the answer and log both.

        Raises:
            ConnectionFault: Nothing, or not everything, came back in time.
            ServerFault: A 2xx that is not JSON.
        """
        waited_s = self._budget.take()
        if callable(payload):
            # The wait may have been long: what is sent is what is right now.
            payload = payload()
        called_at, started = datetime.now(UTC), monotonic()
        response: requests.Response | None = None
        body = b""
        reply: _Reply | None = None
        fault: ConnectionFault | ServerFault | None = None
        timeout_s = self._settings.timeout_s
        try:
            response = self._session().request(
                method,
                url,
                json=payload,
                headers={"Authorization": f"Bearer {token}"},
                timeout=(min(_CONNECT_TIMEOUT_S, timeout_s), timeout_s),
                stream=True,
            )
            self._budget.observe(response.elapsed.total_seconds())
            body = read_whole(response, MOST_BYTES)
            reply = _judged(method, response.status_code, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            fault = ConnectionFault(
                f"{method} {_shown(url)} got no whole reply ({type(error).__name__} after "
                f"{monotonic() - started:.1f} s); if it stays so, check connection "
                f"{self._settings.conn_id}, field Host, and the network"
            )
        except ServerFault as error:
            fault = ServerFault(f"{method} {_shown(url)}: {error}")
        finally:
            if response is not None:
                response.close()
        headers: Mapping[str, str] = {} if response is None else response.headers
        self._keep(
            Call(
                called_at=called_at,
                method=method,
                path=_shown(url),
                status=None if response is None else response.status_code,
                error_key=reply.error_key if reply else None,
                error_message=str(fault) if fault else (reply and reply.message) or None,
                items=replies.row_count(reply.payload) if reply else None,
                reply_bytes=len(body),
                duration_ms=round((monotonic() - started) * 1000),
                waited_ms=round(waited_s * 1000),
                request_id=_header(headers, "x-amzn-RequestId"),
                tracking_id=_header(headers, "x-eig-tracking-id"),
                reply_body=redact(body.decode("utf-8", "replace"))
                if reply is None or reply.payload is None
                else None,
            )
        )
        if reply is None:
            raise fault or AssertionError("no reply and no fault")
        return reply

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            adapter = BoundedAdapter(self._settings.timeout_s, MOST_BYTES)
            session = self._local.session = secured(
                requests.Session(), adapter, is_loopback=self._settings.is_loopback
            )
            session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        return session

    def _keep(self, call: Call) -> None:
        self._call_log.add(call)
        self._local.last_call = call
        failed = call.error_message is not None
        _log.log(
            logging.WARNING if failed else logging.INFO,
            "%s %s → %s, %s rows, %d bytes in %d ms after waiting %d ms%s",
            call.method,
            call.path,
            call.status or "no reply",
            "no" if call.items is None else call.items,
            call.reply_bytes,
            call.duration_ms,
            call.waited_ms,
            _failure(call) if failed else "",
        )


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else redact(value, _HEADER_CHARS)


def _failure(call: Call) -> str:
    key = f" {call.error_key}" if call.error_key else ""
    request = f" (request {call.request_id})" if call.request_id else ""
    return f":{key} {call.error_message}{request}"


def _query(params: Mapping[str, Any] | None) -> str:
    given = {key: value for key, value in (params or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _shown(url: str) -> str:
    """Path and query of a URL as logs and errors show it."""
    parts = urlsplit(url)
    return redact(f"{parts.path}{'?' if parts.query else ''}{parts.query}", _PATH_CHARS)


def _judged(method: str, status: int, body: bytes) -> _Reply:
    """Read an answer; a write may be answered without a body, a read may not.

    Raises:
        ServerFault: A read was answered with nothing, or with "accepted, ask again" (202).
    """
    if status < requests.codes.multiple_choices:
        if method == "GET" and status == requests.codes.accepted:
            raise ServerFault("the answer is not ready (202)")
        is_empty = not body and method != "GET"
        return _Reply(status, {} if is_empty else replies.decode(body), None, "")
    return _Reply(status, None, *replies.error_of(body))
