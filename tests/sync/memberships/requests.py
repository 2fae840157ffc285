"""Shorthands for the tests of memberships."""

from collections.abc import Callable

from constant_contact.sync.memberships.push import MembershipsReport
from simulator.server import Running
from tests.support import Rows

Push = Callable[..., MembershipsReport]


def list_id(number: int) -> str:
    """The id of the vendor's list `number`."""
    return f"00000000-0000-4000-8001-{number:012d}"


def answers(sql_rows: Rows) -> dict[tuple[str, int], tuple[str, str | None]]:
    """What became of each request: (CRM contact, list) → (status, detail)."""
    rows = sql_rows("SELECT * FROM crm_list_membership ORDER BY contact_id, list_id")
    return {
        (row["contact_id"], int(row["list_id"][-12:])): (row["status"], row["detail"])
        for row in rows
    }


def statuses(sql_rows: Rows) -> list[str]:
    return [status for status, _ in answers(sql_rows).values()]


def on_lists(simulator: Running) -> dict[str, set[int]]:
    """Address → the lists it is on, as the vendor has it."""
    return {
        contact["email"]: {int(each[-12:]) for each in contact["lists"]}
        for contact in simulator.control.truth_contacts()
        if not contact["deleted"]
    }


def made(simulator: Running, method: str, part: str) -> int:
    """How many calls were made."""
    return sum(
        call["method"] == method and part in call["path"] for call in simulator.control.calls()
    )


def a_night_later(sql_rows: Rows) -> None:
    """All that was asked for and answered is a day older."""
    sql_rows(
        "UPDATE crm_list_membership SET requested_at = requested_at - interval '1 day',"
        " processed_at = processed_at - interval '1 day',"
        " refused_at = refused_at - interval '1 day'"
    )
