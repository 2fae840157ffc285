"""The token pair: when it is used, when refreshed, and what each refusal means.

A rotating refresh token works once. So a refresh is made by one process at a time, its result is
committed before it is used, and one that got no answer is never repeated blindly.
https://developer.constantcontact.com/api_guide/server_flow.html
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

from constant_contact.api.authorization import TOKEN_SPACING_S
from constant_contact.api.settings import ApiSettings
from constant_contact.api.vendor import (
    REFRESH_IDLE_DAYS,
    REFRESH_WARN_DAYS,
    REQUIRED_SCOPES,
)
from constant_contact.errors import AuthorizationRequired, Fatal, RefreshUncertain, Throttled
from constant_contact.redact import hide

_log = logging.getLogger("constant_contact.tokens")

# A token about to expire is refreshed before a call rather than by a failed one.
_EXPIRY_MARGIN = timedelta(minutes=5)
_TOKEN_CALLS = 4


def digest_of(secret: str) -> str:
    """A short name for a secret by which two can be told apart, and not guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else ""


@dataclass(frozen=True)
class TokenPair:
    """An access token and the refresh token that came with it.

    Attributes:
        seed_digest: Digest of the connection's refresh token that this pair descends from: when
            a person pastes another one, the pair no longer counts.
        client_digest: Digest of the API key and the token endpoint that it belongs to: another
            application's tokens are nobody else's business.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at_utc: datetime
    obtained_at_utc: datetime
    scopes: tuple[str, ...]
    seed_digest: str
    client_digest: str

    def to_json(self) -> str:
        """As it is stored (encrypted by Airflow)."""
        values = self.__dict__ | {
            "expires_at_utc": self.expires_at_utc.isoformat(),
            "obtained_at_utc": self.obtained_at_utc.isoformat(),
        }
        return json.dumps(values)

    @classmethod
    def from_json(cls, stored: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is not that.
        """
        try:
            values = json.loads(stored)
            return cls(
                access_token=values["access_token"],
                refresh_token=values["refresh_token"],
                expires_at_utc=datetime.fromisoformat(values["expires_at_utc"]),
                obtained_at_utc=datetime.fromisoformat(values["obtained_at_utc"]),
                scopes=tuple(values["scopes"]),
                seed_digest=values["seed_digest"],
                client_digest=values["client_digest"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a stored token pair") from error

    @classmethod
    def from_reply(
        cls, reply: dict[str, Any], *, refresh_token: str, seed_digest: str, client_digest: str
    ) -> Self:
        """Read the token endpoint's reply; `refresh_token` is the one sent, if none came back."""
        now = datetime.now(UTC)
        scope = reply.get("scope") or ()
        return cls(
            access_token=str(reply["access_token"]),
            refresh_token=str(reply.get("refresh_token") or refresh_token),
            expires_at_utc=now + timedelta(seconds=float(reply.get("expires_in") or 3600)),
            obtained_at_utc=now,
            scopes=tuple(scope.split() if isinstance(scope, str) else scope),
            seed_digest=seed_digest,
            client_digest=client_digest,
        )


class TokenStore(Protocol):
    """Where the current token pair of one connection lives."""

    def load(self) -> TokenPair | None:
        """Return what is stored now; None before the first refresh."""

    def save(self, pair: TokenPair) -> None:
        """Store the pair; when this returns, it is committed."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Hold off every other refresh of this connection, on any machine."""


class Tokens:
    """Gives the current access token to any number of threads.

    Args:
        settings: Of the connection; its refresh token is the seed.
        store: Where the pair lives.
        refresh: Sends one refresh request: refresh token → the endpoint's reply.
    """

    def __init__(
        self,
        settings: ApiSettings,
        store: TokenStore,
        refresh: Callable[[str], dict[str, Any]],
    ) -> None:
        self._settings = settings
        self._store = store
        self._refresh = refresh
        hide(settings.client_secret, settings.refresh_token)
        self._seed_digest = digest_of(settings.refresh_token)
        self._client_digest = digest_of(f"{settings.api_key} {settings.token_url}")
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

    def stored(self) -> TokenPair | None:
        """The stored pair, if the next call would use or refresh it; asks nobody."""
        pair = self._store.load()
        return pair if pair is not None and self._descends(pair) else None

    def _usable(self, pair: TokenPair, rejected: str | None) -> bool:
        return (
            pair.access_token != rejected
            and self._descends(pair)
            and pair.expires_at_utc - _EXPIRY_MARGIN > datetime.now(UTC)
        )

    def _descends(self, pair: TokenPair) -> bool:
        """Whether it is of this application and no newer seed was pasted since.

        Without a seed, what is stored counts.
        """
        is_of_seed = not self._seed_digest or pair.seed_digest == self._seed_digest
        return is_of_seed and pair.client_digest == self._client_digest

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
            pair = self._refreshed(stored)
            hide(pair.access_token, pair.refresh_token)
            # Stored even if it lacks a scope: the old one is dead by now.
            self._save(pair)
        self._check_scopes(pair)
        return pair

    def _refreshed(self, stored: TokenPair | None) -> TokenPair:
        """A new pair, by what is stored if that descends from the seed, else by the seed."""
        seed = self._settings.refresh_token
        if stored is not None and self._descends(stored):
            self._warn_if_idle(stored)
            try:
                reply = self._sent(stored.refresh_token)
            except AuthorizationRequired:
                # A long-lived seed, or one that was never used at this vendor, may still be good.
                if not seed or seed == stored.refresh_token:
                    raise
            else:
                return TokenPair.from_reply(
                    reply,
                    refresh_token=stored.refresh_token,
                    seed_digest=stored.seed_digest,
                    client_digest=self._client_digest,
                )
        if not seed:
            raise AuthorizationRequired(
                f"connection {self._settings.conn_id} holds no refresh token: authorize the "
                "application (README, “Connect a real account”) and put the refresh token into "
                "its field refresh_token (docs/tokens.md)"
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
                "forgets it after %d: leave constant_contact_retention switched on, which uses it "
                "every night (docs/tokens.md)",
                self._settings.conn_id,
                idle.days,
                REFRESH_IDLE_DAYS,
            )

    def _save(self, pair: TokenPair) -> None:
        """Store the pair; insist for a minute, since nobody else has it."""
        waits_s = (1, 2, 4, 8, 15, 30)
        for wait_s in waits_s:
            try:
                self._store.save(pair)
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

    def _check_scopes(self, pair: TokenPair) -> None:
        missing = [scope for scope in REQUIRED_SCOPES if scope not in pair.scopes]
        # Some token endpoints do not repeat the scopes: then the first call tells.
        if pair.scopes and missing:
            raise AuthorizationRequired(
                f"the grant of connection {self._settings.conn_id} lacks the scope "
                f"{' and '.join(missing)}: authorize again with the scopes "
                f"{' '.join(REQUIRED_SCOPES)} (docs/tokens.md)"
            )
