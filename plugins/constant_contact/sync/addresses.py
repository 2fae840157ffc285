"""Who has an address at Constant Contact, asked of the vendor itself."""

from collections.abc import Sequence
from typing import Any, Final

from constant_contact.api.client import Client
from constant_contact.api.records import parse_contact, text
from constant_contact.store import contacts, database, state
from constant_contact.store.database import Database
from constant_contact.sync.links import update_links

_QUERY: Final = {"status": "all", "include": "list_memberships"}


def contacts_at(client: Client, address: str) -> list[dict[str, Any]]:
    """The vendor's contacts with this address, the living ones first.

    What else a loose search brings is left out: it is somebody else.
    """
    found = client.get("/contacts", {"email": address} | _QUERY).get("contacts")
    rows = [each for each in found or [] if isinstance(each, dict) and _has(each, address)]
    return sorted(rows, key=lambda row: bool(row.get("deleted_at")))


def _has(contact: dict[str, Any], address: str) -> bool:
    email = contact.get("email_address")
    told = text(email.get("address")) if isinstance(email, dict) else None
    return told is not None and told.strip().lower() == address.strip().lower()


def follow(client: Client, crm: Database, contact_ids: Sequence[str]) -> None:
    """Link CRM contacts whose link is gone to whoever has their address at the vendor by now.

    Whom the CRM flags is queued as an opt-out of the new link in the same moment. One call each.
    """
    for contact_id in contact_ids:
        with crm.transaction() as connection:
            person = database.row(connection, "crm/contact", {"contact_id": contact_id}) or {}
            mirrored_at = state.database_now(connection)
        if not (address := (person.get("preferred_email") or "").strip()):
            continue
        records = [parse_contact(each) for each in contacts_at(client, address)]
        with crm.transaction() as connection:
            contacts.upsert_page(connection, [one for one in records if one], mirrored_at)
    if contact_ids:
        update_links(crm)
