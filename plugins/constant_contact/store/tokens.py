"""The row that lets one process at a time refresh a connection's tokens."""

from collections.abc import Iterator
from contextlib import contextmanager

from constant_contact.store import database
from constant_contact.store.database import Database


@contextmanager
def token_lock(crm: Database, conn_id: str, wait_s: int | None = None) -> Iterator[None]:
    """Hold the row of `conn_id` until the block ends; others wait, on any machine.

    Args:
        crm: Where the row is.
        conn_id: The connection whose tokens change.
        wait_s: How long to wait for it, whatever the session's limits; None: as those say.
    """
    with crm.transaction() as connection:
        database.run(connection, "api/add_token_row", {"conn_id": conn_id})
    with crm.transaction() as connection:
        if wait_s is not None:
            database.row(connection, "api/wait_for_token", {"wait": f"{wait_s}s"})
        database.row(connection, "api/lock_token", {"conn_id": conn_id})
        yield
        database.run(connection, "api/count_refresh", {"conn_id": conn_id})
