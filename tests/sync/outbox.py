"""The outbox as its tests look at it."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from simulator.server import Running
from tests.support import LOCK_WAITS, contact_id, vendor_contact

# The seam's file that is not shipped.
FLAG_BACK = SeamFile(
    Path("flag_back.sql"),
    "UPDATE crm_contact AS crm SET do_not_email = TRUE FROM changed_flag AS changed"
    " WHERE crm.contact_id = changed.contact_id",
)
Add = Callable[..., None]
Rows = Callable[..., list[dict[str, Any]]]


def changes(sql_rows: Rows) -> list[tuple[str, str, bool]]:
    rows = sql_rows("SELECT * FROM crm_opt_out_change ORDER BY change_id")
    return [(row["contact_id"], row["status"], row["do_not_email"]) for row in rows]


def puts(simulator: Running) -> int:
    return sum(call["method"] == "PUT" for call in simulator.control.calls())


def crowd(simulator: Running, add_crm_contact: Add, size: int) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(size)])
    for n in range(size):
        add_crm_contact(f"c{n}", f"{n}@example.com", constant_contact_id=contact_id(n))


def approve(crm: Database) -> int:
    """A person approves all that waits for an answer; returns how many rows that lets go on."""
    with crm.transaction() as connection:
        asked = connection.execute("SELECT hold_id, noun FROM ctct_hold WHERE answer IS NULL")
        waiting = asked.fetchall()
    return sum(holds.answer(crm, hold, "approved", by="ann") for hold in waiting)


def wait_for_a_waiter(sql_rows: Rows, waiters: int = 1) -> None:
    """Until somebody waits for an advisory lock, or for a row."""
    waiting = f"{LOCK_WAITS} AND locktype IN ('advisory', 'transactionid')"
    deadline = monotonic() + 60
    while len(sql_rows(waiting)) < waiters:
        assert monotonic() < deadline, "nobody waits"
