"""Which contacts a query of GET /contacts asks for.

Order: as created, oldest first. `active` means explicit or implicit and not deleted.
"""

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
INSTANTS = {
    "updated": "updated_at",
    "created": "created_at",
    "optout": "opt_out_date",
}
_NOT_IMITATED = ("segment_id", "tags", "sms_status")
PARAMETERS = {
    "status",
    "email",
    "lists",
    *_NOT_IMITATED,
    "include",
    "include_count",
    "limit",
    *(f"{each}_{side}" for each in INSTANTS for side in ("after", "before")),
}
MAX_LISTS = 25


def include(call: Call) -> set[str]:
    """The sub-resources asked for."""
    return set(call.choices("include", set(SUB_RESOURCES)))


def rows(call: Call) -> NDArray[np.intp]:
    """Rows that match all filters of the call, kept until a contact changes."""
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
    for name in _NOT_IMITATED:
        if call.value(name) is not None:
            raise call.bad(f"{name}: not imitated by the simulator")
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
    lists = _list_ids(call)
    if lists:
        mask &= store.memberships.in_any(store.membership[:n], call.world.lists.numbers(lists))
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


def _list_ids(call: Call) -> list[str]:
    text = call.value("lists")
    if text is None:
        return []
    ids = text.split(",")
    if len(ids) > MAX_LISTS:
        raise call.bad(f"lists: at most {MAX_LISTS} ids")
    for each in ids:
        if not is_uuid(each):
            raise call.bad(f"lists: not a UUID: {each!r}")
    return ids


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
