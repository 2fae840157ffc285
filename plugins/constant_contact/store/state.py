"""How far each reading of the API has come: `ctct_sync_state`, one row a noun."""

from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from constant_contact.store import database


class SyncState(NamedTuple):
    """One row; a noun that was never read has none of it.

    Attributes:
        covered_to: Everything changed before is in the mirror; None: never read.
        full_pass_at: When the last full pass began.
        reading: Which pass was begun and not ended: "full" or "changed"; None: none.
        reading_since: When that pass began.
        reading_from: What it asks for: changes after this; None in a full pass.
        cursor: Its next page; None: it has not stored its first page.
        rows_read: Rows of it stored so far.
        newest: The newest change it has seen so far.
        position: See the projection of interactions.
        first_total: How many the vendor counts on the pass's first page; None: it did not say.
        most_total: The most that it counts on a page of the pass.
    """

    covered_to: datetime | None = None
    full_pass_at: datetime | None = None
    reading: str | None = None
    reading_since: datetime | None = None
    reading_from: datetime | None = None
    cursor: str | None = None
    rows_read: int = 0
    newest: datetime | None = None
    position: int = 0
    first_total: int | None = None
    most_total: int | None = None


def load(connection: psycopg.Connection[Any], noun: str) -> SyncState:
    """Return the state of `noun`."""
    found = database.row(connection, "sync/load_state", {"noun": noun})
    return SyncState(**found) if found else SyncState()


def save(connection: psycopg.Connection[Any], noun: str, state: SyncState) -> None:
    """Store the state of `noun`; commits with whatever else the transaction does."""
    database.run(connection, "sync/save_state", {"noun": noun} | state._asdict())


def database_now(connection: psycopg.Connection[Any]) -> datetime:
    """The database's clock, which all workers share."""
    found = database.row(connection, "sync/now")
    if found is None:
        raise AssertionError("SELECT without FROM gave no row")
    now: datetime = found["now"]
    return now
