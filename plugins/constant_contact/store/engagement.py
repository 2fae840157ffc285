"""The engagement ledger."""

from collections.abc import Sequence
from typing import Any

import psycopg

from constant_contact.store import database


def add_page(
    connection: psycopg.Connection[Any], stream_id: int, records: Sequence[tuple[Any, ...]]
) -> tuple[int, set[str]]:
    """Add a page of `EventRecord`s to a stream.

    Returns:
        How many were new, and the erased contacts whose events were left out.
    """
    database.row(connection, "engagement/lock_writers")
    database.stage(connection, "engagement/stage", "staged_event", records)
    added = database.run(connection, "engagement/add_page", {"stream_id": stream_id})
    left_out = database.rows(connection, "engagement/left_out")
    return added, {row["contact_id"] for row in left_out}
