"""The token pair: when it is used, when refreshed, and what each refusal means.

A rotating refresh token works once. So a refresh is made by one process at a time, its result is
committed before it is used, and one that got no answer is never repeated blindly.
https://developer.constantcontact.com/api_guide/server_flow.html
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from constant_contact.accounts import Account
from constant_contact.api.authorization import (
    TOKEN_SPACING_S,
    WHERE_TO_AUTHORIZE,
    check_scopes,
)
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair, digest_of
from constant_contact.api.vendor import (
    REFRESH_IDLE_DAYS,
    REFRESH_WARN_DAYS,
)
from constant_contact.errors import (
    AuthorizationRequired,
    CredentialsReplaced,
    Fatal,
    RefreshUncertain,
    Throttled,
)
from constant_contact.redact import hide

_log = logging.getLogger("constant_contact.tokens")

# A token about to expire is refreshed before a call rather than by a failed one; one that lives
# for minutes only is used for most of them.
_EXPIRY_MARGIN = timedelta(minutes=5)
_EXPIRY_SHARE = 0.1
_TOKEN_CALLS = 4
# Between tries to store a pair that exists nowhere else, for a minute.
SAVE_WAITS_S = (1, 2, 4, 8, 15, 30)


class TokenStore(Protocol):
    """Where the current token pair of one connection lives."""

    def load(self) -> TokenPair | None:
        """Return what is stored now; None before the first refresh."""

    def save(self, pair: TokenPair) -> None:
        """Store the pair; when this returns, it is committed."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Hold off every other refresh of this connection, on any machine."""


def client_digest(settings: ApiSettings) -> str:
    """What tells the tokens of one application from another's."""
    return digest_of(f"{settings.api_key} {settings.token_url}")


def credentials_digest(settings: ApiSettings) -> str:
    """What tells an application and its seed from those that take their place."""
    return digest_of(f"{client_digest(settings)} {settings.refresh_token}")


def stored_pair(settings: ApiSettings, store: TokenStore) -> TokenPair | None:
    """The stored pair, if it counts; None before the first refresh, and after another seed."""
    pair = store.load()
    return pair if pair is not None and _descends(pair, settings) else None


def _descends(pair: TokenPair, settings: ApiSettings) -> bool:
    """Whether it is of this application and no newer seed was pasted since.

    Without a seed, what is stored counts.
    """
    seed = settings.refresh_token
    is_of_seed = not seed or pair.seed_digest == digest_of(seed)
    return is_of_seed and pair.client_digest == client_digest(settings)


def _margin(pair: TokenPair) -> timedelta:
    return min(_EXPIRY_MARGIN, (pair.expires_at_utc - pair.obtained_at_utc) * _EXPIRY_SHARE)


def _replaced(stored: TokenPair | None) -> str:
    return stored.replaces if stored else ""


class Granted:
    """Gives the access token of a grant that is not stored, so that it can be tried.

    Nothing is refreshed: that would change what is to be stored.
    """

    def __init__(self, pair: TokenPair) -> None:
        self._pair = pair

    def access_token(self, rejected: str | None = None) -> str:
        """Return the token.

        Raises:
            AuthorizationRequired: It is `rejected`.
        """
        if self._pair.access_token == rejected:
            raise AuthorizationRequired(
                "Constant Contact answered 401 to the access token that it has just given: "
                "authorize again"
            )
        return self._pair.access_token

    def renew(self) -> None:
        """Refuse to: see above.

        Raises:
            AuthorizationRequired: Always.
        """
        raise AuthorizationRequired("a grant that is not stored is not renewed")


class Tokens:
    """Gives the current access token to any number of threads.

    Args:
        settings: Of the connection; its refresh token is the seed.
        store: Where the pair lives.
        refresh: Sends one refresh request: refresh token → the endpoint's reply.
        save_waits_s: Before each further try to store a pair.
    """

    def __init__(
        self,
        settings: ApiSettings,
        store: TokenStore,
        refresh: Callable[[str], dict[str, Any]],
        save_waits_s: Sequence[float] = SAVE_WAITS_S,
    ) -> None:
        self._settings = settings
        self._store = store
        self._refresh = refresh
        self._save_waits_s = save_waits_s
        hide(settings.client_secret, settings.refresh_token)
        self._seed_digest = digest_of(settings.refresh_token)
        self._client_digest = client_digest(settings)
        self._lock = threading.Lock()
        self._pair: TokenPair | None = None
        self._failure: RefreshUncertain | Fatal | None = None

    def access_token(self, rejected: str | None = None) -> str:
        """Return a token that should work; refresh if there is none.

        Args:
            rejected: A token that the vendor just answered 401 to.

        Raises:
            AuthorizationRequired: A person must authorize again.
            SettingError: The key or the secret is wrong.
            RefreshUncertain: The token endpoint gave no usable answer.
        """
        with self._lock:
            if self._failure is not None:
                # Asking again would be the storm that a single refresh avoids.
                raise self._failure
            if self._pair is None or not self._usable(self._pair, rejected):
                try:
                    self._pair = self._stored_or_refreshed(rejected)
                except (RefreshUncertain, Fatal) as error:
                    self._failure = error
                    raise
            return self._pair.access_token

    def renew(self) -> None:
        """Redeem the refresh token though the access token may still be good: to see that it works.

        What is stored stays where that is refused, and is used on.

        Raises:
            AuthorizationRequired, SettingError, RefreshUncertain: As `access_token`.
        """
        current = self.access_token()
        with self._lock:
            if self._pair is not None:
                # The token endpoint may have answered just now, and takes one call a second.
                age_s = (datetime.now(UTC) - self._pair.obtained_at_utc).total_seconds()
                time.sleep(max(0.0, min(TOKEN_SPACING_S, TOKEN_SPACING_S - age_s)))
            self._pair = self._stored_or_refreshed(current)

    def authorize(
        self,
        exchange: Callable[[], dict[str, Any]],
        authorized_by: str,
        check: Callable[[TokenPair], None],
    ) -> None:
        """Store a new grant: from now on it is used, whatever was stored or pasted before.

        It is exchanged and stored in one turn: a refresh of the old token in between might end
        the new one too.

        Args:
            exchange: Redeems the code: → the token endpoint's reply, which has all scopes.
            authorized_by: The user of Airflow who authorized.
            check: Raises if the grant may not be stored.

        Raises:
            AuthorizationRequired, SettingError, RefreshUncertain: What is stored stays; so it
                does where the check raises.
        """
        with self._store.exclusively():
            pair = replace(
                TokenPair.from_reply(
                    exchange(),
                    refresh_token="",
                    seed_digest=self._seed_digest,
                    client_digest=self._client_digest,
                ),
                authorized_by=authorized_by,
                authorized_at_utc=datetime.now(UTC),
            )
            hide(pair.access_token, pair.refresh_token)
            check(pair)
            self._save(replace(pair, replaces=_replaced(self._store.load())))

    def _usable(self, pair: TokenPair, rejected: str | None) -> bool:
        return (
            pair.access_token != rejected
            and _descends(pair, self._settings)
            and pair.expires_at_utc - _margin(pair) > datetime.now(UTC)
        )

    def _stored_or_refreshed(self, rejected: str | None) -> TokenPair:
        stored = self._store.load()
        if stored is not None:
            hide(stored.access_token, stored.refresh_token)
            if self._usable(stored, rejected):
                return stored
        with self._store.exclusively():
            stored = self._store.load()
            if stored is not None and self._usable(stored, rejected):
                return stored
            if stored is not None:
                self._check_application(stored)
            try:
                pair = replace(self._refreshed(stored), replaces=_replaced(stored))
            except AuthorizationRequired:
                # If the row was lost while it was held, another process has used the token up,
                # and stored what it got.
                newer = self._store.load()
                if newer is None or newer == stored or not self._usable(newer, rejected):
                    raise
                hide(newer.access_token, newer.refresh_token)
                return newer
            hide(pair.access_token, pair.refresh_token)
            # Stored even if it lacks a scope: the old one is dead.
            self._save(pair)
        check_scopes(self._settings.conn_id, pair.scopes)
        return pair

    def _check_application(self, stored: TokenPair) -> None:
        """A task that began with the old application must not store over the new one's tokens."""
        is_old = self._pair is not None or stored.replaces == credentials_digest(self._settings)
        if is_old and stored.client_digest != self._client_digest:
            raise CredentialsReplaced(
                f"connection {self._settings.conn_id} has another API key since this task began; "
                "its next try uses that one (docs/tokens.md)"
            )

    def _refreshed(self, stored: TokenPair | None) -> TokenPair:
        """A new pair, by what is stored if that descends from the seed, else by the seed."""
        seed = self._settings.refresh_token
        if stored is not None and _descends(stored, self._settings):
            self._warn_if_idle(stored)
            try:
                reply = self._sent(stored.refresh_token)
            except AuthorizationRequired:
                # A long-lived seed, or one that was never used at this vendor, may still be good;
                # not one of before an authorization, which may have been of another account.
                if not seed or seed == stored.refresh_token or stored.authorized_by:
                    raise
            else:
                return replace(
                    TokenPair.from_reply(
                        reply,
                        refresh_token=stored.refresh_token,
                        seed_digest=stored.seed_digest,
                        client_digest=self._client_digest,
                    ),
                    authorized_by=stored.authorized_by,
                    authorized_at_utc=stored.authorized_at_utc,
                )
        if not seed:
            raise AuthorizationRequired(
                f"connection {self._settings.conn_id} holds no refresh token: authorize the "
                f"application, {WHERE_TO_AUTHORIZE}"
            )
        return TokenPair.from_reply(
            self._sent(seed),
            refresh_token=seed,
            seed_digest=self._seed_digest,
            client_digest=self._client_digest,
        )

    def _warn_if_idle(self, stored: TokenPair) -> None:
        idle = datetime.now(UTC) - stored.obtained_at_utc
        if idle.days >= REFRESH_WARN_DAYS:
            _log.warning(
                "the refresh token of connection %s was last used %d days ago; Constant Contact "
                "forgets it after %d: leave %s switched on, which uses it every night "
                "(docs/tokens.md)",
                self._settings.conn_id,
                idle.days,
                REFRESH_IDLE_DAYS,
                Account.holding(self._settings.conn_id).dag_id("retention"),
            )

    def _save(self, pair: TokenPair) -> None:
        """Store the pair; try for a minute, since it exists nowhere else."""
        for wait_s in self._save_waits_s:
            try:
                self._store.save(pair)
            except Fatal:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the pair must not be lost
                _log.warning("the new tokens could not be stored (%s)", type(error).__name__)
                time.sleep(wait_s)
            else:
                return
        self._store.save(pair)

    def _sent(self, refresh_token: str) -> dict[str, Any]:
        for attempt in range(1, _TOKEN_CALLS + 1):
            try:
                return self._refresh(refresh_token)
            except Throttled:
                if attempt == _TOKEN_CALLS:
                    raise
                time.sleep(TOKEN_SPACING_S)
        raise AssertionError("unreachable")
