"""Reading the call log, as a person searches it."""

from typing import Any, Final

import psycopg
from psycopg import sql

from constant_contact.store import database
from constant_contact.store.listing import Keyset, Row, fetched, first_rows

_MOST_CHOICES: Final = 200
_COUNTED: Final = (
    "SELECT CASE WHEN error_message IS NOT NULL THEN coalesce(status, 0) END AS status,"
    " error_key, count(*) AS calls, coalesce(sum(items), 0) AS items,"
    " sum(duration_ms) AS duration_ms FROM ({}) AS newest GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
)


def count(
    connection: psycopg.Connection[Any], wanted: dict[str, Any], keyset: Keyset, most: int
) -> list[Row]:
    """Of the first calls: how many a status (null where nothing failed, 0: no answer) and key.

    With the rows of their answers (`items`) and what they took (`duration_ms`), added up.
    """
    newest = first_rows("web/matching_calls", keyset, most)
    return fetched(connection, sql.SQL(_COUNTED).format(newest), wanted)


def counted(rows: list[Row]) -> list[Row]:
    """As `count`, of calls that are at hand."""
    found: dict[tuple[int | None, str | None], Row] = {}
    for row in rows:
        status = (row["status"] or 0) if row["error_message"] else None
        group = found.setdefault(
            (status, row["error_key"]),
            {
                "status": status, "error_key": row["error_key"], "calls": 0, "items": 0,
                "duration_ms": 0,
            },
        )  # fmt: skip
        group["calls"] += 1
        group["items"] += row["items"] or 0
        group["duration_ms"] += row["duration_ms"]
    return sorted(found.values(), key=lambda group: -group["calls"])


def choices(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """What is in the log to be filtered by: for dag_id, task_id and error_key."""
    found: dict[str, list[str]] = {"dag_id": [], "task_id": [], "error_key": []}
    for row in database.rows(connection, "web/call_choices", {"most": _MOST_CHOICES}):
        found[row["noun"]].append(row["value"])
    return found


def one(connection: psycopg.Connection[Any], call_id: int) -> Row | None:
    """A call with its reply; None if it is not in the log, or not any more."""
    return database.row(connection, "web/call", {"call_id": call_id})
