"""Saved searches: what a person looks for in the wizard again and again, kept under a name."""

import json
from dataclasses import asdict
from typing import Any, Final, Literal

from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.memberships.bulk_memberships import Wanted, check_list

_MOST: Final = 200


def save_search(
    crm: Database,
    name: str,
    list_id: str,
    action: Literal["add", "remove"],
    wanted: Wanted,
    *,
    by: str,
) -> int:
    """Keep a search, in place of the one with its name; return its id.

    Raises:
        SettingError: There is no such list.
    """
    kept = {
        "name": name,
        "list_id": list_id,
        "action": action,
        "criteria": json.dumps(asdict(wanted)),
        "saved_by": by,
    }
    with crm.transaction() as connection:
        check_list(connection, list_id)
        saved = database.row(connection, "saved_searches/save", kept) or {}
    return int(saved["search_id"])


def saved_searches(crm: Database) -> list[dict[str, Any]]:
    """The saved searches by name: `search_id`, `name`, `action` and `list_name`."""
    return crm.rows("saved_searches/saved", {"most": _MOST})


def saved_search(crm: Database, search_id: int) -> dict[str, Any] | None:
    """One saved search; None if there is none (any more)."""
    return crm.row("saved_searches/look", {"search_id": search_id})


def delete_search(crm: Database, search_id: int) -> None:
    """Delete a saved search; one that is gone already stays so."""
    crm.run("saved_searches/delete", {"search_id": search_id})
