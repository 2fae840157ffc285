"""API calls: what was asked of Constant Contact, by which task, and what came back."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from constant_contact.config import accounts
from constant_contact.store import call_search
from constant_contact.store.listing import Row, keyset_chunks
from constant_contact.web.calls.call_filter import METHODS, SPANS, STATUSES, CallFilter, CallQuery
from constant_contact.web.frame import csv_file
from constant_contact.web.frame.accounts import turn_to
from constant_contact.web.frame.pages import go_to, or_404, page, wants_part
from constant_contact.web.frame.tables import newest
from constant_contact.web.frame.visit import AnyVisit, Reading
from constant_contact.web.overview.syncs import account_of

router = APIRouter(prefix="/calls")
of_task = APIRouter()
_MOST_KEYS: Final = 5
_COLUMNS: Final = (
    "call_id", "called_at", "dag_id", "run_id", "task_id", "map_index", "try_number", "method",
    "path", "status", "error_key", "error_message", "items", "reply_bytes", "duration_ms",
    "waited_ms", "request_id", "tracking_id",
)  # fmt: skip
_MOST_BIGINT: Final = 2**63 - 1


@dataclass(frozen=True)
class Summary:
    """What became of the newest calls.

    Attributes:
        counted: Of these.
        has_more: There are older ones.
        failed: By status as the filter has it (4xx, no answer, 2xx for what could not be read).
        error_keys: The most frequent ones.
        items: Rows of their answers.
        duration: What they took together.
    """

    counted: int
    has_more: bool
    failed: Mapping[str, int]
    error_keys: Mapping[str, int]
    items: int
    duration: timedelta

    @property
    def succeeded(self) -> int:
        """Calls without an error."""
        return self.counted - sum(self.failed.values())


@router.get("")
def calls(visit: Reading, asked: CallQuery) -> HTMLResponse:
    """The page; for htmx only what the form replaces."""
    wanted = asked.wanted(datetime.now(UTC))
    is_part = wants_part(visit.request)
    with visit.crm.transaction() as connection:
        found, pager = newest(connection, "web/matching_calls", wanted, asked)
        if pager.before is None and pager.after is None:
            counts = call_search.counted(found)
        else:
            counts = call_search.count(connection, wanted, asked.keyset(), asked.most_sorted)
        choices = {} if is_part else call_search.choices(connection)
    return page(
        visit.request,
        "calls_found" if is_part else "calls",
        asked=asked,
        found=found,
        pager=pager,
        summary=_summary(counts, asked.most_sorted),
        most_in_file=csv_file.MOST_ROWS,
        choices=choices,
        spans=SPANS,
        statuses=STATUSES,
        methods=METHODS,
    )


@router.get("/csv")
def calls_csv(visit: Reading, asked: CallQuery) -> StreamingResponse:
    """The same calls as a file."""
    wanted = asked.wanted(datetime.now(UTC))
    chunks = keyset_chunks(
        visit.crm, "web/matching_calls", wanted, asked.keyset(), csv_file.MOST_ROWS
    )
    return csv_file.answer(visit.account, "api-calls", _COLUMNS, chunks)


@of_task.get("/task-calls")
def calls_of_task(visit: AnyVisit, asked: CallQuery) -> RedirectResponse:
    """From a task in Airflow to its calls: those are in the log of the account whose DAG it is.

    Shows nothing, so every signed-in user may ask.
    """
    turn_to(visit.request, account_of(asked.dag_id, accounts()))
    return go_to(visit.request, f"/calls?{asked.query()}")


@router.get("/{call_id}")
def call(visit: Reading, call_id: Annotated[int, Path(ge=1, le=_MOST_BIGINT)]) -> HTMLResponse:
    """One call with everything that is kept of it."""
    with visit.crm.transaction() as connection:
        found = or_404(
            call_search.one(connection, call_id),
            f"Call {call_id} is not in the log: calls are forgotten after call_log_days.",
        )
    return page(
        visit.request,
        "call",
        call=found,
        reply=_readable(found["reply_body"]),
        log_path=log_path(found),
        same_task=_same_task(found),
        same_error=_query(error_key=found["error_key"]),
    )


def log_path(call: Row) -> str:
    """Where Airflow shows the log of the task that made a call; empty outside Airflow."""
    if not (call["dag_id"] and call["run_id"] and call["task_id"]):
        return ""
    parts = ["dags", call["dag_id"], "runs", call["run_id"], "tasks", call["task_id"]]
    map_index = call["map_index"]
    if map_index is not None and map_index >= 0:
        parts += ["mapped", str(map_index)]
    path = "".join(f"/{quote(part, safe='')}" for part in parts)
    return f"{path}?try_number={call['try_number'] or 1}"


def _same_task(call: Row) -> str:
    map_index = call["map_index"]
    return _query(
        dag_id=call["dag_id"],
        run_id=call["run_id"],
        task_id=call["task_id"],
        map_index=None if map_index is None else str(map_index),
    )


def _query(**fields: str | None) -> str:
    given = {name: value for name, value in fields.items() if value}
    return CallFilter.model_validate(given).query()


def _readable(body: str | None) -> str | None:
    """A reply's body; JSON with a line a field, unless it was cut."""
    try:
        return json.dumps(json.loads(body or ""), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _summary(counts: list[Row], most: int) -> Summary:
    failed: Counter[str] = Counter()
    error_keys: Counter[str] = Counter()
    counted = items = duration_ms = 0
    for row in counts:
        counted += row["calls"]
        items += row["items"]
        duration_ms += row["duration_ms"]
        if row["status"] is not None:
            name = f"{row['status'] // 100}xx" if row["status"] else "no answer"
            failed[name] += row["calls"]
        if row["error_key"]:
            error_keys[row["error_key"]] += row["calls"]
    return Summary(
        counted,
        counted == most,
        dict(sorted(failed.items())),
        dict(error_keys.most_common(_MOST_KEYS)),
        items,
        timedelta(milliseconds=duration_ms),
    )
