"""The overview's first sentence: how the syncs went, and whether something waits for a person."""

from collections.abc import Sequence

from airflow.utils.state import DagRunState

from constant_contact.web.frame.parts import Part
from constant_contact.web.overview.attention import Line
from constant_contact.web.overview.syncs import Row


def summary(syncs: Part[list[Row]], needs: Sequence[Part[list[Line]]]) -> str:
    """Such as "All syncs succeeded; 2 things wait for you."."""
    return f"{_of_syncs(syncs)}; {_of_needs(needs)}."


def _of_syncs(syncs: Part[list[Row]]) -> str:
    if syncs.value is None:
        return "How the syncs went could not be looked up"
    ended = [(row, row.last_ended) for row in syncs.value]
    failed = [
        row.sync.title for row, run in ended if run is not None and run.state == DagRunState.FAILED
    ]
    if failed:
        return f"{', '.join(failed)} failed"
    if syncs.value and all(row.is_paused for row in syncs.value):
        return "All syncs are paused"
    if not any(run for _, run in ended):
        return "No sync has ended yet"
    return "All syncs succeeded"


def _of_needs(needs: Sequence[Part[list[Line]]]) -> str:
    count = sum(len(part.value or ()) for part in needs)
    if any(part.problem for part in needs):
        return "not all that may wait for you could be looked up"
    if not count:
        return "nothing waits for you"
    return "1 thing waits for you" if count == 1 else f"{count} things wait for you"
