"""The bulk import of contacts."""

import json
from typing import Any

from simulator.contact_checks import MAX_MEMBERSHIPS, is_email, list_numbers
from simulator.contact_write import revive
from simulator.contacts import BY_ACCOUNT, IMPLICIT, UNSUBSCRIBED
from simulator.errors import invalid, refuse_unknown
from simulator.world import World

MAX_CONTACTS = 40_000
MAX_BYTES = 4_000_000
MAX_EMAIL = 50
_EXTRAS = ("job_title", "company_name", "birthday_month", "birthday_day", "anniversary")


def accepted(raw: bytes, body: dict[str, Any], world: World) -> tuple[list[Any], list[int]]:
    """The contacts that will be imported and the lists; what is too much is dropped in silence."""
    refuse_unknown(body.keys() - {"import_data", "list_ids", "sms_permission_to_send"})
    contacts = body.get("import_data")
    if not isinstance(contacts, list) or not contacts:
        raise invalid("import_data is required: an array of contacts")
    if not all(isinstance(each, dict) for each in contacts):
        raise invalid("import_data: each contact must be an object")
    lists = list_numbers(world, body.get("list_ids"), "list_ids", least=1)
    if len(raw) > MAX_BYTES:
        contacts = contacts[: _fitting(raw)]
    return contacts[:MAX_CONTACTS], lists


def _fitting(raw: bytes) -> int:
    """How many contacts end within the first MAX_BYTES of the body."""
    # latin-1 keeps one character per byte, so positions in the text are positions in the body.
    text = raw.decode("latin-1")
    at = text.index("[", text.index('"import_data"')) + 1
    decoder = json.JSONDecoder()
    count = 0
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return count
        _, at = decoder.raw_decode(text, at)
        if at > MAX_BYTES:
            return count
        count += 1


def counters(
    contacts: int, errors: int = 0, correctable: int = 0, cannot_add: int = 0
) -> dict[str, int]:
    """The counts of the contract's ActivityImport."""
    return {
        "items_total_count": contacts,
        "person_count": contacts,
        "error_count": errors,
        "correctable_count": correctable,
        "cannot_add_to_list_count": cannot_add,
    }


def run(world: World, contacts: list[dict[str, Any]], lists: list[int]) -> dict[str, int]:
    """Import, and count."""
    errors = correctable = cannot_add = 0
    for contact in contacts:
        email = contact.get("email")
        if isinstance(email, str) and len(email) > MAX_EMAIL:
            errors += 1
        elif email is None and contact.get("sms_number") is not None:
            errors += 1  # the simulator imports no SMS-only contacts
        elif not is_email(email) or _too_long(contact):
            correctable += 1
        elif not _import_one(world, str(email), contact, lists):
            cannot_add += 1
    world.contacts.version += 1
    return counters(len(contacts), errors, correctable, cannot_add)


def _too_long(contact: dict[str, Any]) -> bool:
    names = ("first_name", "last_name", "job_title", "company_name")
    return any(isinstance(contact.get(each), str) and len(contact[each]) > 50 for each in names)


def _import_one(world: World, email: str, contact: dict[str, Any], lists: list[int]) -> bool:
    """False: unsubscribed, so left alone."""
    store, now_ms = world.contacts, world.clock.now_ms()
    row = store.by_email.get(email.lower())
    if row is None:
        row = store.add(world.new_id("contact"), email, now_ms)
    else:
        before = store.before_deletion.get(row)
        permission = before[0] if before else store.permission[row]
        if permission == UNSUBSCRIBED and world.settings.import_keeps_opt_outs:
            return False
        if permission == UNSUBSCRIBED and not before:
            store.opt_in(row, IMPLICIT, BY_ACCOUNT, now_ms)
        if store.deleted_at[row]:
            revive(world, row)
            store.opt_in(row, IMPLICIT, BY_ACCOUNT, now_ms)
        store.updated_at[row] = now_ms
        store.update_source[row] = BY_ACCOUNT
        if not world.settings.import_overwrites:
            add_to_lists(world, row, lists)
            return True
        renamed = any(
            name in contact and contact[name] != column[row]
            for name, column in (("first_name", store.first_names), ("last_name", store.last_names))
        )
        world.names_overwritten += renamed
    if "first_name" in contact:
        store.first_names[row] = contact["first_name"]
    if "last_name" in contact:
        store.last_names[row] = contact["last_name"]
    for name in _EXTRAS:
        if name in contact:
            store.extras.setdefault(row, {})[name] = contact[name]
    add_to_lists(world, row, lists)
    return True


def add_to_lists(world: World, row: int, lists: list[int]) -> None:
    """Join lists up to the most a contact may be in; the rest is left out in silence."""
    store = world.contacts
    joined = dict.fromkeys((*store.lists_of(row), *lists))
    number = store.memberships.number(list(joined)[:MAX_MEMBERSHIPS])
    if number != store.membership[row]:
        store.membership[row] = number
        if world.settings.lists_update_contacts:
            store.updated_at[row] = world.clock.now_ms()
