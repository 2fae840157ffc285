"""Explicit records, in the vendor's shapes, put into the account."""

from typing import Any

from simulator.campaigns import STATUSES, Activity, Campaign
from simulator.clock import instant, iso
from simulator.contact_view import SCALARS, SUB_RESOURCES
from simulator.contact_write import delete
from simulator.contacts import PERMISSIONS, SOURCES, UNSUBSCRIBED
from simulator.events import BOUNCE_CODES, DEVICES, TYPES, Event
from simulator.lists import ContactList
from simulator.world import World


def load(world: World, records: dict[str, Any]) -> dict[str, list[str] | int]:
    """Add lists, contacts, campaigns (with ``campaign_activities``) and events.

    Returns the ids in the order given, and the number of events. Ids left out are made.

    Raises:
        ValueError: a record that cannot be stored; those before it are.
    """
    unknown = records.keys() - {"lists", "contacts", "campaigns", "events"}
    if unknown:
        raise ValueError(f"unknown kinds of records: {', '.join(sorted(unknown))}")
    answer: dict[str, list[str] | int] = {
        "lists": [add_list(world, each) for each in records.get("lists") or ()],
        "contacts": [add_contact(world, each) for each in records.get("contacts") or ()],
        "campaigns": [add_campaign(world, each) for each in records.get("campaigns") or ()],
        "events": add_events(world, records.get("events") or [], arrived_ms=None),
    }
    world.contacts.version += 1
    return answer


def add_list(world: World, record: dict[str, Any]) -> str:
    """Add a ContactList; returns its id."""
    now_ms = world.clock.now_ms()
    created = instant(record.get("created_at"), now_ms)
    made = ContactList(
        record.get("list_id") or world.new_id("list"),
        record["name"],
        created,
        instant(record.get("updated_at"), created),
        record.get("description") or "",
        bool(record.get("favorite", False)),
        instant(record.get("deleted_at")),
    )
    world.lists.add(made)
    return made.list_id


def add_contact(world: World, record: dict[str, Any]) -> str:
    """A ContactResource; ``email`` instead of ``email_address`` will do."""
    store = world.contacts
    email: dict[str, Any] = record.get("email_address") or {}
    address = email.get("address", record.get("email"))
    created = instant(record.get("created_at"), world.clock.now_ms())
    row = store.add(record.get("contact_id") or world.new_id("contact"), address, created)
    store.first_names[row] = record.get("first_name")
    store.last_names[row] = record.get("last_name")
    store.updated_at[row] = instant(record.get("updated_at"), created)
    for name in ("create_source", "update_source"):
        getattr(store, name)[row] = SOURCES.index(record.get(name, "Account"))
    numbers = map(world.lists.existing, record.get("list_memberships") or ())
    store.membership[row] = store.memberships.number(numbers)
    if address is not None:
        permission = PERMISSIONS.index(email.get("permission_to_send", "implicit"))
        source = SOURCES.index(email.get("opt_in_source", "Account"))
        store.opt_in(row, permission, source, instant(email.get("opt_in_date"), created))
        if permission == UNSUBSCRIBED:
            store.opt_out(
                row,
                SOURCES.index(email.get("opt_out_source", "Contact")),
                email.get("opt_out_reason"),
                instant(email.get("opt_out_date"), created),
            )
    extras = {
        name: record[name]
        for name in (*SCALARS, *SUB_RESOURCES, "sms_channel")
        if name != "list_memberships" and record.get(name) is not None
    }
    if extras:
        store.extras[row] = extras
    if record.get("deleted_at"):
        delete(world, row, instant(record["deleted_at"]))
    return store.id_text(row)


def add_campaign(world: World, record: dict[str, Any]) -> str:
    """Add an EmailCampaign; returns its id.

    An activity may have ``sent_at`` and ``links`` ([{url_id, link_url}]);
    without activities it gets a primary_email and a permalink. ``last_sent_date`` is the default
    of ``sent_at``, and that of it is ``updated_at`` when the campaign is Done.
    """
    store, now_ms = world.campaigns, world.clock.now_ms()
    created = instant(record.get("created_at"), now_ms)
    status = record.get("current_status", "Done")
    if status not in STATUSES:
        raise ValueError(f"current_status is one of {', '.join(STATUSES)}")
    campaign = store.add(
        Campaign(
            record.get("campaign_id") or world.new_id("campaign"),
            record["name"],
            created,
            instant(record.get("updated_at"), created),
            status,
            record.get("type", "NEWSLETTER"),
            record.get("type_code", 10),
        )
    )
    was_sent = status in ("Done", "Executing", "Removed")
    default_sent = instant(record.get("last_sent_date"), campaign.updated_ms if was_sent else 0)
    given = record.get("campaign_activities") or [{"role": "primary_email"}, {"role": "permalink"}]
    for each in given:
        role = each.get("role", "primary_email")
        activity = store.add_activity(
            campaign, each.get("campaign_activity_id") or world.new_id("campaign_activity"), role
        )
        if role != "permalink":
            activity.sent_ms = instant(each.get("sent_at"), default_sent)
        for link in each.get("links") or ():
            store.link(activity, link["link_url"], link.get("url_id"))
    return campaign.campaign_id


def add_events(world: World, records: list[dict[str, Any]], arrived_ms: int | None) -> int:
    """Rows as the trackers show them; ``type`` or ``tracking_activity_type`` names the tracker.

    `arrived_ms`: when the vendor learned of them; None: when they happened.
    They are events only: an opt-out here does not unsubscribe.

    Raises:
        ValueError: an unknown contact, activity, type or code. Then none is added.
    """
    ready: dict[tuple[str, str], list[Event]] = {}
    for record in records:
        kind = str(record.get("type") or record.get("tracking_activity_type")).removeprefix("em_")
        if kind not in TYPES:
            raise ValueError(f"unknown type of event: {kind!r}; there are {', '.join(TYPES)}")
        activity = world.campaigns.activities.get(record["campaign_activity_id"])
        if activity is None:
            raise ValueError(f"there is no campaign activity {record['campaign_activity_id']}")
        ready.setdefault((activity.activity_id, kind), []).append(
            _event(world, activity, kind, record, arrived_ms)
        )
    for (activity_id, kind), events in ready.items():
        world.campaigns.activities[activity_id].streams[kind].add(events)
    return len(records)


def _event(
    world: World, activity: Activity, kind: str, record: dict[str, Any], arrived_ms: int | None
) -> Event:
    row = world.contacts.find(record["contact_id"])
    if row is None:
        raise ValueError(f"there is no contact {record['contact_id']}")
    if record.get("email_address"):
        activity.emails[row] = record["email_address"]
    at_ms = instant(record.get("created_time"), world.clock.now_ms())
    device = DEVICES.index(record.get("device_type") or "")
    detail = -1
    if kind == "clicks":
        url = record.get("link_url") or "https://www.example.com/"
        detail = world.campaigns.link(activity, url, record.get("url_id"))
    elif kind == "bounces":
        code = record.get("bounce_code", "B")
        if code not in BOUNCE_CODES:
            raise ValueError(f"unknown bounce code {code!r} at {iso(at_ms)}")
        detail = BOUNCE_CODES.index(code)
    elif kind == "optouts":
        detail = world.campaigns.reason(record.get("opt_out_reason"))
    return Event(row, at_ms, at_ms if arrived_ms is None else arrived_ms, device, detail)
