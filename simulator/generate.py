"""A big made-up account, fast: columns are drawn with numpy and stored as they are."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.campaigns import AB_TEST, AUTOMATED, Activity, Campaign
from simulator.clock import DAY_MS, instant
from simulator.contacts import (
    BY_ACCOUNT,
    BY_CONTACT,
    EXPLICIT,
    IMPLICIT,
    NOT_SET,
    PENDING,
    TEMP_HOLD,
    UNSUBSCRIBED,
)
from simulator.generate_events import draw
from simulator.ids import make_id
from simulator.lists import ContactList
from simulator.names import FIRST, LAST
from simulator.world import World

_UNSUBSCRIBED_SHARE = 0.03


@dataclass
class Plan:
    """What to make; the names are those of the control API."""

    seed: int = 1
    contacts: int = 1000
    lists: int = 10
    campaigns: int = 20
    activities_per_campaign: int = 1
    events: int = 10_000
    #: Of the campaigns, this many were sent in the seven days before `end`.
    recent_campaigns: int = 3
    deleted_share: float = 0.01
    sms_only_share: float = 0.001
    #: ISO text or milliseconds; by default two years up to the clock's now.
    start: Any = None
    end: Any = None
    start_ms: int = field(default=0, init=False)
    end_ms: int = field(default=0, init=False)

    def settle(self, now_ms: int) -> None:
        """Work out the span of time and check the numbers."""
        self.end_ms = instant(self.end, now_ms)
        self.start_ms = instant(self.start, self.end_ms - 730 * DAY_MS)
        if self.start_ms >= self.end_ms:
            raise ValueError("start must be before end")
        for name in ("contacts", "lists", "campaigns", "events", "recent_campaigns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if self.lists > 1000:
            raise ValueError("an account has at most 1,000 lists")
        if self.activities_per_campaign not in (1, 2):
            raise ValueError("activities_per_campaign is 1, or 2 for a resend as well")
        if self.events and not (self.contacts and self.campaigns):
            raise ValueError("events need contacts and campaigns")


def generate(world: World, plan: Plan) -> dict[str, int]:
    """Replace the account's data. Everything follows from `plan` alone."""
    plan.settle(world.clock.now_ms())
    world.clear_data()
    rng = np.random.default_rng(plan.seed)
    for number in range(plan.lists):
        made_ms = plan.start_ms + number * 1000
        world.lists.add(
            ContactList(
                make_id(plan.seed, "list", number),
                f"List {number + 1:04d}",
                made_ms,
                made_ms,
                f"Generated list {number + 1}",
            )
        )
    if plan.contacts:
        _contacts(world, plan, rng)
    activities = _campaigns(world, plan)
    events = draw(world, plan.events, activities, plan.end_ms, rng) if plan.events else 0
    _suppress(world, plan, rng)
    world.contacts.version += 1
    return {
        "lists": plan.lists,
        "contacts": world.contacts.size,
        "campaigns": len(world.campaigns.campaigns),
        "activities": len(activities),
        "events": events,
    }


def _contacts(world: World, plan: Plan, rng: np.random.Generator) -> None:
    store, n = world.contacts, plan.contacts
    store.reserve(n)
    store.size = n
    ids = rng.integers(0, 256, (n, 16), np.uint8)
    # The row is worked into the id, so that no two are alike.
    ids[:, 12:16] = _scattered(n, plan.seed).astype(">u4").view(np.uint8).reshape(n, 4)
    ids[:, 6] = 0x40 | (ids[:, 6] & 0x0F)
    ids[:, 8] = 0x80 | (ids[:, 8] & 0x3F)
    store.ids[:n] = ids
    joined = ids.tobytes()
    store.by_id = {joined[at * 16 : at * 16 + 16]: at for at in range(n)}
    first = rng.integers(0, len(FIRST), n).tolist()
    last = rng.integers(0, len(LAST), n).tolist()
    store.first_names = [FIRST[each] for each in first]
    store.last_names = [LAST[each] for each in last]
    stems = [
        "".join(c for c in name.lower() if c.isascii() and c.isalpha()) for name in (*FIRST, *LAST)
    ]
    split = len(FIRST)
    emails = [
        f"{stems[a]}.{stems[split + b]}{'+news' if row % 97 == 5 else '.'}{row}@example.com"
        for row, (a, b) in enumerate(zip(first, last, strict=True))
    ]
    store.by_email = {each: row for row, each in enumerate(emails)}
    # Some addresses are kept as they were typed, with capitals.
    store.emails = [each.title() if row % 50 == 7 else each for row, each in enumerate(emails)]
    span = plan.end_ms - plan.start_ms
    created = plan.start_ms + np.sort(rng.integers(0, max(1, span // 2), n))
    store.created_at[:n] = store.email_created_at[:n] = store.opt_in_date[:n] = created
    touched = created + (rng.random(n) ** 4 * (plan.end_ms - created)).astype(np.int64)
    store.updated_at[:n] = store.email_updated_at[:n] = touched
    store.permission[:n] = rng.choice(
        np.array([IMPLICIT, EXPLICIT, PENDING, TEMP_HOLD], np.uint8), n, p=(0.79, 0.19, 0.01, 0.01)
    )
    explicit = store.permission[:n] == EXPLICIT
    store.opt_in_source[:n] = np.where(explicit, BY_CONTACT, BY_ACCOUNT)
    store.create_source[:n] = store.update_source[:n] = store.opt_in_source[:n]
    if plan.lists:
        pool = [()] + [
            tuple(sorted(set(rng.integers(0, plan.lists, rng.integers(1, 5)).tolist())))
            for _ in range(min(2000, plan.lists * 20))
        ]
        numbers = np.array([store.memberships.number(each) for each in pool], np.int32)
        store.membership[:n] = numbers[rng.integers(0, len(numbers), n)]


def _scattered(n: int, seed: int) -> NDArray[np.uint32]:
    """0 to n-1 multiplied by an odd number modulo 2**32: all different, in no visible order."""
    factor = np.uint32((2654435761 * (2 * seed + 1)) % 2**32 | 1)
    return np.arange(n, dtype=np.uint32) * factor


def _suppress(world: World, plan: Plan, rng: np.random.Generator) -> None:
    """Unsubscribe, delete, and take the address from some contacts.

    Contacts that an opt-out event has unsubscribed already stay as they are.
    """
    store, n = world.contacts, world.contacts.size
    if not n:
        return
    dice = rng.random(n)
    span = plan.end_ms - store.created_at[:n]
    when = store.created_at[:n] + (rng.random(n) * span).astype(np.int64)
    free = store.permission[:n] != UNSUBSCRIBED
    chosen = np.flatnonzero(free & (dice < _UNSUBSCRIBED_SHARE))
    store.permission[chosen] = UNSUBSCRIBED
    store.opt_out_date[chosen] = store.email_updated_at[chosen] = when[chosen]
    store.opt_out_source[chosen] = np.where(rng.random(len(chosen)) < 0.8, BY_CONTACT, BY_ACCOUNT)
    store.membership[chosen] = 0
    edge = _UNSUBSCRIBED_SHARE + plan.deleted_share
    gone = np.flatnonzero(free & (dice >= _UNSUBSCRIBED_SHARE) & (dice < edge))
    for row in gone.tolist():
        store.before_deletion[row] = (int(store.permission[row]), 0, 0)
    store.deleted_at[gone] = store.opt_out_date[gone] = when[gone]
    store.opt_out_source[gone] = BY_ACCOUNT
    store.permission[gone] = UNSUBSCRIBED
    store.membership[gone] = 0
    got_mail = np.zeros(n, np.bool_)
    for activity in world.campaigns.activities.values():
        got_mail[activity.streams["sends"].rows["contact"]] = True
    sms = np.flatnonzero(free & ~got_mail & (dice >= edge) & (dice < edge + plan.sms_only_share))
    for row in sms.tolist():
        email = store.emails[row]
        if email is not None:
            del store.by_email[email.lower()]
        store.emails[row] = None
        store.permission[row] = NOT_SET
        store.opt_in_date[row] = 0
        store.extras[row] = {"sms_channel": _sms(world, row)}


def _sms(world: World, row: int) -> dict[str, Any]:
    return {
        "sms_channel_id": make_id(world.seed, "sms", row),
        "sms_address": f"555{row % 10_000_000:07d}",
        "dial_code": "1",
        "country_code": "US",
        "sms_channel_consents": [
            {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}
        ],
    }


def _campaigns(world: World, plan: Plan) -> list[Activity]:
    """The campaigns, oldest first; returns the activities that have reports."""
    recent = min(plan.recent_campaigns, plan.campaigns)
    old = plan.campaigns - recent
    week_ms = min(7 * DAY_MS, plan.end_ms - plan.start_ms)
    first_ms = plan.start_ms + (plan.end_ms - plan.start_ms) // 2
    old_end = max(first_ms + 1, plan.end_ms - week_ms)
    old_times = np.linspace(first_ms, old_end, old, endpoint=False).astype(np.int64).tolist()
    new_times = (plan.end_ms - (np.arange(recent, 0, -1) * week_ms / (recent + 1))).tolist()
    sent = []
    for number, at in enumerate([*old_times, *new_times]):
        campaign = _campaign(world, plan, number, f"Campaign {number + 1:04d}", int(at))
        campaign.status = "Done"
        kinds = ["primary_email", "resend"][: plan.activities_per_campaign]
        for role in (*kinds, "permalink"):
            activity = world.campaigns.add_activity(
                campaign, make_id(plan.seed, f"activity/{role}", number), role
            )
            if role == "permalink":
                continue
            activity.sent_ms = int(at) + (DAY_MS if role == "resend" else 0)
            activity.sent_ms = min(activity.sent_ms, plan.end_ms - 1)
            for link in range(4):
                world.campaigns.link(activity, f"https://www.example.com/{number + 1}/page-{link}")
            sent.append(activity)
        campaign.updated_ms = campaign.last_sent_ms
    # beside those, three that no report knows
    others = (("Draft", 10, "NEWSLETTER"), ("Done", AB_TEST, "A_B_TEST"), ("Done", 1, AUTOMATED))
    for extra, (status, code, kind) in enumerate(others):
        number = plan.campaigns + extra
        campaign = _campaign(world, plan, number, f"Other {extra + 1} ({kind})", plan.end_ms - 1)
        campaign.status, campaign.type_code, campaign.type = status, code, kind
        for role in ("primary_email", "permalink"):
            activity = world.campaigns.add_activity(
                campaign, make_id(plan.seed, f"activity/{role}", number), role
            )
            if status == "Done" and role == "primary_email":
                activity.sent_ms = plan.end_ms - 1
    return sent


def _campaign(world: World, plan: Plan, number: int, name: str, at: int) -> Campaign:
    created = at - DAY_MS
    campaign_id = make_id(plan.seed, "campaign", number)
    return world.campaigns.add(Campaign(campaign_id, name, created, created))
