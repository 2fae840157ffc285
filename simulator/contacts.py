"""The contacts, column by column: a million of them fit in some hundred megabytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.ids import dashed, uuid_bytes
from simulator.memberships import Memberships

PERMISSIONS = (
    "explicit",
    "implicit",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
)
EXPLICIT, IMPLICIT, NOT_SET, PENDING, TEMP_HOLD, UNSUBSCRIBED = range(6)
SOURCES = ("", "Contact", "Account")
NO_SOURCE, BY_CONTACT, BY_ACCOUNT = range(3)


class ContactStore:
    """Rows in order of creation. A row number never changes; a purged row stays behind unseen."""

    def __init__(self) -> None:
        self.size = 0
        #: Goes up with every change, so that results of filters can be kept until then.
        self.version = 0
        self.ids = np.zeros((0, 16), np.uint8)
        self.membership = np.zeros(0, np.int32)
        self.purged = np.zeros(0, np.bool_)
        # instants
        self.created_at = np.zeros(0, np.int64)
        self.updated_at = np.zeros(0, np.int64)
        self.email_created_at = np.zeros(0, np.int64)
        self.email_updated_at = np.zeros(0, np.int64)
        self.opt_in_date = np.zeros(0, np.int64)
        self.opt_out_date = np.zeros(0, np.int64)
        self.deleted_at = np.zeros(0, np.int64)
        # places in PERMISSIONS and SOURCES
        self.permission = np.zeros(0, np.uint8)
        self.opt_in_source = np.zeros(0, np.uint8)
        self.opt_out_source = np.zeros(0, np.uint8)
        self.create_source = np.zeros(0, np.uint8)
        self.update_source = np.zeros(0, np.uint8)
        self.emails: list[str | None] = []
        self.first_names: list[str | None] = []
        self.last_names: list[str | None] = []
        #: Scalars and sub-resources that few contacts have.
        self.extras: dict[int, dict[str, Any]] = {}
        self.reasons: dict[int, str] = {}
        #: Earlier addresses of a row, oldest first, with the instant each ended.
        self.past_emails: dict[int, list[tuple[int, str]]] = {}
        #: What permission, opt-out source and date were when the row was deleted.
        self.before_deletion: dict[int, tuple[int, int, int]] = {}
        self.resubscribe_sent: dict[int, list[int]] = {}
        self.by_id: dict[bytes, int] = {}
        self.by_email: dict[str, int] = {}
        self.memberships = Memberships()

    def reserve(self, size: int) -> None:
        """Make room for `size` rows in all."""
        have = len(self.ids)
        if size <= have:
            return
        room = max(size, have * 2, 1024)
        columns = {name: old for name, old in vars(self).items() if isinstance(old, np.ndarray)}
        for name, old in columns.items():
            new = np.zeros((room, *old.shape[1:]), old.dtype)
            new[: self.size] = old[: self.size]
            setattr(self, name, new)

    def add(self, contact_id: str, email: str | None, created_ms: int) -> int:
        """A new row: implicit, by the account, in no list. Returns its number.

        Raises:
            ValueError: the id or the address is taken.
        """
        key = uuid_bytes(contact_id)
        if key in self.by_id:
            raise ValueError(f"contact id taken: {contact_id}")
        if email is not None and email.lower() in self.by_email:
            raise ValueError(f"email address taken: {email}")
        row = self.size
        self.reserve(row + 1)
        self.size += 1
        self.ids[row] = np.frombuffer(key, np.uint8)
        self.by_id[key] = row
        self.emails.append(None)
        self.first_names.append(None)
        self.last_names.append(None)
        self.created_at[row] = self.updated_at[row] = created_ms
        self.create_source[row] = self.update_source[row] = BY_ACCOUNT
        self.permission[row] = NOT_SET
        if email is not None:
            self.set_email(row, email, created_ms)
            self.opt_in(row, IMPLICIT, BY_ACCOUNT, created_ms)
        self.version += 1
        return row

    def set_email(self, row: int, email: str, at_ms: int) -> None:
        """Give the row another address; the old one stays known with its end."""
        old = self.emails[row]
        if old is not None:
            self.past_emails.setdefault(row, []).append((at_ms, old))
            self.by_email.pop(old.lower(), None)
        else:
            self.email_created_at[row] = at_ms
        self.emails[row] = email
        self.by_email[email.lower()] = row
        self.email_updated_at[row] = at_ms

    def opt_in(self, row: int, permission: int, source: int, at_ms: int) -> None:
        """Set a permission other than unsubscribed; traces of an opt-out go."""
        self.permission[row] = permission
        self.opt_in_source[row] = source
        self.opt_in_date[row] = at_ms
        self.opt_out_source[row] = NO_SOURCE
        self.opt_out_date[row] = 0
        self.reasons.pop(row, None)
        self.email_updated_at[row] = at_ms

    def opt_out(self, row: int, source: int, reason: str | None, at_ms: int) -> None:
        """Unsubscribe. The row leaves its lists; `updated_at` does not move."""
        self.permission[row] = UNSUBSCRIBED
        self.opt_out_source[row] = source
        self.opt_out_date[row] = at_ms
        self.reasons.pop(row, None)
        if reason:
            self.reasons[row] = reason
        self.membership[row] = 0
        self.email_updated_at[row] = at_ms

    def email_at(self, row: int, at_ms: int) -> str:
        """The address the row had at that instant ('' when it never had one)."""
        for until_ms, address in self.past_emails.get(row, ()):
            if at_ms < until_ms:
                return address
        return self.emails[row] or ""

    def id_text(self, row: int) -> str:
        """The contact id of a row."""
        return dashed(self.ids[row].tobytes().hex())

    def lists_of(self, row: int) -> tuple[int, ...]:
        """Numbers of the row's lists, in order of joining."""
        return self.memberships.combinations[int(self.membership[row])]

    def find(self, contact_id: str) -> int | None:
        """The row with this id; None when there is none.

        Raises:
            ValueError: not a UUID.
        """
        return self.by_id.get(uuid_bytes(contact_id))

    def purge(self, row: int) -> None:
        """Forget the row's id and address; its columns stay for its events."""
        self.purged[row] = True
        self.by_id.pop(self.ids[row].tobytes(), None)
        email = self.emails[row]
        if email is not None:
            self.by_email.pop(email.lower(), None)
        self.version += 1

    def live(self) -> NDArray[np.bool_]:
        """Neither deleted nor purged, for each row."""
        mask: NDArray[np.bool_] = ~self.purged[: self.size] & (self.deleted_at[: self.size] == 0)
        return mask
