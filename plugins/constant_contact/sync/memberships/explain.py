"""Why a CRM contact is on a list or is not: the rules of memberships, asked about one contact."""

from typing import Any, NamedTuple

import psycopg

from constant_contact.store import database
from constant_contact.sync.memberships import routes

_ON_IT = "Was on the list already."
# What routing leaves to a call has no detail: the words are here, by the route.
_TO_COME = {
    "add": "Nothing keeps it from the list: a run of memberships would put it there.",
    "import": "It is not at Constant Contact yet: it would be created there, on this list.",
    "create": "It is not at Constant Contact yet: it would be created there, on this list.",
    "wait": (
        "Something of it is under way: a call with this contact is not finished, a change of its "
        "Do Not Email is carried first, or it waits to be linked to its contact at Constant "
        "Contact. It is looked at again in a moment."
    ),
}


class Explanation(NamedTuple):
    """How a contact stands to a list.

    Attributes:
        is_on_it: As the mirror has it.
        asked: How the CRM's request ended; None: there was none.
        now: What a request to be put on the list would meet as things stand.
    """

    is_on_it: bool
    asked: dict[str, Any] | None
    now: str


def explain(
    connection: psycopg.Connection[Any], contact_id: str, list_id: str
) -> Explanation | None:
    """Ask the rules; writes nothing. None: the CRM has no such contact."""
    if not routes.want(
        connection, {"contact_id": [contact_id], "list_id": list_id, "action": "add"}
    ):
        return None
    routes.route(connection)
    routed = database.row(connection, "memberships/count_routes") or {}
    pair = {"contact_id": contact_id, "list_id": list_id}
    return Explanation(
        is_on_it=routed["detail"] == _ON_IT,
        asked=database.row(connection, "memberships/membership_request", pair),
        now=routed["detail"] or _TO_COME[routed["route"]],
    )
