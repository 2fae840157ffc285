"""What happens to an account between two nights, at the vendor and in the CRM."""

import math
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from constant_contact.api import vendor as limits
from local.bench.made_up import make
from local.bench.stage import Vendor

_LISTS, _OLD_CAMPAIGNS = 20, 497
_SENT_DAYS_AGO = (2, 9, 20)
_SENT_TO = 5_000
_EVENTS = 5_000
_SHARES = {"opens": 55, "clicks": 28, "bounces": 8, "optouts": 5, "forwards": 4}
# one contact in so many: edited at the vendor, unsubscribed by itself
_CHANGED_ONE_IN, _OPTED_OUT_ONE_IN = 500, 10_000
_WISHES = {"flagged": 20, "requested": 200, "known": 20}


@dataclass(frozen=True)
class Day:
    """What a day brought.

    Attributes:
        events: At the vendor, over the campaigns of the last 30 days.
        least_pages: That these fill, if each report is read by itself.
        changed: Contacts that were edited at the vendor.
        opted_out: Contacts that unsubscribed, by an event or without one; at most.
    """

    events: int
    least_pages: int
    changed: int
    opted_out: int


class Days:
    """An account of some contacts, with campaigns of two years, and what becomes of it.

    Args:
        vendor: Has no account yet; gets one.
        contacts: How many.
        events: How many, all of them older than a month.
    """

    def __init__(self, vendor: Vendor, *, contacts: int, events: int) -> None:
        self._vendor = vendor
        self._contacts = contacts
        self._dice = random.Random(1)  # noqa: S311 - the same days each time
        self._readers: list[str] = []
        self._activity_ids: list[str] = []
        self._passed = 0
        now = datetime.now(UTC)
        vendor.control.clock(now=now.isoformat())
        vendor.control.generate(
            contacts=contacts, lists=_LISTS, campaigns=_OLD_CAMPAIGNS, recent_campaigns=0,
            events=events, end=(now - timedelta(days=31)).isoformat(),
        )  # fmt: skip

    @property
    def campaigns(self) -> int:
        """How many there are, the recent ones too."""
        return _OLD_CAMPAIGNS + len(_SENT_DAYS_AGO)

    def send(self, crm_url: str) -> None:
        """Send the campaigns of the last 30 days, to contacts that the mirror knows by now."""
        self._readers = _mailable(crm_url, _SENT_TO)
        now = datetime.fromisoformat(self._vendor.control.clock()["now"])
        for days in _SENT_DAYS_AGO:
            sent = self._vendor.control.send_campaign(
                name=f"Recent {days}",
                contact_ids=self._readers,
                sent_at=(now - timedelta(days=days)).isoformat(),
            )
            self._activity_ids.append(sent["campaign_activity_id"])

    def pass_one(self, crm_url: str) -> Day:
        """A quiet one: 5,000 events, a few changes, a handful of wishes of the CRM."""
        control = self._vendor.control
        self.pass_nothing(crm_url)
        now = datetime.fromisoformat(control.clock()["now"])
        kinds = self._dice.choices(list(_SHARES), list(_SHARES.values()), k=_EVENTS)
        events = [
            {
                "type": kind,
                "campaign_activity_id": self._dice.choice(self._activity_ids),
                "contact_id": self._dice.choice(self._readers),
                "created_time": (now - timedelta(seconds=self._dice.randrange(80_000))).isoformat(),
            }
            for kind in kinds
        ]
        control.add_events(events)
        changed = max(10, self._contacts // _CHANGED_ONE_IN)
        opted_out = max(10, self._contacts // _OPTED_OUT_ONE_IN)
        touched = self._dice.sample(_mailable(crm_url, _SENT_TO), changed + opted_out)
        for contact_id in touched[:changed]:
            control.update_contact(contact_id, first_name=f"Changed {now:%d}")
        for contact_id in touched[changed:]:
            control.unsubscribe(contact_id)
        make(crm_url, "wishes", day=self._passed, **_WISHES)
        streams = Counter((each["type"], each["campaign_activity_id"]) for each in events)
        pages = sum(math.ceil(count / limits.EVENTS_PER_PAGE) for count in streams.values())
        return Day(len(events), pages, changed, opted_out + kinds.count("optouts"))

    def pass_nothing(self, crm_url: str) -> None:
        """A day on which nothing happens."""
        if self._passed:
            make(crm_url, "vendors_clock")
        self._vendor.control.clock(advance_s=86_400)
        self._passed += 1


def _mailable(crm_url: str, most: int) -> list[str]:
    with psycopg.connect(crm_url) as connection:
        found = connection.execute(
            "SELECT contact_id FROM ctct_contact"
            " WHERE deleted_at IS NULL AND permission_to_send <> 'unsubscribed'"
            " AND email_address IS NOT NULL ORDER BY md5(contact_id) LIMIT %s",
            [most],
        ).fetchall()
    return [contact_id for (contact_id,) in found]
