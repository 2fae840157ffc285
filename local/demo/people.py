"""The people of the demo: who is in the CRM, who is at the vendor, and what each has of them.

A person stands for one address. Everything follows from the seed; dates follow from `now` too.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.demo.addresses import SPELLINGS, address_of
from local.demo.names import SCRIPTS, Name

JSON = dict[str, Any]
CRM_CONTACTS = 5_000
REASONS = (None, "Too many emails", "I never signed up", "No longer interested", "Zu viele Mails")


class Kind(NamedTuple):
    """People who are alike in what matters to the jobs.

    Attributes:
        people: How many; 0: as many as make the CRM full.
        in_crm: How many CRM contacts have the address.
        shape: How the address is made (see `addresses`).
        spelled: How the CRM writes it (see `addresses`).
        permission: At the vendor; empty: mostly implicit, some explicit.
        source: Whose opt-out it was.
        through: Whether that was by the link in a newsletter.
        flagged: How many of the CRM contacts have Do Not Email.
        lives_on: Whether the vendor has a deleted contact that once had the same address.
    """

    name: str
    people: int
    in_crm: int = 1
    at_vendor: bool = True
    shape: str = "plain"
    spelled: str = "same"
    permission: str = ""
    source: str = ""
    through: bool = False
    flagged: int = 0
    deleted: bool = False
    lives_on: bool = False


KINDS = (
    Kind("ordinary", 0),
    Kind("other case in the CRM", 400, spelled="other case"),
    Kind("blanks around the address", 110, spelled="blanks around"),
    Kind("plus address", 140, shape="plus", spelled="other case"),
    Kind("accented address", 12, shape="accented", spelled="upper case"),
    Kind("51 to 80 characters", 14, shape="long"),
    Kind("household of two", 100, in_crm=2),
    Kind("household of three", 30, in_crm=3),
    Kind("household of four", 10, in_crm=4),
    Kind("household, one flagged", 6, in_crm=2, flagged=1),
    Kind("household, all flagged, out by the account", 6, 2, True, flagged=2,
         permission="unsubscribed", source="Account"),
    Kind("in the CRM only", 320, at_vendor=False),
    Kind("typo in the CRM", 60, spelled="typo"),
    Kind("malformed in the CRM", 60, spelled="malformed"),
    Kind("blank address", 40, at_vendor=False, spelled="blank"),
    Kind("no address", 60, at_vendor=False, spelled="none"),
    Kind("at the vendor only", 420, in_crm=0),
    Kind("SMS only", 2, in_crm=0, shape="none"),
    Kind("out through a newsletter", 90, permission="unsubscribed", source="Contact", through=True),
    Kind("out by the contact", 60, permission="unsubscribed", source="Contact"),
    Kind("out by the account", 50, permission="unsubscribed", source="Account"),
    Kind("flagged, out by the contact", 25, permission="unsubscribed", source="Contact", flagged=1),
    Kind("flagged, out by the account", 30, permission="unsubscribed", source="Account", flagged=1),
    Kind("flagged, not out", 24, flagged=1),
    Kind("flagged, in the CRM only", 10, at_vendor=False, flagged=1),
    Kind("pending", 24, permission="pending_confirmation"),
    Kind("on hold", 12, permission="temp_hold"),
    Kind("deleted", 50, deleted=True),
    Kind("deleted, at the vendor only", 20, in_crm=0, deleted=True),
    Kind("deleted, the address lives on", 6, lives_on=True),
)  # fmt: skip


class CrmContact(NamedTuple):
    """The columns of `crm_contact` that the CRM owns."""

    contact_id: str
    first_name: str | None
    last_name: str | None
    preferred_email: str | None
    do_not_email: bool | None


class Leaving(NamedTuple):
    """An unsubscribe by the link in a newsletter."""

    newsletter: int
    at: datetime
    reason: str | None


@dataclass
class Person:
    """One address: its CRM contacts, the vendor's contact, and one the vendor deleted before."""

    kind: str
    address: str | None
    crm: list[CrmContact] = field(default_factory=list)
    vendor: JSON | None = None
    former: JSON | None = None
    left: Leaving | None = None


class People:
    """Makes everybody.

    Args:
        seed: The same gives the same people, with the same ids.
        now: Nothing is younger than this.
        sent: When each newsletter went out, oldest first.
        list_ids: The living lists.
    """

    def __init__(self, seed: int, now: datetime, sent: list[datetime], list_ids: list[str]) -> None:
        self._dice = random.Random(f"{seed}/people")  # noqa: S311 - made-up people
        self._now = now
        self._sent = sent
        self._list_ids = list_ids
        self._written: list[str] = []

    def make(self) -> list[Person]:
        """All of them, in no order of kinds."""
        kinds = [kind for kind in _plan() for _ in range(kind.people)]
        self._dice.shuffle(kinds)
        return [self._person(number, kind) for number, kind in enumerate(kinds, 1)]

    def _person(self, number: int, kind: Kind) -> Person:
        script = self._dice.choices(SCRIPTS, [script.weight for script in SCRIPTS])[0]
        given, family = self._dice.choice(script.given), self._dice.choice(script.family)
        address = address_of(kind.shape, given.stem, family.stem, number)
        made = Person(kind.name, address)
        for place in range(kind.in_crm):
            first = given if place == 0 else self._dice.choice(script.given)
            made.crm.append(self._crm_contact(kind, first, family, address, place))
        if kind.at_vendor:
            made.vendor = self._vendor_contact(kind, made, given, family)
        if kind.lives_on:
            former = f"former.{address}"
            made.former = self._record(given, family) | {
                "email_address": {"address": former, "permission_to_send": "implicit"},
                "deleted_at": _text(self._now - timedelta(days=self._dice.uniform(20, 60))),
            }
        return made

    def _crm_contact(
        self, kind: Kind, given: Name, family: Name, address: str | None, place: int
    ) -> CrmContact:
        self._written.append(f"CRM-{len(self._written) + 1:05d}")
        # The flag is null where it was never set.
        flag = True if place < kind.flagged else self._dice.choice((False, False, False, None))
        return CrmContact(
            self._written[-1],
            None if self._chance(0.02) else given.written,
            family.written,
            SPELLINGS[kind.spelled](address, self._dice),
            flag,
        )

    def _vendor_contact(self, kind: Kind, made: Person, given: Name, family: Name) -> JSON:
        record = self._record(given, family)
        if made.address is None:
            return record | {"sms_channel": {"sms_address": "5550100", "dial_code": "1"}}
        address = made.address.title() if self._chance(0.03) else made.address
        email: JSON = {
            "address": address,
            "permission_to_send": kind.permission
            or self._dice.choices(("implicit", "explicit"), (8, 2))[0],
        }
        if kind.permission == "unsubscribed":
            email["opt_out_source"] = kind.source
            made.left = self._leaving() if kind.through else None
            at = made.left.at if made.left else self._ago(1, 300)
            email["opt_out_date"] = _text(at)
            reason = made.left.reason if made.left else self._dice.choice(REASONS)
            if reason:
                email["opt_out_reason"] = reason
        elif not kind.deleted:
            few = self._dice.choices((0, 1, 2, 3), (1, 5, 3, 1))[0]
            record["list_memberships"] = self._dice.sample(self._list_ids, few)
        if kind.deleted:
            record["deleted_at"] = _text(self._ago(2, 100))
        return record | {"email_address": email}

    def _record(self, given: Name, family: Name) -> JSON:
        """What every contact at the vendor has; names there are not always the CRM's."""
        created = self._ago(200, 900)
        age = self._now - timedelta(days=1) - created
        record: JSON = {
            "contact_id": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            "created_at": _text(created),
            "updated_at": _text(created + age * self._dice.random()),
        }
        if self._chance(0.9):
            record |= {"first_name": given.written, "last_name": family.written}
        elif self._chance(0.5):
            record["first_name"] = given.stem[0].upper() + "."
        if self._chance(0.1):
            record |= {"job_title": "Head of Überholspur", "company_name": "例え株式会社"}
        if self._chance(0.1):
            record |= {"birthday_month": self._dice.randint(1, 12), "birthday_day": 15}
            record["anniversary"] = "2019-06-01"
        return record

    def _leaving(self) -> Leaving:
        newsletter = self._dice.randrange(len(self._sent))
        after = timedelta(seconds=self._dice.randint(300, 40_000))
        latest = self._now - timedelta(minutes=5)
        at = min(self._sent[newsletter] + after, latest)
        return Leaving(newsletter, at, self._dice.choice(REASONS))

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share

    def _ago(self, least_days: float, most_days: float) -> datetime:
        moment = self._now - timedelta(days=self._dice.uniform(least_days, most_days))
        return moment.replace(microsecond=self._dice.randrange(1000) * 1000)


def crm_contacts(people: list[Person]) -> Iterator[CrmContact]:
    """Everybody's CRM contacts, in order of their ids."""
    for person in people:
        yield from person.crm


def _plan() -> list[Kind]:
    """`KINDS` with the CRM filled up to its size."""
    taken = sum(kind.people * kind.in_crm for kind in KINDS)
    return [kind if kind.people else kind._replace(people=CRM_CONTACTS - taken) for kind in KINDS]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
