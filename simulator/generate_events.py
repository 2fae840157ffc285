"""Made-up engagement in lifelike proportions: sends > opens > clicks > bounces > opt-outs."""

import numpy as np
from numpy.typing import NDArray

from simulator.campaigns import Activity
from simulator.clock import DAY_MS
from simulator.contacts import BY_CONTACT, UNSUBSCRIBED
from simulator.events import COLUMNS, SHARES, TYPES
from simulator.world import World

REASONS = ("", "", "I no longer want to receive these emails", "Too many emails", "Other")


def draw(
    world: World, events: int, activities: list[Activity], end_ms: int, rng: np.random.Generator
) -> int:
    """Fill the streams of the activities with exactly `events` events."""
    contacts = world.contacts.size
    numbers = {kind: int(events * share) for kind, share in SHARES.items()}
    most = contacts * len(activities)
    numbers["sends"] = min(numbers["sends"], most)
    numbers["optouts"] = min(numbers["optouts"], contacts // 20)
    numbers["opens"] += events - sum(numbers.values())
    sent = _sends(contacts, numbers["sends"], activities, rng)
    opted_out = np.zeros(0, np.int64)
    for kind in TYPES:
        n = numbers[kind]
        if kind == "sends":
            which, contact = sent
        elif kind == "optouts":
            # One contact opts out once: at its first chosen send.
            _, first = np.unique(sent[1], return_index=True)
            chosen = rng.permutation(first)[:n]
            which, contact = sent[0][chosen], sent[1][chosen]
            opted_out = contact
        else:
            chosen = rng.integers(0, max(1, len(sent[0])), n)
            which, contact = sent[0][chosen], sent[1][chosen]
        _store(world, kind, which, contact, activities, end_ms, rng)
    _unsubscribe(world, opted_out, activities)
    return sum(len(s) for each in activities for s in each.streams.values())


def _sends(
    contacts: int, n: int, activities: list[Activity], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Activity and contact of each send; a contact at most once per activity."""
    per_activity = np.full(len(activities), n // len(activities))
    per_activity[: n % len(activities)] += 1
    which = np.repeat(np.arange(len(activities)), per_activity)
    parts = []
    for size in per_activity.tolist():
        # A window of a walk over all contacts with a step that shares no factor with their number.
        step = _coprime(contacts, int(rng.integers(1, contacts + 1)))
        start = int(rng.integers(0, contacts))
        parts.append((start + np.arange(size, dtype=np.int64) * step) % contacts)
    return which, np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _coprime(n: int, near: int) -> int:
    while np.gcd(n, near) != 1:
        near += 1
    return near


def _store(  # noqa: PLR0917 - their types differ
    world: World,
    kind: str,
    which: NDArray[np.int64],
    contact: NDArray[np.int64],
    activities: list[Activity],
    end_ms: int,
    rng: np.random.Generator,
) -> None:
    n = len(which)
    sent_ms = np.array([each.sent_ms for each in activities], np.int64)[which]
    if kind == "sends":
        after = rng.integers(0, 1800, n) * 1000
    elif kind == "bounces":
        after = rng.integers(1, 3600, n) * 1000
    else:
        # Most come on the first day, some weeks later.
        after = (rng.exponential(0.7, n) * DAY_MS).astype(np.int64) // 1000 * 1000 + 1000
    at_ms = np.minimum(sent_ms + after, end_ms - 1)
    rows = np.zeros(n, COLUMNS)
    rows["contact"], rows["at_ms"], rows["arrived_ms"] = contact, at_ms, at_ms
    rows["detail"] = -1
    if kind in ("opens", "clicks"):
        rows["device"] = rng.choice(np.arange(5), n, p=(0.03, 0.4, 0.45, 0.08, 0.04))
    if kind == "clicks":
        rows["detail"] = rng.integers(0, 4, n)
    elif kind == "bounces":
        rows["detail"] = rng.integers(0, 7, n)
    elif kind == "optouts":
        known = np.array([world.campaigns.reason(each) for each in REASONS])
        rows["detail"] = known[rng.integers(0, len(known), n)]
    order = np.lexsort((at_ms, which))
    rows = rows[order]
    edges = np.searchsorted(which[order], np.arange(len(activities) + 1)).tolist()
    for number, activity in enumerate(activities):
        activity.streams[kind].replace(rows[edges[number] : edges[number + 1]])


def _unsubscribe(world: World, contact: NDArray[np.int64], activities: list[Activity]) -> None:
    """Contacts with an opt-out event are unsubscribed, by themselves, at that time."""
    store = world.contacts
    store.permission[contact] = UNSUBSCRIBED
    store.opt_out_source[contact] = BY_CONTACT
    store.membership[contact] = 0
    for activity in activities:
        rows = activity.streams["optouts"].rows
        store.opt_out_date[rows["contact"]] = rows["at_ms"]
        store.email_updated_at[rows["contact"]] = rows["at_ms"]
        for row, reason in rows[["contact", "detail"]].tolist():
            if reason >= 0:
                store.reasons[row] = world.campaigns.reasons[reason]
