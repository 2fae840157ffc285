"""Counts of engagement as the statistics and summaries show them."""

from collections.abc import Iterable

import numpy as np

from simulator.campaigns import Activity
from simulator.events import BOUNCE_CODES, TYPES, Counts
from simulator.world import World

_BOUNCE_NAMES = {
    "B": "nonexistent_address",
    "D": "undeliverable",
    "F": "mailbox_full",
    "S": "suspended",
    "V": "vacation",
    "X": "other",
    "Z": "blocked",
}
# Of these there are counts with repeats, and by device.
_REPEATED = ("opens", "clicks")
_DEVICE_NAMES = ("none", "computer", "mobile", "tablet", "other")


def refreshed_ms(world: World) -> int:
    """When the statistics were last refreshed, by the setting of their lag."""
    return world.clock.now_ms() - round(world.settings.stats_lag_s * 1000)


def _counts(world: World, activity: Activity, kind: str) -> Counts:
    until = refreshed_ms(world) if world.settings.stats_lag_s else None
    return activity.streams[kind].counts(until)


def activity_stats(world: World, activity: Activity) -> dict[str, int]:
    """The contract's StatsEmailActivity."""
    stats = {}
    for kind in _REPEATED:
        counts = _counts(world, activity, kind)
        stats[f"em_{kind}"] = counts.unique
        stats[f"em_{kind}_all"] = counts.total
        for name, number in zip(_DEVICE_NAMES, counts.by_device, strict=True):
            stats[f"em_{kind}_all_{name}"] = number
    for kind in TYPES:
        if kind not in _REPEATED:
            stats[f"em_{kind}"] = _counts(world, activity, kind).unique
    stats["em_opens_all"] += world.settings.surplus_opens
    codes = _counts(world, activity, "bounces").unique_by_detail
    for number, code in enumerate(BOUNCE_CODES):
        stats[f"em_bounces_{_BOUNCE_NAMES[code]}"] = codes.get(number, 0)
    stats["em_abuse"] = 0
    stats["em_not_opened"] = not_opened(stats)
    return stats


def not_opened(stats: dict[str, int]) -> int:
    """By the contract: sends - opens - bounces, never below zero."""
    return max(0, stats["em_sends"] - stats["em_opens"] - stats["em_bounces"])


def campaign_stats(world: World, activities: Iterable[Activity]) -> dict[str, int]:
    """The contract's StatsEmail: the sum over the activities, without what only they have."""
    total: dict[str, int] = {}
    for activity in activities:
        for name, number in activity_stats(world, activity).items():
            if name != "em_abuse" and not name.startswith("em_bounces_"):
                total[name] = total.get(name, 0) + number
    return total


def unique_counts(stats: dict[str, int]) -> dict[str, int]:
    """The contract's UniqueEmailCounts."""
    return {name: stats[f"em_{name}"] for name in (*TYPES, "not_opened")} | {"abuse": 0}


def summary_counts(world: World, activities: list[Activity]) -> dict[str, int]:
    """The summary's counts, by the setting of what they count."""
    unique = unique_counts(campaign_stats(world, activities))
    if world.settings.summary_counts == "activities":
        return unique
    for kind in TYPES:
        streams = [each.streams[kind] for each in activities]
        if world.settings.summary_counts == "events":
            unique[kind] = sum(map(len, streams))
        else:
            unique[kind] = len(
                np.unique(np.concatenate([each.rows["contact"] for each in streams]))
            )
    return unique


def percents(stats: dict[str, int]) -> dict[str, float]:
    """The five percentages that summaries and statistics share."""
    delivered = stats["em_sends"] - stats["em_bounces"]
    return {
        "bounce": _share(stats["em_bounces"], stats["em_sends"]),
        "click": _share(stats["em_clicks"], stats["em_opens"]),
        "did_not_open": _share(stats["em_not_opened"], delivered),
        "open": _share(stats["em_opens"], delivered),
        "unsubscribe": _share(stats["em_optouts"], delivered),
    }


def all_percents(stats: dict[str, int]) -> dict[str, float]:
    """The contract's PercentsEmail."""
    shares = percents(stats)
    for kind, name in (("opens", "open"), ("clicks", "click")):
        whole = stats[f"em_{kind}_all"]
        desktop = stats[f"em_{kind}_all_computer"]
        mobile = stats[f"em_{kind}_all_mobile"] + stats[f"em_{kind}_all_tablet"]
        shares[f"desktop_{name}"] = _share(desktop, whole)
        shares[f"mobile_{name}"] = _share(mobile, whole)
    return shares


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole > 0 else 0.0
