"""The Airflow connection `constant_contact` becomes a client."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowNotFoundException
from requests.auth import AuthBase

from constant_contact import config
from constant_contact.api.authorization import USER_AGENT, WHERE_TO_AUTHORIZE, Authorization
from constant_contact.api.client import Client, RetryPolicy
from constant_contact.api.exchange import MOST_BYTES
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import SAVE_WAITS_S, Granted, Tokens, TokenStore, stored_pair
from constant_contact.api.transport import BoundedAdapter, secured
from constant_contact.calls import Call, CallLog
from constant_contact.errors import ConstantContactError, SettingError
from constant_contact.hooks.crm import DEFAULT_CRM_CONN_ID, crm_database
from constant_contact.hooks.measured import MOST_CALLS, MeasuredCallLog, Tally
from constant_contact.store.accounts import claim
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.store.tokens import token_lock


def tokens_key(conn_id: str) -> str:
    """The Airflow Variable with a connection's current tokens."""
    return f"{conn_id}_tokens"


class VariableTokenStore:
    """Keeps a connection's token pair in an Airflow Variable, which Airflow encrypts.

    The lock is a row of the CRM database: Airflow's tasks may not lock Airflow's own.
    """

    def __init__(self, crm: Database, conn_id: str) -> None:
        self._crm = crm
        self._conn_id = conn_id
        self._key = tokens_key(conn_id)
        self._description = f"Tokens of connection {conn_id}; kept by constant_contact"

    def load(self) -> TokenPair | None:
        """Return the stored pair; one that cannot be read counts as none."""
        stored = self._read()
        try:
            return TokenPair.from_json(stored) if stored else None
        except ValueError:
            return None

    def save(self, pair: TokenPair) -> None:
        """Store the pair; committed when this returns."""
        self._write(pair.to_json())

    def _read(self) -> str | None:
        stored: str | None = Variable.get(self._key, default=None)
        return stored

    def _write(self, text: str) -> None:
        Variable.set(self._key, text, description=self._description)

    def exclusively(self) -> AbstractContextManager[None]:
        """Hold off every other refresh of this connection."""
        return token_lock(self._crm, self._conn_id)


class ConstantContactHook(HttpHook):
    """Connects to Constant Contact's V3 API.

    Args:
        constant_contact_conn_id: The connection with key, secret and refresh token.
        crm_conn_id: The CRM database, where the API budget and the call log are.
        lane: Whose share of the day's calls is used, see `store.budget.RESERVED_SHARE`.
        caller: The task instance that calls, for the call log.

    Attributes:
        open_crm: Opens the CRM database of a connection, by its id.
        retry: When and how often a failed call is repeated; the client's own policy if None.
        save_waits_s: Before each further try to store tokens.
    """

    open_crm: Callable[[str], Database] = staticmethod(crm_database)
    retry: RetryPolicy | None = None
    save_waits_s: Sequence[float] = SAVE_WAITS_S
    conn_name_attr = "constant_contact_conn_id"
    default_conn_name = "constant_contact_default"
    conn_type = "constant_contact"
    hook_name = "Constant Contact"

    def __init__(
        self,
        constant_contact_conn_id: str = default_conn_name,
        crm_conn_id: str = DEFAULT_CRM_CONN_ID,
        lane: str = "engagement",
        caller: Caller | None = None,
    ) -> None:
        super().__init__(method="GET", http_conn_id=constant_contact_conn_id)
        self.constant_contact_conn_id = constant_contact_conn_id
        self.crm_conn_id = crm_conn_id
        self.lane = lane
        self.caller = caller or Caller()
        self.tally = Tally()
        # What was called, for the metrics; empty where those are off.
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)

    @cached_property
    def settings(self) -> ApiSettings:
        """The connection's fields, checked.

        Raises:
            SettingError: The connection is missing, or a field is missing or wrong.
        """
        conn_id = self.constant_contact_conn_id
        try:
            conn = self.get_connection(conn_id)
        except AirflowNotFoundException:
            raise SettingError(
                f"connection {conn_id}",
                f"does not exist; add it in Airflow with the type Constant Contact, or set "
                f"AIRFLOW_CONN_{conn_id.upper()}",
            ) from None
        return ApiSettings.from_connection(
            conn_id=conn_id,
            login=conn.login,
            password=conn.password,
            host=conn.host,
            port=conn.port,
            extra=conn.extra_dejson,
        )

    @cached_property
    def crm(self) -> Database:
        """The CRM database, as this account sees it.

        Raises:
            SettingError: There is no such connection, or the tables are another account's.
        """
        crm = self.open_crm(self.crm_conn_id)
        try:
            with crm.transaction() as connection:
                claim(connection, self.constant_contact_conn_id, crm.name)
        except BaseException:
            crm.close()
            raise
        return crm

    @cached_property
    def budget_crm(self) -> Database:
        """Where the calls of this account's API key are counted.

        The vendor's limits are the key's: accounts that share one share the row of the first.
        """
        accounts = config.accounts()
        ids = [account.constant_contact_conn_id for account in accounts]
        if self.constant_contact_conn_id not in ids:
            return self.crm
        for account in accounts[: ids.index(self.constant_contact_conn_id)]:
            other = type(self)(account.constant_contact_conn_id, account.crm_conn_id)
            # A connection that is wrong cannot call: it has no share in anything.
            with suppress(SettingError):
                if other.settings.api_key_digest == self.settings.api_key_digest:
                    return self.open_crm(other.crm_conn_id)
        return self.crm

    def close(self) -> None:
        """Close what was opened of the databases."""
        for name in ("crm", "budget_crm"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def token_store(self) -> TokenStore:
        """Where the current tokens live."""
        return VariableTokenStore(self.crm, self.constant_contact_conn_id)

    @contextmanager
    def client(
        self, granted: TokenPair | None = None, *, lane: str | None = None
    ) -> Iterator[Client]:
        """Lend a client; at the end every call it made is in the log.

        Args:
            granted: Whose access token to use in place of the stored one.
            lane: Whose share of the day's calls is used, if not the hook's.
        """
        settings = self.settings
        with self._call_log() as call_log:
            measured = MeasuredCallLog(call_log, self.calls)
            yield Client(
                settings,
                Granted(granted) if granted else self._tokens(measured),
                ApiBudget(self.budget_crm, settings, lane or self.lane),
                MeasuredCallLog(call_log, self.calls, self.tally),
                self.retry,
            )

    def _call_log(self) -> closing[ApiCallLog]:
        return closing(ApiCallLog(self.crm, self.caller))

    def _tokens(self, call_log: CallLog) -> Tokens:
        refresh = Authorization(self.settings, call_log.add).refresh
        return Tokens(self.settings, self.token_store, refresh, self.save_waits_s)

    def stored_tokens(self) -> TokenPair | None:
        """The tokens that count now, as they are stored; refreshes none."""
        return stored_pair(self.settings, self.token_store)

    def authorize(
        self, code: str, verifier: str, authorized_by: str, check: Callable[[TokenPair], None]
    ) -> None:
        """Redeem an authorization code; from now on its tokens are the stored ones.

        `check` raises if they may not be stored.

        Raises:
            ConstantContactError: As `Tokens.authorize`; what was stored stays.
        """
        with self._call_log() as call_log:
            authorization = Authorization(self.settings, call_log.add)
            self._tokens(call_log).authorize(
                lambda: authorization.exchange(code, verifier), authorized_by, check
            )

    def access_token(self) -> str:
        """Return a token that should work; refreshes if the stored one has expired.

        Raises:
            AuthorizationRequired, SettingError, RefreshUncertain: As `Tokens` says.
        """
        with self._call_log() as call_log:
            return self._tokens(call_log).access_token()

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """Return an authorized session for calls by hand; each takes its slot of the budget."""
        token = self.access_token()
        self.base_url = self.settings.base_url
        self._base_url_initialized = True
        settings = self.settings
        session = secured(
            requests.Session(),
            _PacedAdapter(settings, ApiBudget(self.budget_crm, settings, self.lane)),
            is_loopback=settings.is_loopback,
            auth=_Bearer(settings.base_url, token),
        )
        session.headers["User-Agent"] = USER_AGENT
        session.headers.update(headers or {})
        return session

    def test_connection(self) -> tuple[bool, str]:
        """Say whether the fields are right, without using up the refresh token.

        Runs in the api-server, where the connection has a made-up id: neither the stored tokens
        nor the CRM can be looked at.
        """
        try:
            settings = self.settings
            Authorization(settings, lambda call: None).check_client()
            adapter = BoundedAdapter(settings.timeout_s, MOST_BYTES)
            with secured(requests.Session(), adapter, is_loopback=settings.is_loopback) as session:
                answer = session.get(
                    f"{settings.api_url}/contact_lists", headers={"User-Agent": USER_AGENT}
                )
        except ConstantContactError as error:
            # The made-up id would only puzzle.
            return False, str(error).replace(f"connection {self.constant_contact_conn_id}, ", "")
        except requests.RequestException as error:
            return (
                False,
                f"field Host: {settings.base_url} did not answer ({type(error).__name__}).",
            )
        if answer.status_code != requests.codes.unauthorized:
            return False, (
                f"field Host: {settings.api_url} answered {answer.status_code} where Constant "
                "Contact asks for a token; check Host and api_version."
            )
        if not settings.refresh_token:
            return False, (
                "Key and secret are right, but refresh_token is empty: authorize the application, "
                f"{WHERE_TO_AUTHORIZE}. If you did so in the UI, all is well: it stays empty."
            )
        return True, "Key and secret are right, and the API answers."


class _Bearer(AuthBase):
    """Authorizes requests to the API; what a caller asks of another host gets no token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._origin = _origin(base_url)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _origin(url: str) -> tuple[str, str | None, int]:
    """Who answers at a URL: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


class _PacedAdapter(BoundedAdapter):
    """Takes a slot of the budget before each request of a session, when its connection stands."""

    def __init__(self, settings: ApiSettings, budget: ApiBudget) -> None:
        super().__init__(settings.timeout_s, MOST_BYTES)
        self._budget = budget

    def send(  # noqa: PLR0917 - as of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        self.connect(request, verify, cert, proxies)
        self._budget.take_slot()
        return super().send(request, stream, timeout, verify, cert, proxies)
