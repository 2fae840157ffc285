"""The bulk activities that add contacts to lists and remove them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.contact_checks import MAX_MEMBERSHIPS, list_numbers
from simulator.contact_filter import by_status
from simulator.contact_import import add_to_lists
from simulator.contacts import UNSUBSCRIBED
from simulator.errors import invalid, refuse_unknown, refused
from simulator.ids import is_uuid
from simulator.world import World

MAX_CONTACT_IDS = 500
SOURCES = {"contact_ids", "list_ids", "all_active_contacts"}
NOT_IMITATED = {"tag_ids", "engagement_level", "segment_id"}


def prepare(
    world: World, body: dict[str, Any], *, adding: bool
) -> tuple[dict[str, int], Callable[[], dict[str, int]]]:
    """The counters to begin with, and the work.

    Raises:
        ApiError: 400, or 404 for a list to remove from that does not exist.
    """
    refuse_unknown(body.keys() - {"source", "list_ids", "exclude"})
    if not adding:
        _lists_exist(world, body.get("list_ids"))
    targets = list_numbers(world, body.get("list_ids"), "list_ids", least=1)
    source = body.get("source")
    if not isinstance(source, dict):
        raise invalid("source is required")
    given = {name for name, value in source.items() if value not in (None, False, [])}
    if given & NOT_IMITATED:
        raise invalid(f"source.{(given & NOT_IMITATED).pop()}: not imitated by the simulator")
    if source.keys() - SOURCES - NOT_IMITATED:
        raise invalid("source has an unknown property")
    if len(given) != 1:
        raise invalid("source must have exactly one of its mutually exclusive properties")
    excluded = _contact_ids((body.get("exclude") or {}).get("contact_ids") or [], most=None)
    chosen = _chosen(world, source, given.pop())
    total = len(source["contact_ids"]) if source.get("contact_ids") else len(chosen())
    begin = {"items_total_count": total, "items_completed_count": 0, "list_count": len(targets)}

    def work() -> dict[str, int]:
        leave = {world.contacts.find(each) for each in excluded}
        rows = [row for row in chosen() if row not in leave]
        for row in rows:
            _apply(world, row, targets, adding=adding)
        world.contacts.version += 1
        return begin | {"items_completed_count": len(rows)}

    return begin, work


def _apply(world: World, row: int, targets: list[int], *, adding: bool) -> None:
    store = world.contacts
    if store.deleted_at[row]:
        return
    if adding:
        if store.permission[row] != UNSUBSCRIBED:
            add_to_lists(world, row, targets)
        return
    kept = [each for each in store.lists_of(row) if each not in targets]
    if len(kept) != len(store.lists_of(row)):
        store.membership[row] = store.memberships.number(kept)
        if world.settings.lists_update_contacts:
            store.updated_at[row] = world.clock.now_ms()


def _chosen(world: World, source: dict[str, Any], kind: str) -> Callable[[], list[int]]:
    """Finds the rows when the work is done, not when it is asked for."""
    if kind == "contact_ids":
        ids = _contact_ids(source["contact_ids"], most=MAX_CONTACT_IDS)

        def by_id() -> list[int]:
            rows = (world.contacts.find(each) for each in dict.fromkeys(ids))
            return [row for row in rows if row is not None]

        return by_id
    if kind == "list_ids":
        lists = list_numbers(world, source["list_ids"], "source.list_ids", least=1)

        def by_list() -> list[int]:
            store = world.contacts
            mask = store.live() & store.memberships.in_any(
                store.membership[: store.size], set(lists)
            )
            return list(map(int, np.flatnonzero(mask)))

        return by_list
    if source[kind] is not True:
        raise invalid("source.all_active_contacts must be true or false")
    return lambda: list(map(int, np.flatnonzero(by_status(world.contacts, ["active"]))))


def _contact_ids(ids: object, most: int | None) -> list[str]:
    if not isinstance(ids, list) or not all(is_uuid(each) for each in ids):
        raise invalid("contact_ids must be an array of UUIDs")
    if most is not None and len(ids) > most:
        raise invalid(f"contact_ids: at most {most}")
    return ids


def _lists_exist(world: World, ids: object) -> None:
    """Only the contract of the removal names a 404."""
    if not isinstance(ids, list) or len(ids) > MAX_MEMBERSHIPS:
        return
    for each in ids:
        if is_uuid(each) and world.lists.number(each) is None:
            raise refused(404, "not_found", f"There is no list {each}")
