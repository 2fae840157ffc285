"""The overview's first sentence: how the syncs went, and whether something waits for a person."""

from collections.abc import Sequence

from airflow.utils.state import DagRunState

from constant_contact.web.frame.parts import Part
from constant_contact.web.overview.attention import Line
from constant_contact.web.overview.syncs import Row


def summary(syncs: Part[list[Row]], needs: Sequence[Part[list[Line]]]) -> str:
    """Such as "Opt-outs is paused; 2 things wait for you."."""
    return f"{_of_syncs(syncs)}; {_of_needs(needs)}."


def _of_syncs(syncs: Part[list[Row]]) -> str:
    if syncs.value is None:
        return "How the syncs went could not be looked up"
    scheduled = [row for row in syncs.value if row.sync.is_scheduled]
    paused = [row for row in scheduled if row.is_paused]
    is_all_paused = bool(paused) and len(paused) == len(scheduled)
    if not is_all_paused and not any(row.last_ended for row in syncs.value):
        return "No sync has ended yet"
    failed = [
        row
        for row in syncs.value
        if row.last_ended is not None and row.last_ended.state == DagRunState.FAILED
    ]
    not_run = [row for row in scheduled if row.last_ended is None and not row.is_paused]
    said = [
        _named(failed, "failed", "failed"),
        "All syncs are paused" if is_all_paused else _named(paused, "is paused", "are paused"),
        _named(not_run, "has not run yet", "have not run yet"),
    ]
    return "; ".join(filter(None, said)) or "All syncs succeeded"


def _named(rows: Sequence[Row], one: str, several: str) -> str:
    """Such as "Lists, Contacts are paused"; empty without any."""
    if not rows:
        return ""
    return f"{', '.join(row.sync.title for row in rows)} {one if len(rows) == 1 else several}"


def _of_needs(needs: Sequence[Part[list[Line]]]) -> str:
    count = sum(len(part.value or ()) for part in needs)
    if any(part.problem for part in needs):
        return "not all that may wait for you could be looked up"
    if not count:
        return "nothing waits for you"
    return "1 thing waits for you" if count == 1 else f"{count} things wait for you"
