"""One API call: what allows it, and what is kept of it.

`api` makes calls and `store` keeps them; here is what they know of each other.
"""

from datetime import datetime
from typing import NamedTuple, Protocol

from constant_contact.errors import BudgetSpent


class CallPlan(Protocol):
    """Which calls an API key has; an account's settings are one."""

    @property
    def conn_id(self) -> str:
        """The connection whose fields these are."""

    @property
    def api_key_digest(self) -> str:
        """What names the key in the database."""

    @property
    def calls_per_second(self) -> float:
        """The vendor's limit, or less."""

    @property
    def calls_per_day(self) -> int:
        """Likewise; the day is UTC."""


class AccessTokens(Protocol):
    """Gives the access token of each call."""

    def access_token(self, rejected: str | None = None) -> str:
        """Return a token that should work; another than `rejected`, which got a 401.

        Raises:
            AuthorizationRequired: There is none.
        """

    def renew(self) -> None:
        """Redeem the refresh token though the access token may still be good.

        Raises:
            AuthorizationRequired, SettingError, RefreshUncertain: It gave none.
        """


class CallBudget(Protocol):
    """Hands out the calls of one API key to everyone who shares the database."""

    def take_slot(self) -> float:
        """Wait for this call's turn; return the seconds waited.

        Raises:
            BudgetSpent: The day has no calls left for this lane.
        """

    def left(self) -> int:
        """How many calls are left today."""

    def observe(self, duration_s: float) -> None:
        """Take note of how long a call's answer took to begin: its spread is the jitter."""

    def slow_down(self) -> None:
        """Take note that the vendor throttled: no call for a second."""

    def day_spent(self, message: str) -> BudgetSpent:
        """Take note that the vendor calls the day spent; return the error to raise."""


class Call(NamedTuple):
    """One HTTP call as the log keeps it; nothing here holds a secret or an address.

    Attributes:
        status: None when no reply came.
        items: Rows in the reply's first list; None where it has none.
        reply_body: Of an error reply only: redacted, cut.
    """

    called_at: datetime
    method: str
    path: str
    status: int | None
    error_key: str | None
    error_message: str | None
    items: int | None = None
    reply_bytes: int | None = None
    duration_ms: int = 0
    waited_ms: int = 0
    request_id: str | None = None
    tracking_id: str | None = None
    reply_body: str | None = None


class CallLog(Protocol):
    """Keeps every call; never blocks and never raises."""

    def add(self, call: Call) -> None:
        """Take one call to be stored."""
