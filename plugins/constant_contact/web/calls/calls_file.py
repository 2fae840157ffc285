"""API calls as a CSV file, written while it is read."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from constant_contact.store import call_search
from constant_contact.store.call_search import Row
from constant_contact.store.database import Database

MOST_ROWS: Final = 100_000
_COLUMNS: Final = (
    "call_id", "called_at", "dag_id", "run_id", "task_id", "map_index", "try_number", "method",
    "path", "status", "error_key", "error_message", "items", "reply_bytes", "duration_ms",
    "waited_ms", "request_id", "tracking_id",
)  # fmt: skip
# With these a spreadsheet takes a text for a formula (OWASP, “CSV Injection”), some of them in full
# width too: at the start of a cell, and so after whatever the reader's sheet takes for the end of
# the cell before.
_FORMULA: Final = re.compile(
    r"(^|[;,|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
)


def lines(crm: Database, wanted: Mapping[str, Any]) -> Iterator[str]:
    """The file in parts; what hinders the first is raised here, before anything is sent."""
    chunks = call_search.every(crm, wanted, MOST_ROWS)
    first = next(chunks, [])
    return _written(chain([first], chunks))


def _written(chunks: Iterator[list[Row]]) -> Iterator[str]:
    yield _csv([list(_COLUMNS)])
    written = 0
    for chunk in chunks:
        yield _csv([[_cell(row[name]) for name in _COLUMNS] for row in chunk])
        written += len(chunk)
    if written == MOST_ROWS:
        yield _csv([[f"Cut after {MOST_ROWS:,} calls: ask for fewer, such as a shorter time."]])


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A value that no spreadsheet runs; times in UTC."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    if isinstance(value, str):
        return _FORMULA.sub(r"\1\2'", value)
    return value
