"""Clients, codes and tokens."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from simulator.clock import DAY_MS, Clock
from simulator.settings import Settings

_CODE_TTL_MS, _REFRESH_IDLE_MS = 300_000, 180 * DAY_MS


class OAuthError(Exception):
    """An error of the token endpoint, in the form of RFC 6749."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{status} {error}: {description}")
        self.status, self.error, self.description = status, error, description


@dataclass
class Code:
    """An authorization code."""

    client_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str | None
    made_ms: int
    used: bool = False


@dataclass
class RefreshToken:
    """A refresh token; `ended` once it is no longer good."""

    client_id: str
    scopes: tuple[str, ...]
    used_ms: int
    ended: bool = False


@dataclass
class AccessToken:
    """An access token."""

    client_id: str
    scopes: tuple[str, ...]
    expires_ms: int


class OAuth:
    """The authorization server's state."""

    def __init__(self, settings: Settings, clock: Clock, seed: int) -> None:
        self._settings, self._clock, self._seed = settings, clock, seed
        self._made = 0
        self.deactivated = False
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}

    def _random(self, kind: str, size: int) -> bytes:
        """Bytes that look random; the same for the same seed and number of calls."""
        self._made += 1
        return hashlib.shake_256(f"{self._seed}/{kind}/{self._made}".encode()).digest(size)

    def is_registered(self, redirect_uri: str) -> bool:
        """Whether a redirect URI may be redirected to."""
        if self._settings.redirect_uris:
            return redirect_uri in self._settings.redirect_uris
        parts = urlsplit(redirect_uri)
        return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")

    def secret_of(self, client_id: str) -> str | None:
        """The secret of an active application; None if there is no such one."""
        if client_id == self._settings.client_id:
            return None if self.deactivated else self._settings.client_secret
        return self._settings.other_applications.get(client_id)

    def make_code(
        self, client_id: str, scopes: tuple[str, ...], redirect_uri: str, challenge: str | None
    ) -> str:
        """A code for a user who allowed access."""
        code = _b64(self._random("code", 30))
        self.codes[code] = Code(client_id, scopes, redirect_uri, challenge, self._clock.now_ms())
        return code

    def add_refresh_token(
        self, scopes: tuple[str, ...], token: str | None = None, client_id: str | None = None
    ) -> str:
        """As though a user had authorized. A grant ends no earlier token."""
        token = token or _b64(self._random("refresh", 32))
        client_id = client_id or self._settings.client_id
        self.refresh_tokens[token] = RefreshToken(client_id, scopes, self._clock.now_ms())
        return token

    def authenticate(self, header: str | None) -> str:
        """Check the client; return its id.

        Raises:
            OAuthError: 401, no HTTP Basic header or not the current pair.
        """
        scheme, _, given = (header or "").partition(" ")
        try:
            decoded = base64.b64decode(given, validate=True) if scheme.lower() == "basic" else b""
            client_id, _, secret = decoded.decode().partition(":")
        except ValueError:
            client_id, secret = "", ""
        right = self.secret_of(client_id)
        if right is None or not hmac.compare_digest(secret.encode(), right.encode()):
            raise OAuthError(401, "invalid_client", "The client credentials are invalid.")
        return client_id

    def token(self, client_id: str, form: dict[str, str]) -> dict[str, object]:
        """The token endpoint, after authentication of the client."""
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._redeem(client_id, form)
        if grant == "refresh_token":
            return self._refresh(client_id, form)
        raise OAuthError(400, "unsupported_grant_type", f"Not a supported grant: {grant}")

    def _redeem(self, client_id: str, form: dict[str, str]) -> dict[str, object]:
        code = self.codes.get(form.get("code", ""))
        age_ms = self._clock.now_ms() - (code.made_ms if code else 0)
        if code is None or code.used or age_ms > _CODE_TTL_MS:
            raise _invalid_grant("The authorization code is invalid or has expired.")
        # A code works once, whether or not the rest of the request is right.
        code.used = True
        if code.client_id != client_id:
            raise _invalid_grant("The code was issued to another client.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _invalid_grant("The redirect_uri is not the one of the authorization request.")
        verifier = form.get("code_verifier")
        if code.challenge is None and verifier:
            raise _invalid_grant("PKCE verification failed: no challenge was given.")
        if code.challenge is not None:
            digest = hashlib.sha256((verifier or "").encode()).digest()
            if not hmac.compare_digest(_b64(digest), code.challenge):
                raise _invalid_grant("PKCE verification failed.")
        refresh = None
        if "offline_access" in code.scopes:
            refresh = self.add_refresh_token(code.scopes, client_id=client_id)
        return self._answer(client_id, code.scopes, refresh)

    def _refresh(self, client_id: str, form: dict[str, str]) -> dict[str, object]:
        given = form.get("refresh_token", "")
        known = self.refresh_tokens.get(given)
        now_ms = self._clock.now_ms()
        if (
            known is None
            or known.client_id != client_id
            or known.ended
            or now_ms - known.used_ms > _REFRESH_IDLE_MS
        ):
            raise _invalid_grant("The refresh token is invalid or expired.")
        if not set(form.get("scope", "").split()) <= set(known.scopes):
            # RFC 6749, section 6: nothing that was not granted.
            raise OAuthError(400, "invalid_scope", "A scope was not granted.")
        if not self._settings.rotating:
            known.used_ms = now_ms
            return self._answer(client_id, known.scopes, given)
        for each in self.refresh_tokens.values():
            each.ended = each.ended or each.client_id == client_id
        successor = self.add_refresh_token(known.scopes, client_id=client_id)
        return self._answer(client_id, known.scopes, successor)

    def _answer(
        self, client_id: str, scopes: tuple[str, ...], refresh: str | None
    ) -> dict[str, object]:
        ttl_s = self._settings.access_token_ttl_s
        answer: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": int(ttl_s),
            "access_token": self._access_token(client_id, scopes),
            "scope": " ".join(scopes),
        }
        if refresh is not None:
            answer["refresh_token"] = refresh
        return answer

    def _access_token(self, client_id: str, scopes: tuple[str, ...]) -> str:
        """A JWT by its looks, 1,000 to 1,200 characters. Its signature means nothing."""
        now_ms = self._clock.now_ms()
        expires_ms = now_ms + round(self._settings.access_token_ttl_s * 1000)
        header = {"kid": _b64(self._random("kid", 32)), "alg": "RS256"}
        payload = {
            "ver": 1,
            "jti": "AT." + _b64(self._random("jti", 60)),
            "iss": "https://identity.simulator.invalid/oauth2/default",
            "aud": "https://api.simulator.invalid/v3",
            "iat": now_ms // 1000,
            "exp": expires_ms // 1000,
            "cid": client_id[:40],
            "uid": _b64(self._random("uid", 15)),
            "scp": list(scopes),
        }
        head = _b64(orjson.dumps(header)) + "." + _b64(orjson.dumps(payload)) + "."
        # The signature takes up what is missing to about 1,100 characters.
        signature = _b64(self._random("signature", max(256, (1100 - len(head)) * 3 // 4)))
        token = head + signature
        self.access_tokens[token] = AccessToken(client_id, scopes, expires_ms)
        return token

    def revoke(self) -> None:
        """The user takes the authorization back: every token ends."""
        for each in self.refresh_tokens.values():
            each.ended = True
        self.access_tokens.clear()

    def expire_access_tokens(self) -> int:
        """All access tokens expire now; returns how many there were."""
        for each in self.access_tokens.values():
            each.expires_ms = 0
        return len(self.access_tokens)


def _invalid_grant(description: str) -> OAuthError:
    return OAuthError(400, "invalid_grant", description)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
