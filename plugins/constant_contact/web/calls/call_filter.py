"""What the page of API calls is asked for: the fields of its form, and what they mean in SQL."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from fastapi import HTTPException, Query, status
from pydantic import AfterValidator, AwareDatetime, Field
from pydantic_core import PydanticCustomError

from constant_contact.redact import is_telling
from constant_contact.web.frame.tables import NewestFilter, Number, without_nul

_MOST_CHARS: Final = 300
SPANS: Final = {
    "hour": "last hour",
    "today": "today",
    "day": "last 24 hours",
    "week": "last 7 days",
    "month": "last 30 days",
    "all": "all that is kept",
}
_LENGTHS: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}
STATUSES: Final = ("failed", "no answer", "2xx", "3xx", "4xx", "5xx")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Airflow leaves this where the task is not mapped.
_NO_MAP_INDEX: Final = "{MAP_INDEX}"


def _if_mapped(text: str) -> str:
    return "" if text == _NO_MAP_INDEX else text


def _not_telling(text: str) -> str:
    if is_telling(text):
        raise PydanticCustomError(
            "telling", "no email address may be in a URL; none is in the log either"
        )
    return text


Text = Annotated[str, Field(max_length=_MOST_CHARS), AfterValidator(without_nul)]
# What a person types: Airflow's ids and our places come from links.
Typed = Annotated[Text, AfterValidator(_not_telling)]


class CallFilter(NewestFilter):
    """Which calls are shown, and in which order."""

    columns: ClassVar = {
        "called_at": True, "task_id": False, "path": False, "status": True, "items": True,
        "duration_ms": True,
    }  # fmt: skip
    default: ClassVar = "-called_at"
    keys: ClassVar = {"called_at": AwareDatetime, "call_id": Number}
    # A few thousand are also what a plan is made for that follows the time.
    most_sorted: ClassVar = 2_000

    span: Text = ""
    since: Text = Field("", alias="from")
    until: Text = Field("", alias="to")
    zone: Text = ""
    dag_id: Text = ""
    run_id: Text = ""
    task_id: Text = ""
    map_index: Annotated[Text, AfterValidator(_if_mapped)] = ""
    method: Text = ""
    path: Typed = ""
    status: Text = ""
    error_key: Typed = ""
    request_id: Typed = ""

    @property
    def shown_span(self) -> str:
        """How far back is looked: a week, but all for what is only found by its id."""
        if self.since or self.until:
            return ""
        return self.span or ("all" if self.run_id or self.request_id else "week")

    def wanted(self, now: datetime) -> dict[str, Any]:
        """The parameters of web/matching_calls.

        Raises:
            HTTPException: 422; a field cannot be understood.
        """
        since, until = self._range(now)
        return {
            "since": since,
            "until": until,
            "dag_id": self.dag_id or None,
            "run_id": self.run_id or None,
            "task_id": self.task_id or None,
            "map_index": self._map_index(),
            "method": self.method or None,
            "error_key": self.error_key or None,
            "request_id": self.request_id or None,
            **self._path(),
            **self._status(),
        }

    def _range(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        zone = _zone(self.zone)
        if not (self.since or self.until):
            span = self.shown_span
            if span == "today":
                midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
                return midnight, None
            return (now - _LENGTHS[span] if span in _LENGTHS else None), None
        return _moment("from", self.since, zone), _moment("to", self.until, zone)

    def _map_index(self) -> int | None:
        if not self.map_index:
            return None
        if not re.fullmatch(r"-?[0-9]{1,9}", self.map_index):
            raise _refused("map_index: must be a number.")
        return int(self.map_index)

    def _path(self) -> dict[str, Any]:
        """As LIKE has it: from the beginning, where an index helps, or anywhere."""
        text = self.path
        if not text:
            return {"path_like": None, "path_start": None}
        if not text.startswith("/"):
            return {"path_like": f"%{_literal(text)}%", "path_start": None}
        before_query = text.split("?")[0]
        return {"path_like": begins_with(text), "path_start": begins_with(before_query)}

    def _status(self) -> dict[str, Any]:
        asked = {"status": None, "status_least": None, "status_most": None, "is_failed": False}
        match self.status.lower():
            case "":
                return asked
            case "failed":
                return asked | {"is_failed": True}
            case "no answer":
                return asked | {"status": 0}
            case text if re.fullmatch("[2-5]xx", text):
                least = 100 * int(text[0])
                # what is not 2xx has failed: that index is the shorter way
                is_failed = text != "2xx"
                return asked | {
                    "status_least": least, "status_most": least + 99, "is_failed": is_failed,
                }  # fmt: skip
            case text if re.fullmatch("[1-5][0-9][0-9]", text, re.ASCII):
                return asked | {"status": int(text)}
        raise _refused(f"status: must be a number such as 404, or one of {', '.join(STATUSES)}.")


CallQuery = Annotated[CallFilter, Query()]


def begins_with(text: str) -> str:
    """What LIKE takes for all that begins with a text."""
    return f"{_literal(text)}%"


def _literal(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)


def _zone(name: str) -> ZoneInfo:
    """The reader's zone, as the page's script tells it; UTC without it."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(label: str, text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(f"{label}: must be a time such as 2026-01-31T09:30.") from None


def _refused(sentence: str) -> HTTPException:
    return HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, sentence)
