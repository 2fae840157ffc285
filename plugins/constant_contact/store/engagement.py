"""The engagement ledger."""

from collections.abc import Sequence
from typing import Any

import psycopg

from constant_contact.store import database


def add_page(
    connection: psycopg.Connection[Any], stream_id: int, records: Sequence[tuple[Any, ...]]
) -> int:
    """Add a page of `EventRecord`s to a stream; return how many were new."""
    database.row(connection, "engagement/lock_writers")
    database.stage(connection, "engagement/stage", "staged_event", records)
    return database.run(connection, "engagement/add_page", {"stream_id": stream_id})
