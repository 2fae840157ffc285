"""The outbox as its tests look at it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from constant_contact.sync.consent.opt_outs import OptOutsReport
from constant_contact.sync.objections import lift
from simulator.server import Running
from tests.support import LOCK_WAITS, Add, Rows, contact_id, vendor_contact

Push = Callable[..., OptOutsReport]
# The seam's file that is not shipped.
FLAG_BACK = SeamFile(
    Path("flag_back.sql"),
    "UPDATE crm_contact AS crm SET do_not_email = TRUE FROM changed_flag AS changed"
    " WHERE crm.contact_id = changed.contact_id",
)
NOT_FOUND: dict[str, Any] = {
    "status": 404,
    "body": [{"error_key": "contacts.api.not_found", "error_message": "x"}],
}


def changes(sql_rows: Rows) -> list[tuple[str, str, bool]]:
    rows = sql_rows("SELECT * FROM crm_opt_out_change ORDER BY change_id")
    return [(row["contact_id"], row["status"], row["do_not_email"]) for row in rows]


def puts(simulator: Running) -> int:
    return sum(call["method"] == "PUT" for call in simulator.control.calls())


def crowd(simulator: Running, add_crm_contact: Add, size: int) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(size)])
    for n in range(size):
        add_crm_contact(f"c{n}", f"{n}@example.com", constant_contact_id=contact_id(n))


def permission(simulator: Running, constant_contact_id: str) -> str:
    """Of a contact, as it truly is."""
    return str(simulator.control.truth_contact(constant_contact_id)["permission"])


def is_out(simulator: Running, constant_contact_id: str) -> bool:
    return permission(simulator, constant_contact_id) == "unsubscribed"


def load_people(simulator: Running, *names: str) -> None:
    """Contacts 1 and so on at the vendor, each at the address of its name."""
    simulator.control.load(
        contacts=[vendor_contact(n, f"{each}@example.com") for n, each in enumerate(names, 1)]
    )


def mailable(simulator: Running) -> list[str]:
    """The addresses at the vendor that may be mailed."""
    return [
        each["email"]
        for each in simulator.control.truth_contacts()
        if not each["deleted"] and each["permission"] != "unsubscribed"
    ]


def read_from(crm: Database, text: Any) -> None:
    """Read the CRM's contacts by another contacts.sql from now on."""
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))


def merge(crm: Database, contact_id: str, *, into: str) -> None:
    """From now on the CRM's view says that one of its contacts is part of another."""
    text: Any = (
        f"SELECT *, CASE contact_id WHEN '{contact_id}' THEN '{into}' END AS merged_into"
        " FROM crm_contact"
    )
    read_from(crm, text)


def lift_all(crm: Database, sql_rows: Rows, source: str) -> None:
    """A person lifts all objections of a source, as on the page Why?."""
    standing = "SELECT objection_id FROM ctct_objection WHERE source = %s AND lifted_at IS NULL"
    for row in sql_rows(standing, source):
        lift(crm, row["objection_id"], evidence="of another contact", by="ann")


def approve(crm: Database) -> int:
    """A person approves all that waits for an answer; returns how many rows that lets go on."""
    with crm.transaction() as connection:
        asked = connection.execute("SELECT hold_id FROM ctct_hold WHERE answer IS NULL")
        waiting = asked.fetchall()
    return sum(holds.answer(crm, hold_id, "approved", by="ann") for (hold_id,) in waiting)


def wait_for_a_waiter(sql_rows: Rows, waiters: int = 1) -> None:
    """Return when a session waits for an advisory lock, or for a row."""
    waiting = f"{LOCK_WAITS} AND locktype IN ('advisory', 'transactionid')"
    deadline = monotonic() + 60
    while len(sql_rows(waiting)) < waiters:
        assert monotonic() < deadline, "no session waits"
