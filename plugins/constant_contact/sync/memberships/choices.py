"""Choices: contacts that a person chose on a page, kept until a run requests their memberships.

What is requested is exactly what was shown: the ids are kept when they are found, and nothing of a
choice changes any more once a person wants it carried. Whether each of them may be put there is
asked three times, each time by the same statement: for the page, by the run that writes the
requests, and by the one that carries them. No API call here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import psycopg

from constant_contact.errors import ChangesRefused, SettingError
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.memberships import routes
from constant_contact.sync.memberships.bulk_memberships import (
    BulkMembershipsReport,
    Wanted,
    check_list,
    find,
    preview,
    write_requests,
)
from constant_contact.sync.objections import look_and_hear

_CHANGED = (
    "choice {}: it has changed since it was shown, or was requested already: load its page again"
)


def choose(
    crm: Database, list_id: str, action: Literal["add", "remove"], wanted: Wanted, *, by: str
) -> int:
    """Find contacts, and keep them as a choice.

    Returns:
        The choice's id.

    Raises:
        SettingError: There is no such list or selection.
    """
    look_and_hear(crm)
    with crm.transaction() as connection:
        check_list(connection, list_id)
        contact_ids = find(connection, wanted, crm.seam)
        unknown = len(set(wanted.contact_ids) - set(contact_ids))
        kept = {
            "list_id": list_id,
            "action": action,
            "criteria": json.dumps(asdict(wanted)),
            "unknown": unknown,
            "made_by": by,
        }
        choice = database.row(connection, "choices/add", kept) or {}
        chosen = {"choice_id": choice["choice_id"], "contact_id": contact_ids}
        database.run(connection, "choices/add_contacts", chosen)
    return int(choice["choice_id"])


def leave_out(
    crm: Database, choice_id: int, *, shown: Sequence[str], ticked: Sequence[str]
) -> None:
    """Leave out those that were shown and are not ticked; take in those that are.

    Raises:
        ChangesRefused: It was requested already.
    """
    params = {"choice_id": choice_id, "shown": list(shown), "ticked": list(ticked)}
    with crm.transaction() as connection:
        _edit(connection, choice_id)
        database.run(connection, "choices/leave_out", params)


def leave_out_all(crm: Database, choice_id: int, *, is_left_out: bool) -> None:
    """Leave all out, or take all in again.

    Raises:
        ChangesRefused: It was requested already.
    """
    params = {"choice_id": choice_id, "is_left_out": is_left_out}
    with crm.transaction() as connection:
        _edit(connection, choice_id)
        database.run(connection, "choices/leave_out_all", params)


def _edit(connection: psycopg.Connection[Any], choice_id: int) -> None:
    if not database.run(connection, "choices/edit", {"choice_id": choice_id}):
        raise ChangesRefused(_CHANGED.format(choice_id))


def find_choice(crm: Database, choice_id: int) -> dict[str, Any] | None:
    """A choice as it stands; None if there is none (any more)."""
    return crm.row("choices/look", {"choice_id": choice_id})


def foretell(crm: Database, choice_id: int) -> BulkMembershipsReport:
    """Find out what would become of a choice as things stand, and keep it for its page.

    Kept are `report`, about how many `calls` it takes, and `groups` of contacts by what is done:
    `kind` (carried, unchanged or refused), `route`, `detail`, `contacts`, and a `sample`.

    Raises:
        SettingError: There is no such choice (any more), or its list is gone.
    """
    with crm.transaction() as connection:
        choice = database.row(connection, "choices/look", {"choice_id": choice_id})
        if choice is None:
            raise SettingError("param choice_id", f"{choice_id} is no choice (any more)")
        report = _previewed(connection, choice, _requests(connection, choice_id, choice))
        foretold = {
            "report": report.as_dict(),
            "calls": routes.estimate_calls(connection),
            "groups": _groups(connection),
        }
        kept = {"choice_id": choice_id, "edits": choice["edits"], "foretold": json.dumps(foretold)}
        database.run(connection, "choices/foretell", kept)
    return report


def submit(crm: Database, choice_id: int, *, edits: int, by: str) -> None:
    """A person wants it carried as it was shown; a second time is the first.

    Raises:
        ChangesRefused: It has changed since.
    """
    params = {"choice_id": choice_id, "edits": edits, "submitted_by": by}
    if not crm.run("choices/submit", params):
        raise ChangesRefused(_CHANGED.format(choice_id))


def request_choice(crm: Database, choice_id: int) -> BulkMembershipsReport:
    """Write the requests of a choice; once: a repeat tells what the first time did.

    Raises:
        SettingError: There is no such choice, it was not requested, or its list is gone.
    """
    look_and_hear(crm)
    with crm.transaction() as connection:
        choice = database.row(connection, "choices/take", {"choice_id": choice_id})
        if choice is None or choice["submitted_at"] is None:
            raise SettingError(
                "param choice_id", f"{choice_id} is no choice that waits to be carried"
            )
        if choice["report"] is not None:
            return BulkMembershipsReport(**choice["report"])
        requests = _requests(connection, choice_id, choice)
        report = _previewed(connection, choice, requests)
        write_requests(connection, requests, choice["submitted_at"], report)
        kept = {"choice_id": choice_id, "report": json.dumps(report.as_dict())}
        database.run(connection, "choices/end", kept)
    return report


def _previewed(
    connection: psycopg.Connection[Any], choice: dict[str, Any], requests: dict[str, Any]
) -> BulkMembershipsReport:
    check_list(connection, choice["list_id"])
    report = preview(connection, choice["list_id"], choice["action"], requests["contact_id"])
    report.unknown += choice["unknown"]
    return report


def _requests(
    connection: psycopg.Connection[Any], choice_id: int, choice: dict[str, Any]
) -> dict[str, Any]:
    found = database.rows(connection, "choices/contacts", {"choice_id": choice_id})
    contact_ids = [row["contact_id"] for row in found]
    return {"contact_id": contact_ids, "list_id": choice["list_id"], "action": choice["action"]}


_KINDS = {"done": "unchanged", "rejected": "refused", "failed": "refused"}


def _groups(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """What `preview` routed, by the answer, with some of the contacts."""
    samples = {
        (row["route"], row["detail"]): row["sample"]
        for row in database.rows(connection, "memberships/sample_routes")
    }
    return [
        row
        | {
            "kind": _KINDS.get(row["route"], "carried"),
            "sample": samples.get((row["route"], row["detail"]), []),
        }
        for row in database.rows(connection, "memberships/count_routes")
    ]
