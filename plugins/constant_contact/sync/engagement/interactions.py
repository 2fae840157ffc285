"""Interactions: what the CRM shows of the ledger. No API call."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from constant_contact.api.vendor import TRACKER_BY_TYPE
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.report import Report
from constant_contact.sync.set_aside import SetAside

_NEW_EVENTS: Final = "interactions/project_new_events"
_NEW_LINKS: Final = "interactions/project_new_links"


@dataclass
class InteractionsReport(Report):
    """What a run changed in the CRM, in rows of `crm_interaction`.

    Attributes:
        of_new_types: Of activity types that the CRM shows again.
        left_out: Taken away, of types that it no longer shows.
        judged_anew: Opens that turned out to be automatic, or not to be.
        renamed: Of campaigns whose name has changed.
        set_aside: Events whose interactions met an unexpected error, this time or before; the next
            run tries them again.
    """

    of_new_events: int = 0
    of_new_links: int = 0
    of_new_types: int = 0
    moved_away: int = 0
    left_out: int = 0
    judged_anew: int = 0
    renamed: int = 0
    set_aside: int = 0


def project_interactions(
    crm: Database, *, activity_types: Collection[str] = TRACKER_BY_TYPE.keys()
) -> InteractionsReport:
    """Make the CRM's interactions those of the ledger, the links and the activity types.

    Args:
        crm: Where all of them are.
        activity_types: What the CRM shows. The ledger keeps the others: shown again, they come
            back whole.
    """
    database.recount(crm)
    with crm.transaction() as connection:
        # Event ids are drawn before they are committed: behind the writers all below is there.
        database.row(connection, "engagement/lock_projection")
        known = state.load(connection, "interactions")
        newest = database.row(connection, "engagement/newest_event", {"position": known.position})
    with crm.transaction() as connection:
        database.row(connection, "engagement/lock_interactions")
        known = state.load(connection, "interactions")
        upto = max(known.position, (newest or {})["event_id"])
        new = {"position": known.position, "constant_contact_id": None}
        database.run(connection, "consent/hear_clicks", new)
        making = _Making(crm, connection)
        report = _project(connection, making, known.position, upto, sorted(activity_types))
        state.save(connection, "interactions", known._replace(position=upto))
    report.set_aside = making.aside.log_standing()
    return report


class _Making:
    """Makes interactions of events; those that meet an unexpected error are set aside."""

    def __init__(self, crm: Database, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.aside = SetAside(crm, "event")

    def make(self, name: str, events: range, left_out: list[str]) -> int:
        """Run a statement that makes those of a range of event ids; return how many."""
        made = 0

        def write(some: Sequence[int]) -> None:
            nonlocal made
            reach = {"position": some[0] - 1, "upto": some[-1], "left_out": left_out}
            made += database.run(self._connection, name, reach)

        if events:
            self.aside.halve(self._connection, events, write)
        return made

    def make_again(self, left_out: list[str]) -> int:
        """Try again what was set aside before; return how many were made."""
        made = 0

        def write(some: Sequence[int]) -> None:
            nonlocal made
            reaches = ({"position": each - 1, "upto": each, "left_out": left_out} for each in some)
            made += sum(database.run(self._connection, _NEW_EVENTS, reach) for reach in reaches)

        events = [int(row_id) for row_id in self.aside.standing(self._connection)]
        if events:
            self.aside.store(self._connection, events, write)
        return made


def _project(
    connection: psycopg.Connection[Any],
    making: _Making,
    position: int,
    upto: int,
    types: list[str],
) -> InteractionsReport:
    """What is there is put right first, so that all below it adds is right at once."""
    report = InteractionsReport()
    database.run(connection, "engagement/stage_link_changes")
    if _has_link_changes(connection, "interactions/take_moved_links"):
        report.moved_away = database.run(connection, "interactions/drop_moved_interactions")
    if gone := _types(connection, "engagement/forget_types", types):
        report.left_out = database.run(
            connection, "interactions/drop_types", {"activity_types": gone}
        )
    reach = {"position": position, "upto": upto, "left_out": _others(types)}
    report.judged_anew = database.run(connection, "interactions/judge_opens_anew", reach)
    if renamed := database.rows(connection, "campaigns/take_renamed"):
        streams = {"stream_ids": [row["stream_id"] for row in renamed], "position": position}
        report.renamed = database.run(connection, "interactions/rename_campaigns", streams)
    if returned := _types(connection, "engagement/add_types", types):
        before = range(1, position + 1)
        report.of_new_types = making.make(_NEW_EVENTS, before, _others(returned))
    left_out = _others(types)
    report.of_new_events = making.make_again(left_out)
    report.of_new_events += making.make(_NEW_EVENTS, range(position + 1, upto + 1), left_out)
    if _has_link_changes(connection, "interactions/take_new_links"):
        report.of_new_links = making.make(_NEW_LINKS, range(1, upto + 1), left_out)
    return report


def _has_link_changes(connection: psycopg.Connection[Any], name: str) -> bool:
    """Of ten contacts it is the index that finds the rows, of all of them a pass over the table."""
    if not database.run(connection, name):
        return False
    database.analyze(connection, "link_change")
    return True


def _types(connection: psycopg.Connection[Any], name: str, types: list[str]) -> list[str]:
    return [
        row["activity_type"] for row in database.rows(connection, name, {"activity_types": types})
    ]


def _others(types: list[str]) -> list[str]:
    return sorted(TRACKER_BY_TYPE.keys() - types)
