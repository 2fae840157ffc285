"""What a bulk call tells the vendor."""

from collections.abc import Mapping
from typing import Any

from constant_contact.api import vendor
from constant_contact.api.records import cut
from constant_contact.store import database
from constant_contact.store.database import Database


def body_of(crm: Database, call: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a call, about the contacts that it still carries."""
    bulk_id = {"bulk_id": call["bulk_id"]}
    with crm.transaction() as connection:
        if call["kind"] == "import":
            params = bulk_id | {"name_chars": vendor.NAME_CHARS}
            people = database.rows(connection, "memberships/new_contacts", params)
            rows = [_import_row(person) for person in people]
            return {"import_data": rows, "list_ids": call["list_ids"]}
        targets = database.rows(connection, "memberships/targets", bulk_id)
    contact_ids = [row["target"] for row in targets]
    return {"source": {"contact_ids": contact_ids}, "list_ids": call["list_ids"]}


def _import_row(person: Mapping[str, Any]) -> dict[str, Any]:
    """JsonImportContact: address and names, and nothing else."""
    names = ("first_name", "last_name")
    given = {name: cut(person[name], vendor.NAME_CHARS) for name in names if person[name]}
    return {"email": person["email"]} | given
