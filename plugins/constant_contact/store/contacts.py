"""The mirror of contacts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from constant_contact.store import database


def upsert_page(
    connection: psycopg.Connection[Any], records: Sequence[tuple[Any, ...]], mirrored_at: datetime
) -> None:
    """Mirror a page of `ContactRecord`s, as the vendor had them at `mirrored_at` or later."""
    database.stage(connection, "contacts/stage", "staged_contact", records)
    database.run(connection, "contacts/upsert_page", {"mirrored_at": mirrored_at})
