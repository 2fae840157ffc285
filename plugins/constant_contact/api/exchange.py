"""One HTTP call: its connection, its slot of the budget, its answer, and what is kept of it."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from constant_contact.api import replies
from constant_contact.api.authorization import USER_AGENT
from constant_contact.api.replies import Reply
from constant_contact.api.settings import ApiSettings
from constant_contact.api.transport import BoundedAdapter, connect, read_whole, secured
from constant_contact.calls import Call, CallBudget, CallLog
from constant_contact.errors import ConnectionFault, GatewayReply, ServerFault
from constant_contact.redact import redact

_log = logging.getLogger("constant_contact.api")
_PATH_CHARS = 300
_HEADER_CHARS = 200
_CONNECT_TIMEOUT_S = 10
# The vendor's largest page, 500 contacts with all that is known of them, has a few megabytes.
MOST_BYTES = 32 << 20

Body = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


class Exchange:
    """Makes calls for one connection, from any number of threads."""

    def __init__(self, settings: ApiSettings, budget: CallBudget, call_log: CallLog) -> None:
        self._settings = settings
        self._budget = budget
        self._call_log = call_log
        self._local = threading.local()

    @property
    def last_call(self) -> Call | None:
        """The last call that this thread made."""
        call: Call | None = getattr(self._local, "last_call", None)
        return call

    @property
    def last_headers(self) -> Mapping[str, str]:
        """Of the last reply to this thread; empty without a reply."""
        headers: Mapping[str, str] = getattr(self._local, "last_headers", {})
        return headers

    def send(self, method: str, url: str, body: Body | None, token: str) -> Reply:
        """Make one call and read its answer.

        A body that is a function is asked for when the call has its slot.

        Raises:
            ConnectionFault: Nothing, or not everything, came back in time.
            GatewayReply: A 2xx that is no JSON and was not meant to be.
            ServerFault: A 2xx that is cut or garbled, or no answer to a read yet.
        """
        waited_s = 0.0
        called_at, started = datetime.now(UTC), monotonic()
        response: requests.Response | None = None
        received = b""
        reply: Reply | None = None
        fault: ConnectionFault | ServerFault | None = None
        timeout_s = self._settings.timeout_s
        timeouts = (min(_CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        try:
            # The slot is of the moment when the request goes out: a handshake takes its time.
            connect(self._session(), url, timeouts[0])
            waited_s = self._budget.take_slot()
            # The wait may have been long: what is sent is what is right now.
            payload = body() if callable(body) else body
            called_at, started = datetime.now(UTC), monotonic()
            response = self._session().request(
                method,
                url,
                json=payload,
                headers={"Authorization": f"Bearer {token}"},
                timeout=timeouts,
                stream=True,
            )
            self._budget.observe(response.elapsed.total_seconds())
            received = read_whole(response, MOST_BYTES)
            reply = _judged(method, response.status_code, received)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            fault = ConnectionFault(
                f"{method} {shown(url)} got no whole reply ({type(error).__name__} after "
                f"{monotonic() - started:.1f} s); if it stays so, check connection "
                f"{self._settings.conn_id}, field Host, and the network"
            )
        except GatewayReply as error:
            fault = GatewayReply(f"{method} {shown(url)}: {error}", error.status)
        except ServerFault as error:
            fault = ServerFault(f"{method} {shown(url)}: {error}. {replies.OF_THE_VENDOR}")
        finally:
            if response is not None:
                response.close()
        headers: Mapping[str, str] = {} if response is None else response.headers
        self._local.last_headers = headers
        self._keep(
            Call(
                called_at=called_at,
                method=method,
                path=shown(url),
                status=None if response is None else response.status_code,
                error_key=reply.refusal.error_key if reply and reply.refusal else None,
                error_message=_failure_of(reply, fault),
                items=replies.row_count(reply.payload) if reply else None,
                reply_bytes=len(received),
                duration_ms=round((monotonic() - started) * 1000),
                waited_ms=round(waited_s * 1000),
                request_id=_header(headers, "x-amzn-RequestId"),
                tracking_id=_header(headers, "x-eig-tracking-id"),
                reply_body=redact(received.decode("utf-8", "replace"))
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


def shown(url: str) -> str:
    """Path and query of a URL as logs and errors show it."""
    parts = urlsplit(url)
    return redact(f"{parts.path}{'?' if parts.query else ''}{parts.query}", _PATH_CHARS)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else redact(value, _HEADER_CHARS)


def _failure_of(reply: Reply | None, fault: Exception | None) -> str | None:
    if fault is not None:
        return str(fault)
    return reply.refusal.message if reply and reply.refusal else None


def _failure(call: Call) -> str:
    key = f" {call.error_key}" if call.error_key else ""
    request = f" (request {call.request_id})" if call.request_id else ""
    return f":{key} {call.error_message}{request}"


def _judged(method: str, status: int, body: bytes) -> Reply:
    """Read an answer; a write may be answered without a body, a read may not.

    Raises:
        GatewayReply: A 2xx that is no JSON and was not meant to be: a block page, a login page.
        ServerFault: A read was answered with nothing, or with "accepted, ask again" (202).
    """
    if status >= requests.codes.multiple_choices:
        return Reply(status, None, replies.error_of(body))
    if method == "GET" and status == requests.codes.accepted:
        raise ServerFault("the answer is not ready (202)")
    if not body and method != "GET":
        return Reply(status, {}, None)
    try:
        return Reply(status, replies.decode(body), None)
    except ServerFault as error:
        if replies.is_cut_json(body):
            raise
        raise GatewayReply(f"{error}. {replies.NOT_THE_VENDOR}", status) from None
