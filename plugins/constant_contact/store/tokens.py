"""The row that lets one process at a time refresh a connection's tokens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from constant_contact.errors import Retriable
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.tokens")


@contextmanager
def token_lock(crm: Database, conn_id: str, wait_s: int | None = None) -> Iterator[None]:
    """Hold the row of `conn_id` until the block ends; others wait, on any machine.

    Where the connection is lost before that, so is the row; the block's work counts all the same.
    Waits for it at most `wait_s`, whatever the session's limits; None: as those say.
    """
    key = {"conn_id": conn_id}
    crm.run("api/add_token_row", key)
    is_done = False
    try:
        with crm.transaction() as connection:
            if wait_s is not None:
                database.row(connection, "api/wait_for_token", {"wait": f"{wait_s}s"})
            database.row(connection, "api/lock_token", key)
            yield
            is_done = True
            database.run(connection, "api/count_refresh", key)
    except Retriable as error:
        if not is_done:
            raise
        _log.warning("the tokens of %s are stored; meanwhile, %s", conn_id, error)
