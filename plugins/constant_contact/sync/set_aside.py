"""Rows that meet an unexpected error while they are read: set aside, and the others go on.

Each is kept with its reason in `ctct_set_aside` until it goes through; every run tries it again,
and names it. Where many are met it is not about a row, and the run ends.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import psycopg

from constant_contact.api.records import parse_rows, text
from constant_contact.errors import (
    ConstantContactError,
    Rejected,
    ServerFault,
    TextRefused,
    unforeseen,
)
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.set_aside")
_NAMED: Final = 20
_ID_CHARS: Final = 200
# By noun that comes in pages: which field of its row is its id.
_ID_FIELDS: Final = {
    "contact": "contact_id",
    "campaign": "campaign_id",
    "summary": "campaign_id",
    "list": "list_id",
}
# So many in one run are no errors about one row each.
_MOST: Final = 20
# So many rows, one after the other, that the vendor fails at: it is out of order.
_MOST_FAULTS: Final = 3

Record = TypeVar("Record")


class SetAside:
    """The rows of one noun that one run sets aside.

    Args:
        crm: Where they are kept.
        noun: As in `ctct_set_aside`.

    Attributes:
        met: This run's, by id their reasons.
        unread: The ids of those of them that could not even be read.
        faults: How many calls about one row each the vendor has just failed at, one after the
            other.
    """

    def __init__(self, crm: Database, noun: str) -> None:
        self._crm = crm
        self._noun = noun
        self.met: dict[str, str] = {}
        self.unread: set[str] = set()
        self.faults = 0
        self._known: set[str] = set()

    @property
    def is_vendor_out(self) -> bool:
        """Whether the vendor fails at all calls for now: the rows not asked for yet wait."""
        return self.faults >= _MOST_FAULTS

    def parse(
        self, rows: Sequence[Any], parse: Callable[[dict[str, Any]], Record | None]
    ) -> tuple[list[Record], int]:
        """Read a page's rows; return its records, and how many rows were none.

        Args:
            rows: Of the page.
            parse: Reads one; None if it lacks its id.

        Raises:
            Unforeseen: Too many are unexpected.
        """
        unread = 0

        def guarded(row: dict[str, Any]) -> Record | None:
            nonlocal unread
            try:
                return parse(row)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is about this row
                unread += 1
                row_id = text(row.get(_ID_FIELDS[self._noun])) or "?"
                self._note(row_id, error)
                self.unread.add(row_id)
                return None

        records, malformed = parse_rows(rows, guarded)
        return records, malformed - unread

    def store(
        self, connection: psycopg.Connection[Any], records: Sequence[Any],
        write: Callable[[Sequence[Any]], object],
    ) -> None:  # fmt: skip
        """Write a page's records; those that were set aside before and are written now are settled.

        Args:
            connection: Of the transaction that keeps the page.
            records: Ids, or tuples that begin with one.
            write: Writes some of them in that transaction.

        Raises:
            Unforeseen: Too many are unexpected.
            ConstantContactError: What is not about one row.
        """
        # Also begins the transaction, which the halves are savepoints of.
        known = set(self.standing(connection))
        self.halve(connection, records, write)
        if known:
            stored = {_id_of(record) for record in records} - self.met.keys()
            self._settle(connection, sorted(known & stored))

    def halve(
        self, connection: psycopg.Connection[Any], records: Sequence[Any],
        write: Callable[[Sequence[Any]], object],
    ) -> None:  # fmt: skip
        """Write records, in ever smaller parts where they meet an error; keep what is to blame.

        Args:
            connection: Of a transaction that has begun.
            records: As in `store`; a range of ids, too.
            write: As in `store`.
        """
        self._halve(connection, records, write)
        if self.met:
            self._keep(connection)

    @contextmanager
    def watch(self, row_id: str, *, is_call: bool = False) -> Iterator[None]:
        """Set a row aside if what is done about it meets an unexpected error; else settle it.

        Args:
            row_id: Which.
            is_call: Whether it is a call that asks for this row alone: then a fault of the vendor's
                is about the row, too.

        Raises:
            Unforeseen: Too many are unexpected.
            ConstantContactError: What is not about one row.
        """
        try:
            yield
        except Exception as error:
            is_fault = is_call and isinstance(error, ServerFault)
            if isinstance(error, Rejected):
                # The vendor's own answer.
                self.faults = 0
            if is_about_all(error) and not is_fault:
                raise
            self.faults += is_fault
            self._note(row_id, error)
            with self._crm.transaction() as connection:
                self._keep(connection)
        else:
            self.faults = 0
            self.forget(row_id)

    def standing(self, connection: psycopg.Connection[Any]) -> list[str]:
        """The ids of those that are set aside."""
        return [row["row_id"] for row in self._standing(connection)]

    def forget(self, row_id: str) -> None:
        """Settle a row: it has gone through, or the vendor no longer has it."""
        with self._crm.transaction() as connection:
            self._settle(connection, [row_id[:_ID_CHARS]])

    def put_last(self, row_ids: Sequence[str]) -> list[str]:
        """The same ids, those that are set aside behind the others."""
        with self._crm.transaction() as connection:
            self._known = set(self.standing(connection))
        return sorted(row_ids, key=lambda row_id: row_id[:_ID_CHARS] in self._known)

    def require(self, unasked: Sequence[str]) -> None:
        """End a run that could not ask for rows which were not set aside before `put_last`.

        Its next try begins with them.

        Raises:
            ServerFault: There are some.
        """
        if new := {row_id[:_ID_CHARS] for row_id in unasked} - self._known:
            raise ServerFault(
                f"Constant Contact failed at {_MOST_FAULTS} calls one after the other, each about "
                f"one {self._noun}; {len(new)} more were not asked for, and the next try begins "
                "with them"
            )

    def to_try(self, before: datetime) -> list[str]:
        """The ids of those that were not tried since then, those that waited longest first."""
        with self._crm.transaction() as connection:
            standing = self._standing(connection)
        waiting = sorted(standing, key=lambda row: row["tried_at"])
        return [row["row_id"] for row in waiting if row["tried_at"] < before]

    def log_standing(self) -> int:
        """Name in the log what is set aside; return how many there are."""
        with self._crm.transaction() as connection:
            standing = self._standing(connection)
        for row in standing[:_NAMED]:
            since = f"{row['found_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            _log.warning("set aside since %s: %s", since, row["reason"])
        if len(standing) > _NAMED:
            _log.warning("%d more are set aside: ctct_set_aside", len(standing) - _NAMED)
        return len(standing)

    def _halve(
        self, connection: psycopg.Connection[Any], records: Sequence[Any],
        write: Callable[[Sequence[Any]], object],
    ) -> None:  # fmt: skip
        try:
            with self._crm.explained(connection), connection.transaction():
                write(records)
        except Exception as error:
            if is_about_all(error) or not records:
                raise
            if len(records) == 1:
                self._note(_id_of(records[0]), error)
                return
            middle = len(records) // 2
            self._halve(connection, records[:middle], write)
            self._halve(connection, records[middle:], write)

    def _note(self, row_id: str, error: Exception) -> None:
        met = unforeseen(f"{self._noun} {row_id[:_ID_CHARS]}", error)
        self.met[row_id[:_ID_CHARS]] = str(met)
        if len(self.met) > _MOST:
            raise met from error

    def _keep(self, connection: psycopg.Connection[Any]) -> None:
        # Other threads may add to them.
        met = dict(self.met)
        columns = {"row_id": list(met), "reason": list(met.values())}
        database.run(connection, "set_aside/keep", columns | {"noun": self._noun})

    def _settle(self, connection: psycopg.Connection[Any], row_ids: list[str]) -> None:
        database.run(connection, "set_aside/settle", {"noun": self._noun, "row_id": row_ids})

    def _standing(self, connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
        return database.rows(connection, "set_aside/standing", {"noun": self._noun})


def is_about_all(error: Exception) -> bool:
    """Whether an error is about more than one row: one of this package's, but for a text."""
    return isinstance(error, ConstantContactError) and not isinstance(error, TextRefused)


def _id_of(record: Any) -> str:
    return str(record[0] if isinstance(record, tuple) else record)[:_ID_CHARS]
