"""The client: one call, one page iterator, one retry policy.

Every call takes a slot of the budget, has a time limit, is kept in the call log, and ends as
parsed JSON or as one of `constant_contact.errors`.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import requests
import tenacity

from constant_contact.api import replies, vendor
from constant_contact.api.authorization import WHERE_TO_AUTHORIZE
from constant_contact.api.exchange import Body, Exchange, shown
from constant_contact.api.page_links import PageLinks
from constant_contact.api.replies import Reply
from constant_contact.api.settings import ApiSettings
from constant_contact.calls import AccessTokens, Call, CallBudget, CallLog
from constant_contact.errors import (
    AuthorizationRequired,
    ConnectionFault,
    ConstantContactError,
    DeadCursor,
    Forbidden,
    GatewayReply,
    Later,
    ServerFault,
    Throttled,
    WriteBlocked,
    WriteUncertain,
)

_log = logging.getLogger("constant_contact.api")


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


class Client:
    """Calls the V3 API for one connection, from any number of threads."""

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
        self._exchange = Exchange(settings, budget, call_log)
        self._retry = retry or RetryPolicy()
        # What replaced the last token that was refused.
        self._replacement: str | None = None
        self._explaining = threading.Lock()
        self._explanation: str | None = None

    def repeating(self, retry: RetryPolicy) -> Self:
        """The same client, with another retry policy."""
        other = copy(self)
        other._retry = retry
        return other

    @property
    def conn_id(self) -> str:
        """The connection with the tokens."""
        return self._settings.conn_id

    def calls_left(self) -> int:
        """How many calls are left today."""
        return self._budget.left()

    @property
    def last_call(self) -> Call | None:
        """The last call that this thread made."""
        return self._exchange.last_call

    @property
    def last_headers(self) -> Mapping[str, str]:
        """What the last reply to this thread had for headers; empty without a reply."""
        return self._exchange.last_headers

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

    def delete(self, path: str) -> dict[str, Any]:
        """DELETE; see `_write` for what is raised."""
        return self._write("DELETE", path, None)

    def renew_token(self) -> None:
        """Redeem the refresh token now: one call of the token endpoint.

        Raises:
            AuthorizationRequired, SettingError, RefreshUncertain: The access token is used on.
        """
        self._tokens.renew()

    def privileges(self) -> list[str]:
        """The names of what the user who authorized may do: getUserPrivileges.

        Raises:
            Rejected, Fatal, Later, Retriable: As the error tree says.
        """
        url = f"{self._settings.api_url}{vendor.PRIVILEGES_PATH}"
        for attempt in self._retry.retrying():
            with attempt:
                return replies.privilege_names(self._payload("GET", url, None, is_page_link=False))
        raise AssertionError("unreachable")

    def pages(
        self, path: str, params: Mapping[str, Any] | None = None, *, cursor: str | None = None
    ) -> Iterator[Page]:
        """Yield the pages of a listing, following `_links.next`.

        Args:
            path: After the API version; the links must have it too.
            params: Query of the first page; the links carry it on.
            cursor: A `next_href` of the same listing to go on from instead of the first page.

        Raises:
            DeadCursor: The vendor refuses a link or repeats one: start the listing again.
            ContractBroken: A link leads to another host or listing, or the pages never end.
        """
        base_url = self._settings.base_url
        listing_url = f"{self._settings.api_url}{path}"
        links = PageLinks(base_url, listing_url)
        is_page_link = cursor is not None
        url: str | None = links.of_cursor(cursor) if cursor else f"{listing_url}{_query(params)}"
        while url is not None:
            payload = self._read(url, is_page_link=is_page_link)
            # Before anybody stores it as the place to go on from.
            next_url = links.next_url(url, payload)
            leads_to = next_url and next_url.removeprefix(base_url)
            yield Page(url.removeprefix(base_url), payload, leads_to)
            if next_url is not None:
                links.refuse_read(next_url)
            url, is_page_link = next_url, True

    def _read(self, url: str, *, is_page_link: bool) -> dict[str, Any]:
        try:
            for attempt in self._retry.retrying():
                with attempt:
                    return self._answered("GET", url, None, is_page_link=is_page_link)
        except GatewayReply as error:
            if is_page_link and error.status in replies.OF_DEAD_LINKS:
                # A link that was refused is refused again; without it, the listing may go on.
                raise DeadCursor(str(error), status=error.status) from None
            raise
        raise AssertionError("unreachable")

    def _write(self, method: str, path: str, body: Body | None) -> dict[str, Any]:
        """Send a write; it is repeated only where the vendor said that it did not happen.

        A body may be a function that says it when the call has its slot, and raises `Withdrawn` if
        it is not to be sent any more.

        Raises:
            Withdrawn: As `body` says; nothing was sent.
            WriteUncertain: No usable answer: ask whether it happened, then repeat.
            WriteBlocked: Likewise, and the answer was not the vendor's.
            Rejected, Fatal, Later, Throttled: As the error tree says.
        """
        url = f"{self._settings.api_url}{path}"
        try:
            for attempt in self._retry.retrying():
                with attempt:
                    return self._written(method, url, body)
        except GatewayReply as error:
            raise WriteBlocked(str(error), error.status) from None
        raise AssertionError("unreachable")

    def _written(self, method: str, url: str, body: Body | None) -> dict[str, Any]:
        try:
            return self._answered(method, url, body, is_page_link=False)
        except GatewayReply as error:
            if error.status == requests.codes.too_many_requests:
                # A limit of a gateway's own: it let nothing pass.
                raise
            raise WriteBlocked(str(error), error.status) from None
        except (ServerFault, ConnectionFault) as error:
            raise WriteUncertain(str(error)) from None

    def _answered(
        self, method: str, url: str, body: Body | None, *, is_page_link: bool
    ) -> dict[str, Any]:
        payload = self._payload(method, url, body, is_page_link=is_page_link)
        return replies.object_of(method, shown(url), payload)

    def _payload(self, method: str, url: str, body: Body | None, *, is_page_link: bool) -> Any:
        token = self._tokens.access_token()
        reply = self._exchange.send(method, url, body, token)
        if self._may_be_renewed(reply, token):
            # Once: a token that is fresh and refused will not get better.
            token = self._replacement = self._tokens.access_token(rejected=token)
            reply = self._exchange.send(method, url, body, token)
        refusal = reply.refusal
        if refusal is None:
            return reply.payload
        call = f"{method} {shown(url)}"
        if replies.is_quota(reply.status, refusal):
            raise self._budget.day_spent(
                f"Constant Contact says the day's calls are spent: {refusal.message}"
            )
        if reply.status == requests.codes.unauthorized and refusal.is_vendors:
            raise AuthorizationRequired(
                f"{call} answered 401 to a fresh access token: authorize connection "
                f"{self._settings.conn_id} again, {WHERE_TO_AUTHORIZE}"
            )
        error = replies.error_for(call, reply.status, refusal, is_page_link=is_page_link)
        if reply.status == requests.codes.too_many_requests and not isinstance(error, Later):
            self._budget.slow_down()
        if isinstance(error, Forbidden):
            raise self._explained(error, token)
        raise error

    def _may_be_renewed(self, reply: Reply, token: str) -> bool:
        """Whether another token may help: 401; a gateway's own says nothing about a fresh one."""
        if reply.status != requests.codes.unauthorized or reply.refusal is None:
            return False
        return reply.refusal.is_vendors or token != self._replacement

    def _explained(self, error: Forbidden, token: str) -> Forbidden:
        """Add what is missing: getUserPrivileges needs no scope, only an active application."""
        with self._explaining:
            if self._explanation is None:
                url = f"{self._settings.api_url}{vendor.PRIVILEGES_PATH}"
                try:
                    reply = self._exchange.send("GET", url, None, token)
                    self._explanation = replies.why_forbidden(reply)
                except ConstantContactError as failure:
                    _log.warning("why it is forbidden could not be asked: %s", failure)
                    self._explanation = replies.why_forbidden(None)
        return Forbidden(f"{error}. {self._explanation} (docs/tokens.md)")


def _query(params: Mapping[str, Any] | None) -> str:
    given = {key: value for key, value in (params or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
