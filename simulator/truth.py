"""What is true, for tests to compare with."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulator import trackers
from simulator.campaigns import Activity
from simulator.clock import iso
from simulator.contact_filter import STATUSES, by_status
from simulator.contacts import PERMISSIONS, SOURCES, UNSUBSCRIBED
from simulator.events import TYPES
from simulator.world import World


def summary(world: World) -> dict[str, Any]:
    """Counts of everything, and lists of what must not happen."""
    store, n = world.contacts, world.contacts.size
    live = store.live()
    sources = store.opt_out_source[:n][live & (store.permission[:n] == UNSUBSCRIBED)]
    members = store.memberships.counts(store.membership[:n][live], len(world.lists.all))
    reported = [each for each in world.campaigns.activities.values() if each.reported]
    return {
        "contacts": {
            "total": int(by_status(store, ["all"]).sum()),
            "live": int(live.sum()),
            **{
                status: int(by_status(store, [status]).sum())
                for status in STATUSES
                if status != "all"
            },
        },
        "permissions": {
            name: int((live & (store.permission[:n] == code)).sum())
            for code, name in enumerate(PERMISSIONS)
        },
        "unsubscribes": {
            SOURCES[code]: int((sources == code).sum()) for code in range(1, len(SOURCES))
        },
        "lists": [
            {
                "list_id": each.list_id,
                "name": each.name,
                "members": members[number],
                "deleted": bool(each.deleted_ms),
            }
            for number, each in enumerate(world.lists.all)
        ],
        "campaigns": len(world.campaigns.campaigns),
        "activities": len(world.campaigns.activities),
        "reportable_activities": [each.activity_id for each in reported],
        "events": {kind: sum(len(each.streams[kind]) for each in reported) for kind in TYPES},
        "bulk_activities": [job.as_json() | {"kind": job.kind} for job in world.bulk.jobs.values()],
        "policy_violations": world.policy_violations,
        "revivals": world.revivals,
        "names_overwritten": world.names_overwritten,
        "resubscribe_emails_sent": world.resubscribe_emails,
    }


def contact(world: World, row: int) -> dict[str, Any]:
    """Return one contact as it truly is."""
    store = world.contacts
    opted_out = int(store.opt_out_date[row])
    return {
        "contact_id": store.id_text(row),
        "email": store.emails[row],
        "first_name": store.first_names[row],
        "last_name": store.last_names[row],
        "permission": PERMISSIONS[store.permission[row]],
        "opt_out_source": SOURCES[store.opt_out_source[row]] or None,
        "opt_out_reason": store.reasons.get(row),
        "opt_out_date": iso(opted_out) if opted_out else None,
        "lists": [world.lists.all[each].list_id for each in store.lists_of(row)],
        "deleted": bool(store.deleted_at[row]),
        "created_at": iso(int(store.created_at[row])),
        "updated_at": iso(int(store.updated_at[row])),
        "create_source": SOURCES[store.create_source[row]],
        "update_source": SOURCES[store.update_source[row]],
        "extras": store.extras.get(row, {}),
    }


def contacts(world: World, offset: int, limit: int) -> dict[str, Any]:
    """Rows in order of creation; purged ones are not there."""
    rows = np.flatnonzero(~world.contacts.purged[: world.contacts.size])
    shown = rows[offset : offset + limit].tolist()
    return {"total": len(rows), "contacts": [contact(world, row) for row in shown]}


def events(
    world: World, activity_id: str | None, kind: str | None, offset: int, limit: int
) -> dict[str, Any]:
    """Events of the activities that have reports, as their trackers show them, oldest first."""
    found = list(_streams(world, activity_id, kind))
    total = sum(len(activity.streams[name]) for activity, name in found)
    rows: list[dict[str, Any]] = []
    for activity, name in found:
        length = len(activity.streams[name])
        if offset < length and len(rows) < limit:
            at = np.arange(offset, min(length, offset + limit - len(rows)))
            rows += trackers.rows(world, activity, name, at)
        offset = max(0, offset - length)
    return {"total": total, "events": rows}


def _streams(
    world: World, activity_id: str | None, kind: str | None
) -> Iterator[tuple[Activity, str]]:
    for activity in world.campaigns.activities.values():
        if activity.reported and activity_id in (None, activity.activity_id):
            for name in TYPES:
                if kind in (None, name, f"em_{name}"):
                    yield activity, name
