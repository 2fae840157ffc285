"""When the vendor was last asked what moved: why a backfill is cheap.

The trackers give events newest first and have no date filter, so a reading passes over everything
younger than what it is after, and keeps it. How far back each stream is read stands with the
stream; a run for days before the last complete discovery has nothing to ask but what lies deeper.
"""

from datetime import datetime

from constant_contact.store import state
from constant_contact.store.database import Database

_NOUN = "activities"


def is_discovered(crm: Database, until: datetime) -> bool:
    """Whether a discovery that ended well began after `until`."""
    with crm.transaction() as connection:
        discovered_to = state.load(connection, _NOUN).covered_to
    return discovered_to is not None and until <= discovered_to


def begin(crm: Database) -> datetime:
    """When a discovery begins, by the clock that all workers share."""
    with crm.transaction() as connection:
        return state.database_now(connection)


def end(crm: Database, began_at: datetime) -> None:
    """Keep that a discovery ended well: what had moved when it began stands with the streams."""
    with crm.transaction() as connection:
        known = state.load(connection, _NOUN)
        covered_to = max(filter(None, (known.covered_to, began_at)))
        state.save(connection, _NOUN, known._replace(covered_to=covered_to))
