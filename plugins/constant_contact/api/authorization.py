"""The OAuth calls: where a person authorizes, a code exchanged, a token refreshed."""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

import requests
from oauthlib.oauth2 import OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from constant_contact import __version__
from constant_contact.api import vendor
from constant_contact.api.replies import NOT_THE_VENDOR, error_of
from constant_contact.api.settings import ApiSettings
from constant_contact.api.transport import BoundedAdapter, secured
from constant_contact.calls import Call
from constant_contact.commands import command
from constant_contact.errors import (
    AuthorizationRequired,
    ConstantContactError,
    Fatal,
    RefreshUncertain,
    SettingError,
    Throttled,
)

# At DEBUG they log codes and tokens whole.
for _library in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_library).setLevel(logging.INFO)

# The token endpoint takes one request a second (vendor staff).
TOKEN_SPACING_S = 1.1
USER_AGENT = f"airflow-constant-contact/{__version__}"
WHERE_TO_AUTHORIZE = (
    "in the Airflow UI, Browse → Constant Contact → Connection, or by "
    f"{command('authorize')} (docs/tokens.md)"
)
# What is read of a reply. Another field of it, or an odd lifetime, must not cost the tokens: one
# that rotates exists in that reply only.
_READ = ("access_token", "refresh_token", "token_type", "scope", "error", "error_description")
_MOST_LIFETIME_S = 365 * 86_400
# Two tokens of some kilobytes, and room; a row is locked while it is read.
_MOST_BYTES = 1 << 20
# What an invalid_grant is about, and how it came to that.
_USED_UP = {
    "refresh_token_response": (
        "the refresh token, which was revoked, used elsewhere, or not used for "
        f"{vendor.REFRESH_IDLE_DAYS} days,"
    ),
    "access_token_response": (
        "the code, which lives 5 minutes, works once and for one redirect URL,"
    ),
}


def scopes_of(reply: Mapping[str, Any]) -> tuple[str, ...]:
    """What the token endpoint says that was granted; empty where it does not repeat it."""
    scope = reply.get("scope") or ()
    return tuple(scope.split() if isinstance(scope, str) else scope)


def _readable(body: bytes) -> bytes:
    """A reply as oauthlib takes it: what we read; the lifetime in whole seconds, if it is one."""
    try:
        reply = json.loads(body)
    except ValueError:
        return body
    if not isinstance(reply, dict):
        return body
    kept = {name: reply[name] for name in _READ if reply.get(name)}
    if not isinstance(kept.get("scope"), str | list):
        kept.pop("scope", None)
    with contextlib.suppress(TypeError, ValueError):
        if (lifetime_s := float(reply.get("expires_in"))) > 0:  # type: ignore[arg-type]
            kept["expires_in"] = int(min(lifetime_s, _MOST_LIFETIME_S))
    return json.dumps(kept).encode()


def missing_scopes(scopes: Collection[str]) -> list[str]:
    """What the jobs need and these scopes lack."""
    return [scope for scope in vendor.REQUIRED_SCOPES if scope not in scopes]


def check_scopes(conn_id: str, scopes: Collection[str]) -> None:
    """Refuse a grant that the jobs cannot work with.

    Raises:
        AuthorizationRequired: A scope is missing.
    """
    # Some token endpoints do not repeat the scopes: then the first call tells.
    if scopes and (missing := missing_scopes(scopes)):
        raise AuthorizationRequired(
            f"the grant of connection {conn_id} lacks the scope {' and '.join(missing)}: authorize "
            f"again with the scopes {' '.join(vendor.REQUIRED_SCOPES)}, {WHERE_TO_AUTHORIZE}"
        )


class Authorization:
    """Speaks with the vendor's authorization server for one connection.

    `log` takes every call to the token endpoint; it is given no token.
    """

    def __init__(self, settings: ApiSettings, log: Callable[[Call], None]) -> None:
        self._settings = settings
        self._log = log
        if settings.is_loopback or settings.is_token_url_loopback:
            # oauthlib refuses http; our settings have refused it already for all but this machine.
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        # The vendor may grant fewer scopes than asked; that is judged by Tokens, in our words.
        os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"  # noqa: S105 - a switch, no secret

    def _session(
        self, pkce: str | None = None, scopes: Collection[str] | None = None
    ) -> OAuth2Session:
        session = OAuth2Session(
            self._settings.api_key,
            redirect_uri=self._settings.redirect_url or None,
            scope=scopes,
            pkce=pkce,
        )
        session.headers["User-Agent"] = USER_AGENT
        adapter = BoundedAdapter(self._settings.timeout_s, _MOST_BYTES)
        secured(session, adapter, is_loopback=self._settings.is_token_url_loopback)
        for kind, used_up in _USED_UP.items():
            session.register_compliance_hook(kind, partial(self._checked, used_up=used_up))
        return session

    def url(self, state: str | None = None) -> tuple[str, str, str]:
        """Where a person authorizes: (URL, state, PKCE verifier).

        The state is a random one if none is given.
        """
        session = self._session(pkce="S256", scopes=self._settings.scopes)
        url, state = session.authorization_url(self._settings.authorize_url, state=state)
        return url, state, session._code_verifier

    def exchange(self, code: str, verifier: str) -> dict[str, Any]:
        """Exchange an authorization code (it lives 5 minutes and works once) for tokens.

        Raises:
            AuthorizationRequired: The code is refused, no refresh token came with it, or a scope
                is missing.
        """
        reply = self._asked(
            lambda session: session.fetch_token(
                self._settings.token_url,
                code=code,
                code_verifier=verifier,
                auth=self._client,
                timeout=self._settings.timeout_s,
            )
        )
        if not reply.get("refresh_token"):
            raise AuthorizationRequired(
                "Constant Contact gave no refresh token: the scope offline_access is missing from "
                f"connection {self._settings.conn_id}, field scope (docs/tokens.md)"
            )
        check_scopes(self._settings.conn_id, scopes_of(reply))
        return reply

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Send one refresh request.

        Raises:
            AuthorizationRequired: The refresh token is dead.
            SettingError: The key or the secret is wrong.
            Throttled: More than one token request in a second; nothing happened.
            RefreshUncertain: No usable answer; it may have happened.
        """
        return self._asked(
            lambda session: session.refresh_token(
                self._settings.token_url,
                refresh_token=refresh_token,
                auth=self._client,
                timeout=self._settings.timeout_s,
            )
        )

    @property
    def _client(self) -> HTTPBasicAuth:
        return HTTPBasicAuth(self._settings.api_key, self._settings.client_secret)

    def check_client(self) -> None:
        """Ask with a refresh token that never was: the answer judges key and secret.

        Rotates nothing, so it may run anywhere.

        Raises:
            SettingError: The key or the secret is wrong, or the URL is not a token endpoint.
        """
        with contextlib.suppress(AuthorizationRequired):
            try:
                self.refresh("check-of-key-and-secret")
            except Throttled:
                # A person asked a moment ago; the endpoint takes one request a second.
                time.sleep(TOKEN_SPACING_S)
                self.refresh("check-of-key-and-secret")

    def _asked(self, ask: Callable[[OAuth2Session], Any]) -> dict[str, Any]:
        with self._session() as session:
            called_at, started = datetime.now(UTC), monotonic()
            try:
                return dict(ask(session))
            except ConstantContactError:
                raise
            except requests.RequestException as error:
                self._keep(called_at, monotonic() - started, None, None, type(error).__name__)
                raise RefreshUncertain(
                    f"the token endpoint {self._settings.token_url} did not answer "
                    f"({type(error).__name__}); check connection {self._settings.conn_id}, field "
                    "token_url, and the network"
                ) from None
            except (OAuth2Error, ValueError) as error:
                raise RefreshUncertain(
                    f"the token endpoint {self._settings.token_url} answered something that is no "
                    f"token ({type(error).__name__})"
                ) from None

    def _checked(self, response: requests.Response, used_up: str) -> requests.Response:
        """Judge the raw reply, before oauthlib reads it."""
        body = response.content
        is_answer = response.status_code < requests.codes.multiple_choices
        key, message = (None, None) if is_answer else error_of(body)[:2]
        self._keep(
            datetime.now(UTC), response.elapsed.total_seconds(), response.status_code, key, message
        )
        if not is_answer:
            raise self._refusal(response.status_code, key, message or "", used_up)
        response._content = _readable(body)
        return response

    def _refusal(
        self, status: int, key: str | None, message: str, used_up: str
    ) -> ConstantContactError:
        conn = f"connection {self._settings.conn_id}"
        if status == requests.codes.too_many_requests:
            return Throttled(f"the token endpoint answered 429: {message}")
        if status < requests.codes.bad_request:
            return RefreshUncertain(
                f"the token endpoint answered {status}, a redirect, which is not followed: the "
                f"tokens would go along; check {conn}, field token_url, and what stands between"
            )
        if key is None or status >= requests.codes.internal_server_error:
            whose = "" if key else f". {NOT_THE_VENDOR}"
            return RefreshUncertain(f"the token endpoint answered {status}: {message}{whose}")
        if key == "invalid_grant":
            return AuthorizationRequired(
                f"Constant Contact no longer accepts {used_up} of {conn} (invalid_grant). A person "
                f"must authorize again: {WHERE_TO_AUTHORIZE}"
            )
        if key == "invalid_client" or status == requests.codes.unauthorized:
            return SettingError(
                f"{conn}, fields Login (API key) and Password (client secret)",
                f"Constant Contact refuses them ({key or status}): a newer secret was generated, "
                "or the application is deactivated; copy both from the active application "
                "(docs/tokens.md)",
            )
        return Fatal(f"the token endpoint answered {status} {key or ''} for {conn}: {message}")

    def _keep(
        self,
        called_at: datetime,
        duration_s: float,
        status: int | None,
        key: str | None,
        message: str | None,
    ) -> None:
        self._log(
            Call(
                called_at=called_at,
                method="POST",
                path=self._settings.token_url,
                status=status,
                error_key=key,
                error_message=message,
                duration_ms=round(duration_s * 1000),
            )
        )
