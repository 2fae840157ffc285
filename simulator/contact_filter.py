"""Which contacts a query of GET /contacts asks for.

Order: as created, oldest first. `active` means explicit or implicit and not deleted.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.call import Call
from simulator.contact_view import SUB_RESOURCES
from simulator.contacts import (
    EXPLICIT,
    IMPLICIT,
    NOT_SET,
    PENDING,
    TEMP_HOLD,
    UNSUBSCRIBED,
    ContactStore,
)
from simulator.ids import is_uuid
from simulator.world import World

STATUSES: dict[str, tuple[int, ...]] = {
    "all": (),
    "active": (EXPLICIT, IMPLICIT),
    "deleted": (),
    "not_set": (NOT_SET,),
    "pending_confirmation": (PENDING,),
    "temp_hold": (TEMP_HOLD,),
    "unsubscribed": (UNSUBSCRIBED,),
}
SMS_STATUSES = {"all", "explicit", "unsubscribed", "pending_confirmation", "not_set"}
INSTANTS = {
    "updated": "updated_at",
    "created": "created_at",
    "optout": "opt_out_date",
}
PARAMETERS = {
    "status",
    "email",
    "lists",
    "segment_id",
    "tags",
    "include",
    "sms_status",
    "include_count",
    "limit",
    *(f"{each}_{side}" for each in INSTANTS for side in ("after", "before")),
}
MAX_LISTS, MAX_TAGS = 25, 50


def include(call: Call) -> set[str]:
    """The sub-resources asked for."""
    return set(call.choices("include", set(SUB_RESOURCES)))


def rows(call: Call) -> NDArray[np.intp]:
    """Rows that match all filters of the call, kept until a contact changes.

    Raises:
        ApiError: 400.
    """
    world, store = call.world, call.world.contacts
    key = (
        store.version,
        tuple(sorted(each for each in call._effective if each[0] not in ("limit", "include"))),
    )
    found = world.filter_results.get(key)
    if found is None:
        found = np.flatnonzero(_mask(call, store))
        if len(world.filter_results) >= 8:
            world.filter_results.clear()
        world.filter_results[key] = found
    result: NDArray[np.intp] = found
    return result


def _mask(call: Call, store: ContactStore) -> NDArray[np.bool_]:
    n = store.size
    if call.value("segment_id") is not None:
        raise call.bad("segment_id: the simulator has no segments")
    settings = call.world.settings
    statuses = call.choices("status", set(STATUSES))
    if "all" in statuses and not settings.deleted_in_all:
        statuses = []
    mask: NDArray[np.bool_] = by_status(store, statuses)
    for name, column in INSTANTS.items():
        at_ms: NDArray[np.int64] = getattr(store, column)[:n]
        if name == "updated" and settings.updated_after_sees_opt_outs:
            at_ms = np.maximum(at_ms, store.opt_out_date[:n])
        after, before = call.instant(f"{name}_after"), call.instant(f"{name}_before")
        if after is not None:
            mask &= at_ms > after
        if before is not None:
            mask &= at_ms < before
        if name == "optout" and (after is not None or before is not None):
            mask &= at_ms > 0
    email = call.value("email")
    if email is not None:
        row = store.by_email.get(email.lower())
        only = np.zeros(n, np.bool_)
        if row is not None:
            only[row] = True
        mask &= only
    lists = _ids(call, "lists", MAX_LISTS)
    if lists:
        numbers = {call.world.lists.number(each) for each in lists} - {None}
        mask &= store.memberships.in_any(
            store.membership[:n], {each for each in numbers if each is not None}
        )
    tags = set(_ids(call, "tags", MAX_TAGS))
    if tags:
        mask &= _sparse(store, lambda extras: not tags.isdisjoint(extras.get("taggings", ())))
    wanted = set(call.choices("sms_status", SMS_STATUSES))
    if wanted:
        mask &= _sparse(store, lambda extras: _sms_matches(extras, wanted))
    return mask


def by_status(store: ContactStore, statuses: list[str]) -> NDArray[np.bool_]:
    """All but deleted ones when no status is given."""
    n = store.size
    here: NDArray[np.bool_] = ~store.purged[:n]
    deleted = here & (store.deleted_at[:n] != 0)
    live: NDArray[np.bool_] = here & ~deleted
    if not statuses:
        return live
    if "all" in statuses:
        return here
    mask: NDArray[np.bool_] = deleted if "deleted" in statuses else np.zeros(n, np.bool_)
    codes = [code for each in statuses for code in STATUSES[each]]
    if codes:
        # A contact without an address has no permission to speak of: it is not_set.
        mask = mask | (live & np.isin(store.permission[:n], codes))
    return mask


def _ids(call: Call, name: str, most: int) -> list[str]:
    text = call.value(name)
    if text is None:
        return []
    ids = text.split(",")
    if len(ids) > most:
        raise call.bad(f"{name}: at most {most} ids")
    for each in ids:
        if not is_uuid(each):
            raise call.bad(f"{name}: not a UUID: {each!r}")
    return ids


def _sparse(store: ContactStore, wanted: Callable[[dict[str, Any]], bool]) -> NDArray[np.bool_]:
    mask = np.zeros(store.size, np.bool_)
    for row, extras in store.extras.items():
        mask[row] = wanted(extras)
    return mask


def _sms_matches(extras: dict[str, Any], wanted: set[str]) -> bool:
    channel = extras.get("sms_channel")
    if not isinstance(channel, dict):
        return False
    if "all" in wanted:
        return True
    return any(
        each.get("sms_consent_permission") in wanted
        for each in channel.get("sms_channel_consents", ())
    )


def counts(world: World, *, since_ms: int | None) -> dict[str, int]:
    """The body of GET /contacts/counts. Deleted contacts are not counted."""
    store = world.contacts
    live = store.live()
    by_code = np.bincount(store.permission[: store.size][live], minlength=6).tolist()
    body = {
        "total": int(live.sum()),
        "explicit": by_code[EXPLICIT],
        "implicit": by_code[IMPLICIT],
        "pending": by_code[PENDING],
        "unsubscribed": by_code[UNSUBSCRIBED],
    }
    if since_ms is not None:
        opted_in = store.opt_in_date[: store.size]
        body["new_subscriber"] = int((live & (opted_in > since_ms)).sum())
    return body
