"""What a bulk activity's counters say: ActivityImport, ActivityListsMembership."""

from collections.abc import Mapping
from typing import Any

from constant_contact.api.records import number

_FAILED = ("error_count", "correctable_count", "cannot_add_to_list_count")


def look_like(activity: Mapping[str, Any], counters: Any) -> bool:
    """Whether a job with these counters may be the one that this call began."""
    contacts: int = activity["contacts"]
    if activity["kind"] == "import":
        return _count(counters, "person_count") == contacts
    as_many_lists = _count(counters, "list_count") == len(activity["list_ids"])
    return as_many_lists and _count(counters, "items_total_count") == contacts


def add_up(activity: Mapping[str, Any], counters: Any) -> bool:
    """Whether every contact of the call came through."""
    contacts: int = activity["contacts"]
    if activity["kind"] == "import":
        none_failed = [_count(counters, name) for name in _FAILED] == [0, 0, 0]
        return none_failed and _count(counters, "person_count") == contacts
    names = ("items_total_count", "items_completed_count")
    return all(_count(counters, name) == contacts for name in names)


def _count(counters: Any, name: str) -> int | None:
    return number(counters.get(name)) if isinstance(counters, dict) else None
