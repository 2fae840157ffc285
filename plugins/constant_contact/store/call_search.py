"""Reading the call log, as a person searches it: newest first, a page at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg import sql

from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.store.sql import statement

Row = dict[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Rows that one transaction reads of a file; between two nothing is held, however slowly the reader
# takes them.
_CHUNK: Final = 5_000
_MOST_CHOICES: Final = 200
_NEWEST_FIRST: Final = "SELECT * FROM ({}) AS matching ORDER BY called_at DESC, call_id DESC"
_OLDEST_FIRST: Final = "SELECT * FROM ({}) AS matching ORDER BY called_at, call_id"
_COUNTED: Final = (
    "SELECT CASE WHEN error_message IS NOT NULL THEN coalesce(status, 0) END AS status,"
    " error_key, count(*) AS calls FROM ({}) AS newest GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
)


class Place(NamedTuple):
    """Between which calls a page ends; calls that come later do not move it."""

    called_at: datetime
    call_id: int

    @classmethod
    def of(cls, row: Row) -> Self:
        """The place of a call."""
        return cls(row["called_at"], row["call_id"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that `str` wrote.

        Raises:
            ValueError, OverflowError: It did not.
        """
        microseconds, call_id = map(int, text.split("."))
        return cls(_EPOCH + timedelta(microseconds=microseconds), call_id)

    def __str__(self) -> str:
        return f"{(self.called_at - _EPOCH) // timedelta(microseconds=1)}.{self.call_id}"


class CallsPage(NamedTuple):
    """One page, newest first, and whether there is more on either side."""

    rows: list[Row]
    has_newer: bool
    has_older: bool


def page(
    connection: psycopg.Connection[Any],
    wanted: Mapping[str, Any],
    most: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> CallsPage:
    """The calls next to a place; the newest ones without any.

    Args:
        connection: In a transaction.
        wanted: The parameters of web/matching_calls.
        most: Calls on a page.
        before: Older ones than this.
        after: Newer ones than this; the newest page, where they would not fill one.
    """
    if after is not None:
        found = _found(connection, _OLDEST_FIRST, wanted, most + 1, after=after)
        if len(found) > most:
            return CallsPage(found[most - 1 :: -1], has_newer=True, has_older=True)
        before = None
    found = _found(connection, _NEWEST_FIRST, wanted, most + 1, before=before)
    return CallsPage(found[:most], has_newer=before is not None, has_older=len(found) > most)


def count(connection: psycopg.Connection[Any], wanted: Mapping[str, Any], most: int) -> list[Row]:
    """Of the newest calls: how many a status (null where nothing failed, 0: no answer) and key."""
    newest = sql.SQL(f"{_NEWEST_FIRST} LIMIT %(most)s").format(_matching())
    return _rows(connection, sql.SQL(_COUNTED).format(newest), _params(wanted, most))


def counted(rows: list[Row]) -> list[Row]:
    """As `count`, of calls that are at hand."""
    found = Counter(
        (row["error_message"] and (row["status"] or 0), row["error_key"]) for row in rows
    )
    return [
        {"status": status, "error_key": error_key, "calls": calls}
        for (status, error_key), calls in found.most_common()
    ]


def every(crm: Database, wanted: Mapping[str, Any], most: int) -> Iterator[list[Row]]:
    """All of them, newest first, in chunks, up to `most` calls."""
    place: Place | None = None
    while most > 0:
        with crm.transaction() as connection:
            chunk = _found(connection, _NEWEST_FIRST, wanted, min(most, _CHUNK), before=place)
        yield chunk
        most -= len(chunk)
        if len(chunk) < _CHUNK:
            return
        place = Place.of(chunk[-1])


def choices(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """What is in the log to be filtered by: for dag_id, task_id and error_key."""
    found: dict[str, list[str]] = {"dag_id": [], "task_id": [], "error_key": []}
    for row in database.rows(connection, "web/call_choices", {"most": _MOST_CHOICES}):
        found[row["noun"]].append(row["value"])
    return found


def one(connection: psycopg.Connection[Any], call_id: int) -> Row | None:
    """A call with its reply; None if it is not in the log, or not any more."""
    return database.row(connection, "web/call", {"call_id": call_id})


def _matching() -> sql.SQL:
    return sql.SQL(statement("web/matching_calls").rstrip(";"))


def _params(
    wanted: Mapping[str, Any], most: int, before: Place | None = None, after: Place | None = None
) -> dict[str, Any]:
    nowhere = (None, None)
    (before_at, before_id), (after_at, after_id) = before or nowhere, after or nowhere
    place = {
        "before_at": before_at, "before_id": before_id, "after_at": after_at, "after_id": after_id,
    }  # fmt: skip
    return {**wanted, **place, "most": most}


def _found(
    connection: psycopg.Connection[Any],
    order: Any,
    wanted: Mapping[str, Any],
    most: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> list[Row]:
    query = sql.SQL(f"{order} LIMIT %(most)s").format(_matching())
    return _rows(connection, query, _params(wanted, most, before, after))


def _rows(
    connection: psycopg.Connection[Any], query: sql.Composed, params: Mapping[str, Any]
) -> list[Row]:
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    # Not prepared: which index is best depends on what is asked for.
    return cursor.execute(query, params, prepare=False).fetchall()
