"""A CSV file, written while its rows are read, that no spreadsheet takes for formulas."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from fastapi.responses import StreamingResponse

from constant_contact.accounts import DEFAULT, Account

MOST_ROWS: Final = 100_000
# With these a spreadsheet takes a text for a formula (OWASP, “CSV Injection”), some of them in full
# width too: at the start of a cell, and so after whatever the reader's sheet takes for the end of
# the cell before.
_FORMULA: Final = re.compile(
    r"(^|[;,|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
)


def answer(
    account: Account,
    name: str,
    columns: Sequence[str],
    chunks: Iterator[Sequence[Mapping[str, Any]]],
) -> StreamingResponse:
    """Answer with a file; what hinders the first chunk is raised here, before anything is sent.

    Args:
        account: Whose it is; the file's name says so, unless it is the default one.
        name: What is in it, such as "api-calls"; its last word is what a row is.
        columns: The keys of the rows that are written, in this order.
        chunks: The rows; no more than `MOST_ROWS` are asked for.
    """
    first = next(chunks, [])
    whose = "" if account == DEFAULT else f"{account.name}-"
    file_name = f"{name}-{whose}{datetime.now(UTC):%Y-%m-%d-%H%M}.csv"
    return StreamingResponse(
        _lines(columns, chain([first], chunks), name.rsplit("-", maxsplit=1)[-1]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _lines(
    columns: Sequence[str], chunks: Iterable[Sequence[Mapping[str, Any]]], noun: str
) -> Iterator[str]:
    yield _csv([list(columns)])
    written = 0
    for chunk in chunks:
        yield _csv([[_cell(row[name]) for name in columns] for row in chunk])
        written += len(chunk)
    if written == MOST_ROWS:
        yield _csv([[f"Cut after {MOST_ROWS:,} {noun}: ask for fewer, such as a shorter time."]])


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
