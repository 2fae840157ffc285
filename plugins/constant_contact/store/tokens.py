"""The row that lets one process at a time refresh a connection's tokens."""

from collections.abc import Iterator
from contextlib import contextmanager

from constant_contact.store import database
from constant_contact.store.database import Database


@contextmanager
def token_lock(crm: Database, conn_id: str) -> Iterator[None]:
    """Hold the row of `conn_id` until the block ends; others wait, on any machine."""
    with crm.transaction() as connection:
        database.run(connection, "api/add_token_row", {"conn_id": conn_id})
    with crm.transaction() as connection:
        database.row(connection, "api/lock_token", {"conn_id": conn_id})
        yield
        database.run(connection, "api/count_refresh", {"conn_id": conn_id})
