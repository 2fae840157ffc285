"""Which span of time the activities job has covered: why a backfill is cheap.

The trackers give events newest first and have no date filter, so a reading passes over everything
younger than what it is after, and keeps it. Whatever a complete run began after is stored.
"""

from datetime import datetime

from constant_contact.store import state
from constant_contact.store.database import Database

_NOUN = "activities"


def is_covered(crm: Database, until: datetime) -> bool:
    """Whether a complete run has stored everything that occurred before `until`."""
    with crm.transaction() as connection:
        covered_to = state.load(connection, _NOUN).covered_to
    return covered_to is not None and until <= covered_to


def begin(crm: Database) -> None:
    """Keep when the run's first look at the vendor began."""
    with crm.transaction() as connection:
        known = state.load(connection, _NOUN)
        now = state.database_now(connection)
        state.save(connection, _NOUN, known._replace(reading_since=now))


def end(crm: Database) -> None:
    """The run that began last has read every stream to where it is wanted."""
    with crm.transaction() as connection:
        known = state.load(connection, _NOUN)
        if known.reading_since is not None:
            state.save(
                connection,
                _NOUN,
                known._replace(covered_to=known.reading_since, reading_since=None),
            )
