"""Who has an address at Constant Contact, asked of the vendor itself."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from constant_contact.api.client import Client
from constant_contact.api.records import parse_contact, text
from constant_contact.errors import Rejected
from constant_contact.store import contacts, database, state
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import update_links

_log = logging.getLogger("constant_contact.opt_outs")

_QUERY: Final = {"status": "all", "include": "list_memberships"}


def contacts_at(client: Client, crm: Database, email_key: str) -> list[dict[str, Any]]:
    """Ask the vendor for the contacts with an address; the living ones come first.

    What else a loose search brings is another contact, and left out.
    """
    found = client.get("/contacts", {"email": email_key} | _QUERY).get("contacts") or []
    addresses = [_address(each) for each in found]
    with crm.transaction() as connection:
        params = {"addresses": addresses, "email_key": email_key}
        same = database.rows(connection, "contacts/same_address", params)
    rows = [found[each["position"]] for each in same]
    return sorted(rows, key=lambda row: bool(row.get("deleted_at")))


def _address(contact: Any) -> str | None:
    email = contact.get("email_address") if isinstance(contact, dict) else None
    return text(email.get("address")) if isinstance(email, dict) else None


def follow(client: Client, crm: Database, gone: Mapping[str, str]) -> None:
    """Link CRM contacts whose link is gone to the vendor's contact that has their address now.

    `gone`: by CRM contact the vendor's contact that it is linked to and that was not found.
    Of a contact with the flag an opt-out is queued in the same moment. One call each; a link
    without a successor stays: that the vendor did not find it once may pass.
    """
    has_moved = False
    try:
        for each in gone.items():
            has_moved |= _has_successor(client, crm, *each)
    finally:
        if has_moved:
            update_links(crm)


def _has_successor(client: Client, crm: Database, contact_id: str, gone_id: str) -> bool:
    with crm.transaction() as connection:
        person = database.row(connection, "links/contact", {"contact_id": contact_id}) or {}
        asked_at = state.database_now(connection)
    if not (email_key := person.get("email_key")):
        return False
    try:
        records = [parse_contact(each) for each in contacts_at(client, crm, email_key)]
    except Rejected as error:
        # No contact can have an address that the vendor refuses.
        _log.warning("CRM contact %s: %s", contact_id, error)
        return False
    living = [one for one in records if one and one.deleted_at is None]
    if not living or any(one.contact_id == gone_id for one in living):
        return False
    with crm.transaction() as connection:
        contacts.upsert_page(connection, living, asked_at)
        purged = {"contact_id": [gone_id], "deleted_at": asked_at}
        database.run(connection, "contacts/mark_purged", purged)
    return True
