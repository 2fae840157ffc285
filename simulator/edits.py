"""What happens at the vendor's side without the API: people click, owners edit."""

from typing import Any

import numpy as np

from simulator import contact_write, load
from simulator.clock import instant, iso
from simulator.contact_filter import by_status
from simulator.contact_view import SCALARS
from simulator.contacts import BY_CONTACT, EXPLICIT, PERMISSIONS, SOURCES, UNSUBSCRIBED
from simulator.events import Event
from simulator.world import World


def row_of(world: World, contact_id: str) -> int:
    """The row of a contact that must exist."""
    row = world.contacts.find(contact_id)
    if row is None:
        raise ValueError(f"there is no contact {contact_id}")
    return row


def unsubscribe(  # noqa: PLR0917 - called by name only
    world: World,
    contact_id: str,
    source: str = "Contact",
    reason: str | None = None,
    campaign_activity_id: str | None = None,
    when: Any = None,
) -> None:
    """The contact unsubscribes (or the owner does it); with an activity, its tracker shows it."""
    row = row_of(world, contact_id)
    at_ms = instant(when, world.clock.now_ms())
    if campaign_activity_id is not None:
        event = {
            "type": "optouts",
            "campaign_activity_id": campaign_activity_id,
            "contact_id": contact_id,
            "created_time": at_ms,
            "opt_out_reason": reason,
        }
        load.add_events(world, [event], arrived_ms=world.clock.now_ms())
    world.contacts.opt_out(row, SOURCES.index(source), reason, at_ms)
    world.contacts.version += 1


def resubscribe(world: World, contact_id: str) -> None:
    """The contact opts in again; lists of a confirmation mail sent before are joined."""
    row, store = row_of(world, contact_id), world.contacts
    now_ms = world.clock.now_ms()
    store.opt_in(row, EXPLICIT, BY_CONTACT, now_ms)
    joined = (*store.lists_of(row), *store.resubscribe_sent.get(row, ()))
    store.membership[row] = store.memberships.number(joined)
    store.updated_at[row] = now_ms
    store.update_source[row] = BY_CONTACT
    store.version += 1


def delete_contact(world: World, contact_id: str) -> None:
    """The owner deletes the contact."""
    contact_write.delete(world, row_of(world, contact_id), world.clock.now_ms())


def restore_contact(world: World, contact_id: str) -> None:
    """The owner brings a deleted contact back; `updated_at` stays, as at its deletion."""
    contact_write.restore(world, row_of(world, contact_id))


def purge_contact(world: World, contact_id: str) -> None:
    """Gone for good: 404. Its events stay, as those of a deleted contact."""
    row = row_of(world, contact_id)
    contact_write.delete(world, row, world.clock.now_ms())
    world.contacts.purge(row)


def update_contact(world: World, contact_id: str, **changes: Any) -> None:
    """Set properties: email, permission_to_send, list_memberships, names and other scalars."""
    row, store = row_of(world, contact_id), world.contacts
    now_ms = world.clock.now_ms()
    if "email" in changes:
        email = str(changes.pop("email"))
        other = store.by_email.get(email.lower())
        if other not in (None, row):
            raise ValueError(f"email address taken: {email}")
        store.set_email(row, email, now_ms)
    if "permission_to_send" in changes:
        permission = PERMISSIONS.index(changes.pop("permission_to_send"))
        if permission == UNSUBSCRIBED:
            raise ValueError("use unsubscribe")
        store.opt_in(row, permission, BY_CONTACT, now_ms)
    if "list_memberships" in changes:
        numbers = map(world.lists.existing, changes.pop("list_memberships"))
        store.membership[row] = store.memberships.number(numbers)
    for name, value in changes.items():
        if name in ("first_name", "last_name"):
            getattr(store, f"{name}s")[row] = value
        elif name in SCALARS:
            store.extras.setdefault(row, {})[name] = value
        else:
            raise ValueError(f"unknown property: {name}")
    store.updated_at[row] = now_ms
    store.version += 1


def delete_list(world: World, list_id: str) -> None:
    """The list goes, its members stay contacts. Their `updated_at` does not move."""
    number = world.lists.existing(list_id)
    world.lists.all[number].deleted_ms = world.clock.now_ms()
    store = world.contacts
    column = store.membership[: store.size]
    for old in np.unique(column).tolist():
        combination = store.memberships.combinations[old]
        if number in combination:
            column[column == old] = store.memberships.number(
                each for each in combination if each != number
            )
    store.version += 1


def rename_campaign(world: World, campaign_id: str, name: str) -> None:
    """The owner gives the campaign another name; its `updated_at` moves."""
    campaign = world.campaigns.campaigns.get(campaign_id)
    if campaign is None:
        raise ValueError(f"there is no campaign {campaign_id}")
    campaign.name, campaign.updated_ms = name, world.clock.now_ms()


def send_campaign(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Send a draft (`campaign_id`) or a new campaign (`name`, `links`, `type_code`, …).

    It goes to `contact_ids`, to the active members of `list_ids`, or to all active contacts.
    `role` resend: a campaign that was sent goes out again, as an activity of its own.
    """
    store, now_ms = world.contacts, instant(wanted.get("sent_at"), world.clock.now_ms())
    campaign_id = wanted.get("campaign_id")
    if campaign_id is None or campaign_id not in world.campaigns.campaigns:
        links = wanted.get("links") or [{"link_url": "https://www.example.com/"}]
        record = {
            "campaign_id": campaign_id,
            "name": wanted.get("name") or f"Campaign sent {iso(now_ms)}",
            "created_at": now_ms,
            "type": wanted.get("type", "NEWSLETTER"),
            "type_code": wanted.get("type_code", 10),
            "campaign_activities": [
                {
                    "role": "primary_email",
                    "campaign_activity_id": wanted.get("campaign_activity_id"),
                    "links": links,
                },
                {"role": "permalink"},
            ],
        }
        campaign_id = load.add_campaign(world, record)
    campaign = world.campaigns.campaigns[campaign_id]
    campaign.status, campaign.updated_ms = "Done", now_ms
    if wanted.get("role") == "resend":
        activity = world.campaigns.add_activity(
            campaign, world.new_id("campaign_activity"), "resend"
        )
    else:
        activity = next(each for each in campaign.activities if each.role == "primary_email")
    activity.sent_ms = now_ms
    if wanted.get("contact_ids") is not None:
        rows = [row_of(world, each) for each in wanted["contact_ids"]]
    else:
        mask = by_status(store, ["active"])
        if wanted.get("list_ids") is not None:
            numbers = world.lists.numbers(wanted["list_ids"])
            mask &= store.memberships.in_any(store.membership[: store.size], numbers)
        rows = list(map(int, np.flatnonzero(mask)))
    activity.streams["sends"].add([Event(row, now_ms, now_ms) for row in rows])
    return {
        "campaign_id": campaign_id,
        "campaign_activity_id": activity.activity_id,
        "sends": len(rows),
    }
