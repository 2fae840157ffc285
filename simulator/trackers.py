"""Rows of engagement as the trackers show them, newest first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.campaigns import Activity
from simulator.clock import iso_date, iso_many
from simulator.events import BOUNCE_CODES, DEVICES, TYPES
from simulator.ids import dashed
from simulator.world import World

#: Path segment -> (stream, tracking_activity_type)
TRACKERS = {each: (each, f"em_{each}") for each in TYPES} | {
    "unique_opens": ("opens", "em_opens"),
    "didnotopens": ("sends", "em_didnotopens"),
}


def positions(
    activity: Activity, tracker: str, url_id: str | None, bounce_codes: list[str]
) -> tuple[int, NDArray[np.intp] | None]:
    """How many rows the tracker has, and where they are in the stream (ascending; None: all)."""
    stream = activity.streams[TRACKERS[tracker][0]]
    found: NDArray[np.intp] | None = None
    if tracker == "unique_opens":
        found = stream.last_of_each()
    elif tracker == "didnotopens":
        opened = np.unique(activity.streams["opens"].rows["contact"])
        found = np.flatnonzero(~np.isin(stream.rows["contact"], opened))
    elif tracker == "clicks" and url_id is not None:
        numbers = [n for n, link in enumerate(activity.links) if link.url_id == url_id]
        found = np.flatnonzero(np.isin(stream.rows["detail"], numbers))
    elif tracker == "bounces" and bounce_codes:
        codes = [BOUNCE_CODES.index(each) for each in bounce_codes]
        found = np.flatnonzero(np.isin(stream.rows["detail"], codes))
    return (len(stream), None) if found is None else (len(found), found)


def slice_newest_first(
    total: int, found: NDArray[np.intp] | None, offset: int, limit: int
) -> NDArray[np.intp]:
    """Positions in the stream of one page."""
    last = max(0, total - offset)
    first = max(0, last - limit)
    if found is None:
        return np.arange(last - 1, first - 1, -1)
    return found[first:last][::-1]


def slice_oldest_first(
    total: int, found: NDArray[np.intp] | None, offset: int, limit: int
) -> NDArray[np.intp]:
    """As `slice_newest_first`, in the other order."""
    at = np.arange(min(offset, total), min(offset + limit, total))
    return at if found is None else found[at]


def rows(
    world: World, activity: Activity, tracker: str, at: NDArray[np.intp]
) -> list[dict[str, Any]]:
    """The rows at these positions, in that order."""
    kind, name = TRACKERS[tracker]
    store = world.contacts
    events = activity.streams[kind].rows[at]
    contacts = events["contact"]
    ids = store.ids[contacts].tobytes().hex()
    times = iso_many(events["at_ms"])
    deleted = store.deleted_at[contacts].tolist()
    details = events["detail"].tolist()
    devices = events["device"].tolist()
    activity_id, sent_ms = activity.activity_id, activity.sent_ms
    given, past, emails = activity.emails, store.past_emails, store.emails
    first_names, last_names = store.first_names, store.last_names
    answer = []
    for n, row in enumerate(contacts.tolist()):
        address = emails[row] or ""
        if row in given:
            address = given[row]
        elif row in past:
            address = store.email_at(row, sent_ms)
        item: dict[str, Any] = {
            "contact_id": dashed(ids[n * 32 : n * 32 + 32]),
            "campaign_activity_id": activity_id,
            "tracking_activity_type": name,
            "email_address": address,
            "created_time": times[n],
        }
        if first_names[row] is not None:
            item["first_name"] = first_names[row]
        if last_names[row] is not None:
            item["last_name"] = last_names[row]
        if deleted[n]:
            item["deleted_at"] = iso_date(deleted[n])
        if kind in ("opens", "clicks") and devices[n]:
            item["device_type"] = DEVICES[devices[n]]
        if kind == "clicks":
            link = activity.links[details[n]]
            item["url_id"], item["link_url"] = link.url_id, link.url
        elif kind == "bounces":
            item["bounce_code"] = BOUNCE_CODES[details[n]]
            item["current_email_address"] = emails[row] or address
        elif kind == "optouts" and details[n] >= 0:
            item["opt_out_reason"] = world.campaigns.reasons[details[n]]
        answer.append(item)
    return answer
