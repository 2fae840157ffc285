"""The token pair as it is stored, and what can be read from it."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from constant_contact.api.authorization import scopes_of


def digest_of(secret: str) -> str:
    """A short name of a secret: two differ by it, and it gives none away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else ""


@dataclass(frozen=True)
class TokenPair:
    """An access token and the refresh token that came with it.

    Attributes:
        seed_digest: Digest of the connection's refresh token that this pair descends from: when
            a person pastes another one, the pair no longer counts.
        client_digest: Digest of the API key and the token endpoint that it belongs to: another
            application's tokens are of no use to another.
        authorized_by: Who authorized by the page in the Airflow UI, as Airflow names them; "" if
            the pair descends from a pasted seed.
        authorized_at_utc: When that was.
        replaces: Digest of the credentials that a new application took the place of: a task that
            began with those may not use its seed; "" if none did.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at_utc: datetime
    obtained_at_utc: datetime
    scopes: tuple[str, ...]
    seed_digest: str
    client_digest: str
    authorized_by: str = ""
    authorized_at_utc: datetime | None = None
    replaces: str = ""

    def to_json(self) -> str:
        """As it is stored (encrypted by Airflow)."""
        values = self.__dict__ | {
            "expires_at_utc": self.expires_at_utc.isoformat(),
            "obtained_at_utc": self.obtained_at_utc.isoformat(),
            "authorized_at_utc": self.authorized_at_utc and self.authorized_at_utc.isoformat(),
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
            authorized_at = values.get("authorized_at_utc")
            return cls(
                access_token=values["access_token"],
                refresh_token=values["refresh_token"],
                expires_at_utc=datetime.fromisoformat(values["expires_at_utc"]),
                obtained_at_utc=datetime.fromisoformat(values["obtained_at_utc"]),
                scopes=tuple(values["scopes"]),
                seed_digest=values["seed_digest"],
                client_digest=values["client_digest"],
                authorized_by=values.get("authorized_by", ""),
                authorized_at_utc=authorized_at and datetime.fromisoformat(authorized_at),
                replaces=values.get("replaces", ""),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("not a stored token pair") from error

    @classmethod
    def from_reply(
        cls, reply: dict[str, Any], *, refresh_token: str, seed_digest: str, client_digest: str
    ) -> Self:
        """Read the token endpoint's reply; `refresh_token` is the one sent, if none came back."""
        now = datetime.now(UTC)
        return cls(
            access_token=str(reply["access_token"]),
            refresh_token=str(reply.get("refresh_token") or refresh_token),
            expires_at_utc=now + timedelta(seconds=float(reply.get("expires_in") or 3600)),
            obtained_at_utc=now,
            scopes=scopes_of(reply),
            seed_digest=seed_digest,
            client_digest=client_digest,
        )


def claims(access_token: str) -> dict[str, Any]:
    """What an access token says of itself, unverified: to be shown, never to decide by.

    It is a JWT as the vendor makes them now; of anything else there is nothing to say.
    """
    try:
        payload = access_token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
