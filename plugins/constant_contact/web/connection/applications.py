"""The application that the jobs use, and the one that is to take its place.

Until it has, the next one is in an encrypted Variable of its own: key, secret and, once authorized,
tokens. No job reads it.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Final, Literal, Self

from airflow.utils.session import create_session
from sqlalchemy.orm import Session

from constant_contact.accounts import Account
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.redact import hide
from constant_contact.store.database import Database
from constant_contact.web.frame import stored
from constant_contact.web.frame.crm import page_hook

Application = Literal["current", "next"]
CURRENT: Final = "current"
NEXT: Final = "next"
# A request of a page holds a thread of the api-server, and a refresh the row that jobs wait for.
_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True)
class NextApplication:
    """What is known so far.

    Attributes:
        begun_by: The user of Airflow who entered key and secret.
        tokens: Its token pair as JSON; "" before it is authorized.
    """

    api_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    redirect_url: str
    begun_by: str
    tokens: str = field(default="", repr=False)

    @classmethod
    def load(cls, session: Session, account: Account, *, lock: bool = False) -> Self | None:
        """The one of an account's connection, if its credentials are being replaced."""
        kept = stored.read(session, account, _key(account), lock=lock)
        found = cls(**json.loads(kept)) if kept else None
        if found:
            hide(found.client_secret)
        return found

    def is_grant_of(self, other: "NextApplication") -> bool:
        """Whether both are one application by one authorization; a refresh changes neither."""
        if self.api_key != other.api_key or not self.tokens or not other.tokens:
            return False
        mine, theirs = TokenPair.from_json(self.tokens), TokenPair.from_json(other.tokens)
        return mine.authorized_at_utc == theirs.authorized_at_utc

    def settings(self, current: ApiSettings) -> ApiSettings:
        """The connection's settings with this application; it has no seed."""
        return replace(
            current,
            api_key=self.api_key,
            client_secret=self.client_secret,
            redirect_url=self.redirect_url,
            refresh_token="",
        )

    def save(self, session: Session, account: Account) -> None:
        """Store it in place of what is stored for an account."""
        conn_id = account.constant_contact_conn_id
        description = f"The application that replaces the one of connection {conn_id}"
        stored.write(session, account, _key(account), json.dumps(asdict(self)), description)

    @staticmethod
    def forget(session: Session, account: Account) -> None:
        """Keep what an account has; nothing takes its place."""
        stored.forget(session, _key(account))


def _key(account: Account) -> str:
    return f"{account.constant_contact_conn_id}_next_token"


class _NextTokens(stored.StoredTokens):
    """Keeps the next application's tokens beside its key and secret."""

    def __init__(self, crm: Database, account: Account) -> None:
        super().__init__(crm, f"{account.constant_contact_conn_id}_next")
        self._account = account

    def _read(self) -> str | None:
        with create_session(scoped=False) as session:
            following = NextApplication.load(session, self._account)
        return following.tokens if following else None

    def _write(self, text: str) -> None:
        with create_session(scoped=False) as session:
            following = NextApplication.load(session, self._account, lock=True)
            if following is None:
                raise _nothing_replaced(self._account)
            replace(following, tokens=text).save(session, self._account)


def hook_of(account: Account, application: Application) -> ConstantContactHook:
    """An account by one of its applications, with the patience of a page.

    Raises:
        SettingError: The connection is missing or wrong, or nothing is being replaced.
    """
    hook = page_hook(account)
    settings = replace(hook.settings, timeout_s=min(hook.settings.timeout_s, _TIMEOUT_S))
    if application == NEXT:
        with create_session(scoped=False) as session:
            following = NextApplication.load(session, account)
        if following is None:
            raise _nothing_replaced(account)
        settings = following.settings(settings)
        hook.token_store = _NextTokens(hook.crm, account)
    hook.settings = settings
    return hook


def _nothing_replaced(account: Account) -> SettingError:
    return SettingError(
        f"connection {account.constant_contact_conn_id}",
        "its credentials are not being replaced, or no longer; begin again on the page Replace "
        "credentials",
    )
