"""The OAuth calls: where a person authorizes, a code exchanged, a token refreshed."""

import contextlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import requests
from oauthlib.oauth2 import OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from constant_contact import __version__
from constant_contact.api import vendor
from constant_contact.api.replies import error_of
from constant_contact.api.settings import ApiSettings
from constant_contact.calls import Call
from constant_contact.errors import (
    AuthorizationRequired,
    ConstantContactError,
    Fatal,
    RefreshUncertain,
    SettingError,
    Throttled,
)

# The token endpoint takes one request a second (vendor staff).
TOKEN_SPACING_S = 1.1
USER_AGENT = f"airflow-constant-contact/{__version__}"


class Authorization:
    """Speaks with the vendor's authorization server for one connection.

    Args:
        settings: Of the connection.
        log: Takes every call to the token endpoint; it is given no token.
    """

    def __init__(self, settings: ApiSettings, log: Callable[[Call], None]) -> None:
        self._settings = settings
        self._log = log
        if settings.is_loopback:
            # oauthlib refuses http; our settings have refused it already for all but this machine.
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        # The vendor may grant fewer scopes than asked; that is judged by Tokens, in our words.
        os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"  # noqa: S105 - a switch, no secret

    def _session(self, pkce: str | None = None) -> OAuth2Session:
        session = OAuth2Session(
            self._settings.api_key,
            redirect_uri=self._settings.redirect_url or None,
            scope=list(self._settings.scopes),
            pkce=pkce,
        )
        session.headers["User-Agent"] = USER_AGENT
        for kind in ("refresh_token_response", "access_token_response"):
            session.register_compliance_hook(kind, self._checked)
        return session

    def url(self) -> tuple[str, str, str]:
        """Where a person authorizes: (URL, state, PKCE verifier)."""
        session = self._session(pkce="S256")
        url, state = session.authorization_url(self._settings.authorize_url)
        return url, state, session._code_verifier

    def exchange(self, code: str, verifier: str) -> dict[str, Any]:
        """Exchange an authorization code (it lives 5 minutes and works once) for tokens.

        Raises:
            AuthorizationRequired: The code is refused, or no refresh token came with it.
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
                # Somebody asked a moment ago; the endpoint takes one request a second.
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

    def _checked(self, response: requests.Response) -> requests.Response:
        """Judge the raw reply, before oauthlib reads it."""
        body = response.content
        key, message = (None, None) if response.ok else error_of(body)
        self._keep(
            datetime.now(UTC), response.elapsed.total_seconds(), response.status_code, key, message
        )
        if not response.ok:
            raise self._refusal(response.status_code, key, message or "")
        return response

    def _refusal(self, status: int, key: str | None, message: str) -> ConstantContactError:
        conn = f"connection {self._settings.conn_id}"
        if status == requests.codes.too_many_requests:
            return Throttled(f"the token endpoint answered 429: {message}")
        if status >= requests.codes.internal_server_error:
            return RefreshUncertain(f"the token endpoint answered {status}: {message}")
        if key == "invalid_client" or status == requests.codes.unauthorized:
            return SettingError(
                f"{conn}, fields Login (API key) and Password (client secret)",
                f"Constant Contact refuses them ({key or status}): the secret was generated anew, "
                "or the application is deactivated; copy both from the active application "
                "(docs/tokens.md)",
            )
        if key == "invalid_grant":
            return AuthorizationRequired(
                f"Constant Contact no longer accepts the refresh token of {conn} (invalid_grant): "
                "it was revoked, used elsewhere, or not used for "
                f"{vendor.REFRESH_IDLE_DAYS} days. A person must authorize again (README, "
                "“Connect a real account”) and put the new refresh token into its field "
                "refresh_token (docs/tokens.md)"
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
                items=None,
                reply_bytes=None,
                duration_ms=round(duration_s * 1000),
                waited_ms=0,
                request_id=None,
                tracking_id=None,
                reply_body=None,
            )
        )
