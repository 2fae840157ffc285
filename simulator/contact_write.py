"""Creating, changing, deleting and resubscribing one contact through the API."""

from typing import Any

from simulator.clock import iso
from simulator.contact_checks import (
    EMAIL_POST,
    EMAIL_PUT,
    SUB_RESOURCE_ITEMS,
    check,
    list_numbers,
)
from simulator.contact_view import SCALARS
from simulator.contacts import (
    BY_ACCOUNT,
    BY_CONTACT,
    PERMISSIONS,
    SOURCES,
    UNSUBSCRIBED,
)
from simulator.errors import conflict, invalid
from simulator.world import World


def create(world: World, body: dict[str, Any]) -> int:
    """POST /contacts. Returns the row.

    Raises:
        ApiError: 400, or 409 when the address is in use, also by a deleted contact.
    """
    check(body, "create_source", EMAIL_POST, world.settings.text_unit)
    if not any(body.get(n) for n in ("email_address", "first_name", "last_name", "sms_channel")):
        raise invalid("one of email_address, first_name, last_name or sms_channel is required")
    lists = list_numbers(world, body.get("list_memberships") or [], "list_memberships")
    email = body.get("email_address")
    if email is not None:
        _refuse_taken(world, email["address"], None)
    store, now_ms = world.contacts, world.clock.now_ms()
    source = SOURCES.index(body["create_source"])
    row = store.add(world.new_id("contact"), email["address"] if email else None, now_ms)
    store.create_source[row] = store.update_source[row] = source
    _write_scalars(world, row, body, nulls=True)
    _write_sub_resources(world, row, body)
    if email is not None:
        permission = PERMISSIONS.index(email.get("permission_to_send") or "implicit")
        if permission == UNSUBSCRIBED:
            store.opt_out(row, source, None, now_ms)
        else:
            store.opt_in(row, permission, source, now_ms)
    if store.permission[row] != UNSUBSCRIBED:
        store.membership[row] = store.memberships.number(lists)
    store.version += 1
    return row


def replace(world: World, row: int, body: dict[str, Any]) -> None:
    """PUT /contacts/{contact_id}: scalars left out become null, sub-resources left out stay.

    Raises:
        ApiError: 400, or 409 when the address belongs to another contact.
    """
    check(body, "update_source", EMAIL_PUT, world.settings.text_unit)
    store, now_ms = world.contacts, world.clock.now_ms()
    email = body.get("email_address")
    given_lists = body.get("list_memberships")
    lists = None if given_lists is None else list_numbers(world, given_lists, "list_memberships")
    if email is not None:
        _refuse_taken(world, email["address"], row)
    if store.deleted_at[row]:
        if body["update_source"] != "Account":
            raise invalid("update_source must be Account to restore a deleted contact")
        revive(world, row)
    before = _snapshot(world, row)
    was_unsubscribed = store.permission[row] == UNSUBSCRIBED
    source = SOURCES.index(body["update_source"])
    _write_scalars(world, row, body, nulls=world.settings.put_nulls)
    _write_sub_resources(world, row, body)
    if email is not None:
        if email["address"] != store.emails[row]:
            store.set_email(row, email["address"], now_ms)
        if email.get("permission_to_send") is not None:
            set_permission(world, row, email, source)
    unsubscribed = store.permission[row] == UNSUBSCRIBED
    if lists is None and not world.settings.put_keeps_lists:
        lists = []
    if lists is not None and not unsubscribed:
        store.membership[row] = store.memberships.number(lists)
    store.update_source[row] = source
    # An unsubscribe alone does not move updated_at: `updated_after` never sees it.
    only_unsubscribed = unsubscribed and not was_unsubscribed and before == _snapshot(world, row)
    if not only_unsubscribed:
        store.updated_at[row] = now_ms
    store.version += 1


def set_permission(world: World, row: int, email: dict[str, Any], source: int) -> None:
    """Change the permission as a PUT asks.

    An unsubscribed contact that is unsubscribed again stays as it is, but for one thing: the
    account's opt-out becomes the contact's own when the contact now asks, or not, as the settings
    say. An opt-in by the account
    of someone who opted out is let through and put down as a violation of the vendor's policy.
    """
    store, now_ms = world.contacts, world.clock.now_ms()
    wanted = PERMISSIONS.index(email["permission_to_send"])
    now = int(store.permission[row])
    if wanted == UNSUBSCRIBED:
        is_wish = source == BY_CONTACT and store.opt_out_source[row] == BY_ACCOUNT
        upgraded = is_wish and world.settings.wishes_replace_opt_outs
        if now != UNSUBSCRIBED or upgraded:
            store.opt_out(row, source, email.get("opt_out_reason"), now_ms)
        return
    if now == UNSUBSCRIBED and store.opt_out_source[row] == BY_CONTACT and source == BY_ACCOUNT:
        world.policy_violations.append(
            {
                "contact_id": store.id_text(row),
                "when": iso(now_ms),
                "permission_to_send": PERMISSIONS[wanted],
            }
        )
    if now != wanted:
        store.opt_in(row, wanted, source, now_ms)


def delete(world: World, row: int, at_ms: int) -> None:
    """Delete: the contact leaves its lists, is opted out and stays readable. `updated_at` stays."""
    store = world.contacts
    if store.deleted_at[row]:
        return
    store.before_deletion[row] = (
        int(store.permission[row]),
        int(store.opt_out_source[row]),
        int(store.opt_out_date[row]),
    )
    store.deleted_at[row] = at_ms
    store.membership[row] = 0
    if store.permission[row] != UNSUBSCRIBED and store.emails[row] is not None:
        store.opt_out(row, BY_ACCOUNT, None, at_ms)
    store.version += 1


def revive(world: World, row: int) -> None:
    """A deleted contact comes back by a call; it is put down."""
    restore(world, row)
    world.revivals.append(
        {"contact_id": world.contacts.id_text(row), "when": iso(world.clock.now_ms())}
    )


def restore(world: World, row: int) -> None:
    """Undo a deletion: the permission of before comes back, the lists do not."""
    store = world.contacts
    store.deleted_at[row] = 0
    earlier = store.before_deletion.pop(row, None)
    if earlier is not None:
        store.permission[row], store.opt_out_source[row], store.opt_out_date[row] = earlier
    store.version += 1


def resubscribe(world: World, row: int, body: dict[str, Any]) -> None:
    """PUT /contacts/resubscribe: one confirmation mail ever; nothing else changes.

    Raises:
        ApiError: 400, or 409 when the mail was sent before.
    """
    lists = list_numbers(world, body.get("list_ids"), "list_ids", least=1)
    store = world.contacts
    if row in store.resubscribe_sent:
        raise conflict("A resubscribe email was already sent to this contact.")
    if store.permission[row] != UNSUBSCRIBED or store.deleted_at[row]:
        raise invalid("The contact is not unsubscribed.")
    store.resubscribe_sent[row] = lists
    world.resubscribe_emails += 1


def _refuse_taken(world: World, address: str, row: int | None) -> None:
    other = world.contacts.by_email.get(address.lower())
    if other is not None and other != row:
        raise conflict(f"Email already exists for contact {world.contacts.id_text(other)}")


def _write_scalars(world: World, row: int, body: dict[str, Any], *, nulls: bool) -> None:
    """Write the scalars; `nulls`: those that are left out become null."""
    store = world.contacts
    for name, column in (("first_name", store.first_names), ("last_name", store.last_names)):
        if nulls or name in body:
            column[row] = body.get(name)
    extras = store.extras.get(row, {})
    for name in SCALARS:
        if nulls or name in body:
            extras.pop(name, None)
        if body.get(name) is not None:
            extras[name] = body[name]
    _keep(world, row, extras)


def _write_sub_resources(world: World, row: int, body: dict[str, Any]) -> None:
    extras = world.contacts.extras.get(row, {})
    stamp = iso(world.clock.now_ms())
    own_ids = {
        "phone_numbers": "phone_number_id",
        "street_addresses": "street_address_id",
        "notes": "note_id",
    }
    for name in SUB_RESOURCE_ITEMS:
        items = body.get(name)
        if items is None:
            continue
        if name in own_ids:
            items = [
                {own_ids[name]: world.new_id(name), "created_at": stamp, **each} for each in items
            ]
        extras[name] = items
    channel = body.get("sms_channel")
    if channel is not None:
        number = str(channel.get("full_sms_address", ""))
        extras["sms_channel"] = {
            "sms_channel_id": world.new_id("sms"),
            "sms_address": number[-10:],
            "dial_code": number[:-10] or "1",
            "country_code": "US",
            "sms_channel_consents": list(channel.get("sms_channel_consents", ())),
        }
    _keep(world, row, extras)


def _keep(world: World, row: int, extras: dict[str, Any]) -> None:
    if extras:
        world.contacts.extras[row] = extras
    else:
        world.contacts.extras.pop(row, None)


def _snapshot(world: World, row: int) -> tuple[Any, ...]:
    """All that a PUT can change but the permission and the lists an opt-out empties."""
    store = world.contacts
    return (
        store.emails[row],
        store.first_names[row],
        store.last_names[row],
        repr(store.extras.get(row)),
    )
