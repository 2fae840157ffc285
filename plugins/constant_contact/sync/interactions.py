"""Interactions: what the CRM shows of the ledger. No API call."""

from dataclasses import dataclass

from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.reports import Report


@dataclass
class InteractionsReport(Report):
    """What a run changed in the CRM, in rows of `crm_interaction`."""

    of_new_events: int = 0
    of_new_links: int = 0
    moved_away: int = 0


def project_interactions(crm: Database) -> InteractionsReport:
    """Make interactions of new events and of the whole history of new links; move moved ones."""
    report = InteractionsReport()
    with crm.transaction() as connection:
        # Event ids are drawn before they are committed: behind the writers all below is there.
        database.row(connection, "engagement/lock_projection")
        known = state.load(connection, "interactions")
        newest = database.row(connection, "engagement/newest_event", {"position": known.position})
    reach = {"position": known.position, "upto": (newest or {})["event_id"]}
    with crm.transaction() as connection:
        report.moved_away = database.run(connection, "crm/drop_moved_interactions")
        database.run(connection, "crm/drop_moved_links")
        report.of_new_events = database.run(connection, "crm/project_new_events", reach)
        report.of_new_links = database.run(connection, "crm/project_new_links", reach)
        state.save(connection, "interactions", known._replace(position=reach["upto"]))
    return report
