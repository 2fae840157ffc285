"""Contacts as the API shows them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clock import iso_date, iso_many
from simulator.contacts import PERMISSIONS, SOURCES, ContactStore
from simulator.ids import dashed
from simulator.world import World

SUB_RESOURCES = (
    "custom_fields",
    "list_memberships",
    "phone_numbers",
    "street_addresses",
    "taggings",
    "notes",
)
SCALARS = ("job_title", "company_name", "birthday_month", "birthday_day", "anniversary")
_CONFIRM = ("confirmed", "off", "off", "pending", "off", "off")


def page(world: World, rows: NDArray[np.intp], include: set[str]) -> list[dict[str, Any]]:
    """The contacts of these rows. Null properties are left out, as sub-resources not asked for."""
    store, lists = world.contacts, world.lists
    ids = store.ids[rows].tobytes().hex()
    created, updated = iso_many(store.created_at[rows]), iso_many(store.updated_at[rows])
    create_source = store.create_source[rows].tolist()
    update_source = store.update_source[rows].tolist()
    email_addresses = _email_addresses(store, rows, world.settings.opt_out_source_names)
    deleted = store.deleted_at[rows].tolist()
    membership = store.membership[rows].tolist()
    with_lists = "list_memberships" in include
    others = [each for each in SUB_RESOURCES if each in include and each != "list_memberships"]
    list_ids = [each.list_id for each in lists.all] if with_lists else []
    contacts = []
    for at, row in enumerate(rows.tolist()):
        contact: dict[str, Any] = {"contact_id": dashed(ids[at * 32 : at * 32 + 32])}
        email = email_addresses[at]
        if email is not None:
            contact["email_address"] = email
        if store.first_names[row] is not None:
            contact["first_name"] = store.first_names[row]
        if store.last_names[row] is not None:
            contact["last_name"] = store.last_names[row]
        contact["create_source"] = SOURCES[create_source[at]]
        contact["update_source"] = SOURCES[update_source[at]]
        contact["created_at"] = created[at]
        contact["updated_at"] = updated[at]
        if deleted[at]:
            contact["deleted_at"] = iso_date(deleted[at])
        if with_lists:
            contact["list_memberships"] = [
                list_ids[each] for each in store.memberships.combinations[membership[at]]
            ]
        _add_extras(contact, store.extras.get(row, {}), others)
        contacts.append(contact)
    return contacts


def one(world: World, row: int, include: set[str]) -> dict[str, Any]:
    """`page` for a single row."""
    return page(world, np.array([row]), include)[0]


def _add_extras(contact: dict[str, Any], extras: dict[str, Any], others: list[str]) -> None:
    """Scalars that few contacts have, and the sub-resources asked for."""
    for name in SCALARS:
        if extras.get(name) is not None:
            contact[name] = extras[name]
    if "sms_channel" in extras:
        contact["sms_channel"] = extras["sms_channel"]
    for name in others:
        contact[name] = list(extras.get(name, ()))


def _email_addresses(
    store: ContactStore, rows: NDArray[np.intp], source_names: dict[str, str]
) -> list[dict[str, str] | None]:
    """The email_address of each row; None for a contact that has none."""
    created = iso_many(store.email_created_at[rows])
    updated = iso_many(store.email_updated_at[rows])
    opt_in, opt_out = store.opt_in_date[rows].tolist(), store.opt_out_date[rows].tolist()
    opt_in_texts, opt_out_texts = iso_many(store.opt_in_date[rows]), []
    if any(opt_out):
        opt_out_texts = iso_many(store.opt_out_date[rows])
    permission = store.permission[rows].tolist()
    opt_in_source = store.opt_in_source[rows].tolist()
    opt_out_source = store.opt_out_source[rows].tolist()
    found: list[dict[str, str] | None] = []
    for at, row in enumerate(rows.tolist()):
        address = store.emails[row]
        if address is None:
            found.append(None)
            continue
        code = permission[at]
        email = {
            "address": address,
            "permission_to_send": PERMISSIONS[code],
            "created_at": created[at],
            "updated_at": updated[at],
            "confirm_status": _CONFIRM[code],
        }
        if opt_in[at]:
            email["opt_in_source"] = SOURCES[opt_in_source[at]]
            email["opt_in_date"] = opt_in_texts[at]
        if opt_out[at]:
            source = SOURCES[opt_out_source[at]]
            email["opt_out_source"] = source_names.get(source, source)
            email["opt_out_date"] = opt_out_texts[at]
            if row in store.reasons:
                email["opt_out_reason"] = store.reasons[row]
        found.append(email)
    return found
