"""Every error of this package, by what the one who catches it must do.

ConstantContactError
├── Fatal                 a person must act; repeating is useless
│   ├── SettingError          a setting is missing or wrong
│   ├── AuthorizationRequired the grant is gone: authorize again
│   ├── Forbidden             a scope, a privilege or the application's activation is missing
│   ├── ContractBroken        the reply is not what the vendor's contract promises
│   ├── SchemaError           a table or column of the CRM database is missing
│   ├── PrivilegeMissing      the login may not do something in the CRM database
│   ├── TextRefused           the CRM database cannot store a character
│   └── ChangesRefused        rows were refused; each says why, the others went through
├── Later                 no person acts; goes on by itself at `resume_at_utc`
│   ├── BudgetSpent           the day's calls are used up
│   ├── BulkQueueFull         the vendor's queue of bulk jobs is full
│   ├── BulkPending           the vendor still works on bulk jobs of ours
│   └── WritesBlocked         a firewall or proxy refuses every write on the way
├── Retriable             the same call may work in a moment
│   ├── Throttled             the vendor counted more calls in a second than the plan allows
│   ├── ServerFault           5xx, or a reply that is not whole or not JSON
│   │   └── GatewayReply          a firewall or proxy answered in the vendor's place
│   ├── ConnectionFault       no reply: refused, reset, timed out
│   ├── RefreshUncertain      the token endpoint gave no usable answer; the task tries again
│   ├── CredentialsReplaced   the connection has another application since the task began
│   ├── DatabaseUnavailable   the CRM database does not answer
│   │   └── DatabaseReadOnly      it answers, and takes no writes: a failover, as a rule
│   ├── DatabaseConflict      another session changed the same rows of the CRM database
│   ├── QueryTooSlow          a time limit ended a statement, or the wait for a lock
│   └── Unforeseen            an unexpected error, about one row; the others went on
├── WriteUncertain        a write got no answer: find out whether it happened, then repeat
│   └── WriteBlocked          a firewall or proxy answered it: it may be about the text in it
└── Rejected              this one call is refused; the others go on
    ├── NotFound              404
    ├── Conflict              409: in use, or edited by someone at the same time
    └── BadRequest            any other 4xx
        └── DeadCursor            a page link that the vendor no longer accepts

A message names the setting, row or call at fault and the next step. No message holds a secret,
a token or an email address: what comes from the vendor goes through `constant_contact.redact`.
"""

import traceback
from datetime import datetime
from pathlib import Path

from constant_contact.redact import redact, told_by


class ConstantContactError(Exception):
    """The root: whatever this package raises on purpose.

    Its message goes into logs: it is one line, and what it quotes holds no address.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class Fatal(ConstantContactError):
    """A person must act; a retry changes nothing."""


class SettingError(Fatal):
    """A setting is missing or wrong.

    Args:
        setting: The setting as a person finds it, such as "connection constant_contact_default,
            field Login (API key)".
        problem: What is wrong with it and what to do, without a full stop.
    """

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}.")
        self.setting = setting
        self.problem = problem


class Withdrawn(ConstantContactError):
    """What was about to be sent is no longer right; nothing was sent."""


class AuthorizationRequired(Fatal):
    """The vendor no longer accepts what is stored; a person must authorize again."""


class Forbidden(Fatal):
    """403: a missing scope, a missing user privilege or a deactivated application."""


class ContractBroken(Fatal):
    """The reply is not what the contract promises, such as a page link to another host."""


class SchemaError(Fatal):
    """A table or column that this package needs is missing in the CRM database."""


class PrivilegeMissing(Fatal):
    """The login lacks a privilege in the CRM database; the message has the GRANT."""


class TextRefused(Fatal):
    """The CRM database cannot store a character of a text."""


class ChangesRefused(Fatal):
    """Rows of an outbox were refused for good; the run is red so that a person looks."""


class Later(ConstantContactError):
    """Goes on by itself; no retry is used up."""

    def __init__(self, message: str, resume_at_utc: datetime) -> None:
        super().__init__(message)
        self.resume_at_utc = resume_at_utc


class BudgetSpent(Later):
    """The calls of the UTC day are used up, by our count or by the vendor's."""


class BulkQueueFull(Later):
    """More than 1,000 bulk activities are queued at the vendor."""


class BulkPending(Later):
    """The vendor still works on bulk activities of ours, or another run does."""


class WritesBlocked(Later):
    """A firewall or proxy before the vendor's API refuses every write; one is tried later."""


class Retriable(ConstantContactError):
    """The same call may succeed in a moment."""


class Throttled(Retriable):
    """429 `throttled`: clears within the second."""


class ServerFault(Retriable):
    """5xx, or a reply that is truncated or is not JSON."""


class GatewayReply(ServerFault):
    """A reply without the vendor's own words: from a firewall, proxy or portal in between.

    It is no verdict about the grant, the contact or the batch.

    Attributes:
        status: The HTTP status, which may be any.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ConnectionFault(Retriable):
    """No reply came: refused, reset or timed out."""


class RefreshUncertain(Retriable):
    """The token endpoint gave no usable answer; the refresh token may be used up.

    The client never repeats such a refresh: the next try of the task does, once.
    """


class CredentialsReplaced(Retriable):
    """The connection has another application since the task began; its next try uses that."""


class DatabaseUnavailable(Retriable):
    """The CRM database does not answer; nothing was acknowledged that is not stored."""


class DatabaseReadOnly(DatabaseUnavailable):
    """The CRM database takes no writes from this session; the next one is a new connection's."""


class DatabaseConflict(Retriable):
    """Another session changed the same rows of the CRM database; the transaction is undone."""


class QueryTooSlow(Retriable):
    """A statement, or its wait for a lock, took longer than the server or a page allows."""


class Unforeseen(Retriable):
    """An unexpected error while one row was carried.

    The row is set aside and the others go on; then the run ends red, and its next try repeats it.
    """


class WriteUncertain(ConstantContactError):
    """A write got no usable answer: it may or may not have happened."""


class WriteBlocked(WriteUncertain):
    """A firewall or proxy answered a write in the vendor's place: its text may be the cause.

    Attributes:
        status: The HTTP status, which may be any.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """Whether it was refused on the way; else something is out of order there for now."""
        return self.status < 500 and self.status != 408  # noqa: PLR2004


class Rejected(ConstantContactError):
    """The vendor refuses this one call.

    Attributes:
        status: The HTTP status.
        error_key: The vendor's key, such as "contacts.api.conflict"; None if it gave none.
        said: The vendor's own words, redacted; "" if it gave none.
    """

    def __init__(
        self, message: str, *, status: int, error_key: str | None = None, said: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_key = error_key
        self.said = said


class NotFound(Rejected):
    """404: the vendor does not know this id."""


class Conflict(Rejected):
    """409: the address is in use, or someone edits the same contact now."""


class BadRequest(Rejected):
    """Any other 4xx that concerns this one call."""


class DeadCursor(BadRequest):
    """A page link that the vendor no longer accepts: the listing must start again."""


def unforeseen(row: str, error: Exception) -> Unforeseen:
    """The error of a row that met an unexpected one.

    Args:
        row: Which, such as "change 12".
        error: What happened; the message names the last place of this package that it passed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "constant_contact" in frame.filename] or frames
    at = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return Unforeseen(
        f"{row}: {type(error).__name__}{at}: {told_by(error)}; it is set aside, the others go on, "
        "and the next run tries it again. If that does not help, report it with this line"
    )


def other_account(conn_id: str, nouns: str) -> SettingError:
    """The tokens are another account's than the one that was mirrored.

    Args:
        conn_id: The connection with the tokens.
        nouns: What tells: none of the account's is in the mirror.
    """
    return SettingError(
        f"connection {conn_id}",
        f"none of the {nouns} that Constant Contact shows is in the mirror: the tokens are those "
        "of another account. Authorize as a user of the same account (docs/tokens.md); nothing was "
        "changed",
    )
