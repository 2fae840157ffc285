"""What happens between the first night and the second: people edit, on both sides.

Who it happens to follows from the seed alone, so a later demo makes the same.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from local.demo.campaigns import DayLists, Issue
from local.demo.people import JSON, CrmContact, Person, crm_contacts


class FlagChange(NamedTuple):
    """A change of Do Not Email in the CRM."""

    contact_id: str
    do_not_email: bool
    reason: str | None = None
    by_contact: bool = False


class Request(NamedTuple):
    """The CRM asks for a contact to be put on a list, or taken off it."""

    contact_id: str
    list_id: str
    action: str = "add"

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.list_id}"


@dataclass
class Story:
    """All edits, in order; contacts by their ids.

    Attributes:
        flags: In the CRM; those of one contact in a row count in that order.
        addresses: In the CRM: the new address of a contact that stays linked, or of one that is
            new at the vendor that night.
        requests: In the CRM: who is to be on which list.
        leaving: At the vendor: they unsubscribe through the last newsletter.
        readdressed: At the vendor: they get another address; the links stay.
        deleted: At the vendor, for good; the links are cleared.
        moved: At the vendor: the contact gets another address and is deleted, and a new contact
            has the former address; the links move.
        joined: At the vendor: new contacts that the CRM had already.
        openers: They open the last newsletter today; one of them an old one too.
    """

    flags: list[FlagChange] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    readdressed: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    moved: dict[str, JSON] = field(default_factory=dict)
    joined: list[JSON] = field(default_factory=list)
    openers: list[str] = field(default_factory=list)


def make_story(people: list[Person], lists: DayLists) -> Story:
    """Choose who does what: each person in one part, but for requests for lists."""
    return _Telling(people, lists).tell()


def crm_after(people: list[Person], story: Story) -> list[CrmContact]:
    """Return the CRM's contacts as they are after the story."""
    flags = {change.contact_id: change.do_not_email for change in story.flags}
    return [
        contact._replace(
            do_not_email=flags.get(contact.contact_id, contact.do_not_email),
            preferred_email=story.addresses.get(contact.contact_id, contact.preferred_email),
        )
        for contact in crm_contacts(people)
    ]


class _Telling:
    def __init__(self, people: list[Person], lists: DayLists) -> None:
        self._people = people
        self._lists = lists
        self._of_kind: dict[str, list[Person]] = {}
        for person in people:
            self._of_kind.setdefault(person.kind, []).append(person)

    def tell(self) -> Story:
        story = Story()
        self._set(story)
        self._clear(story)
        self._at_the_vendor(story)
        self._ask_to_add(story)
        self._ask_to_remove(story)
        return story

    def _take(self, kind: str, count: int) -> list[Person]:
        """Take the next people of a kind; each is taken once."""
        return [self._of_kind[kind].pop() for _ in range(count)]

    def _flag(
        self,
        story: Story,
        kind: str,
        count: int,
        *,
        to: bool = True,
        reason: str | None = None,
        by_contact: bool = False,
    ) -> list[Person]:
        people = self._take(kind, count)
        for person in people:
            contact_id = person.crm[0].contact_id
            story.flags.append(FlagChange(contact_id, to, reason, by_contact))
        return people

    def _set(self, story: Story) -> None:
        flag = self._flag
        flag(story, "ordinary", 14)
        flag(story, "other case in the CRM", 6, reason="Asked by letter, § 7 UWG, “nie wieder”")
        flag(story, "ordinary", 9, by_contact=True, reason="Asked on the phone")
        flag(story, "household of three", 2, by_contact=True, reason="Asked at the door")
        # The account's own opt-out becomes the contact's.
        flag(story, "out by the account", 2, by_contact=True)
        flag(story, "out by the contact", 1)
        flag(story, "pending", 1, by_contact=True)
        flag(story, "on hold", 1)
        flag(story, "in the CRM only", 2)
        flag(story, "no address", 1, by_contact=True)
        # One of a household for the account, another for himself.
        (shared,) = flag(story, "household of four", 1, reason="Returned mail")
        story.flags.append(FlagChange(shared.crm[3].contact_id, True, "Asked", True))
        # Set by mistake and cleared at once.
        for person in flag(story, "ordinary", 2):
            story.flags.append(FlagChange(person.crm[0].contact_id, False))

    def _clear(self, story: Story) -> None:
        flag = self._flag
        # What a night of ours has carried is taken back; the account's own opt-out is not.
        flag(story, "flagged, not out", 2, to=False)
        flag(story, "flagged, out by the account", 2, to=False)
        flag(story, "flagged, out by the contact", 3, to=False)
        flag(story, "flagged, in the CRM only", 1, to=False)
        # One of a household may be mailed again, the other one not: neither is.
        household = "household, all flagged, out by the account"
        flag(story, household, 2, to=False)
        # Both may, by the CRM: the account's own opt-out stands.
        for person in flag(story, household, 1, to=False):
            story.flags.append(FlagChange(person.crm[1].contact_id, False))
        # The other one never objected: then they are.
        flag(story, "household, one flagged", 1, to=False)

    def _at_the_vendor(self, story: Story) -> None:
        for person in self._take("ordinary", 2):
            story.addresses[person.crm[0].contact_id] = f"new.{person.address}"
        story.leaving = [*self._ids("ordinary", 2), *self._ids("household of two", 1)]
        for person in self._take("ordinary", 2):
            story.readdressed[_id(person)] = f"elsewhere.{person.address}"
        story.deleted = [*self._ids("ordinary", 2), *self._ids("household of two", 1)]
        for kind in ("ordinary", "household of two"):
            for person in self._take(kind, 2):
                story.moved[_id(person)] = _newcomer(person)
        story.joined = [_newcomer(person) for person in self._take("in the CRM only", 3)]
        story.openers = self._ids("ordinary", 12)

    def _ask_to_add(self, story: Story) -> None:
        first, second, goes, comes = self._lists

        def ask(people: list[Person], *list_ids: str) -> None:
            story.requests += [
                Request(contact.contact_id, list_id)
                for person in people
                for contact in person.crm
                for list_id in list_ids
            ]

        ask(self._take("ordinary", 14), comes)
        ask(self._take("ordinary", 4), comes, second)
        ask(self._take("household of two", 2), comes)
        ask(self._take("ordinary", 2), goes)
        ask(self._on(first, 1), first)
        # So many are new that an import is cheaper than creating each; two have one address.
        new = self._take("in the CRM only", 14)
        ask(new, comes)
        story.addresses[new[-1].crm[0].contact_id] = f" {(new[0].address or '').upper()}"
        ask(self._take("flagged, in the CRM only", 1), comes)
        # None of these can be; the last one must not come back to life.
        for kind in ("out by the contact", "malformed in the CRM", "no address", "deleted"):
            ask(self._take(kind, 1), comes)
        # Left today, flagged today, and may be mailed again since today.
        ask([self._of(story.leaving[0]), self._of(story.flags[0].contact_id)], comes)
        cleared = [self._of(each.contact_id) for each in story.flags if not each.do_not_email]
        for kind in ("flagged, not out", "flagged, out by the account"):
            ask([each for each in cleared if each.kind == kind][:1], comes)

    def _ask_to_remove(self, story: Story) -> None:
        first = self._lists.first
        people = [*self._on(first, 8), *self._take("in the CRM only", 1)]
        story.requests += [Request(each.crm[0].contact_id, first, "remove") for each in people]

    def _on(self, list_id: str, count: int) -> list[Person]:
        """The next people of the kind `ordinary` who are on that list."""
        ordinary = self._of_kind["ordinary"]
        found = [
            person
            for person in ordinary
            if person.vendor and list_id in person.vendor.get("list_memberships", ())
        ][-count:]
        for person in found:
            ordinary.remove(person)
        return found

    def _of(self, contact_id: str) -> Person:
        """Whose id this is, of the CRM or of the vendor."""
        return next(
            person
            for person in self._people
            if contact_id in [each.contact_id for each in person.crm]
            or (person.vendor and person.vendor["contact_id"] == contact_id)
        )

    def _ids(self, kind: str, count: int) -> list[str]:
        return [_id(person) for person in self._take(kind, count)]


def _id(person: Person) -> str:
    if person.vendor is None:
        raise ValueError(f"people of the kind {person.kind} are not at the vendor")
    return str(person.vendor["contact_id"])


def _newcomer(person: Person) -> JSON:
    """A new contact at the vendor with this person's address."""
    known = person.crm[0].contact_id
    return {
        # Made of the CRM's id: the same in every demo of a seed.
        "contact_id": f"00000000-0000-4000-8000-{int(known.removeprefix('CRM-')):012d}",
        "first_name": person.crm[0].first_name,
        "last_name": person.crm[0].last_name,
        "email_address": {"address": person.address, "permission_to_send": "explicit"},
    }


def rows_of_openers(openers: list[str], late: str, issues: tuple[Issue, Issue]) -> list[JSON]:
    """Opens and a click of this moment, in the last newsletter and (`late`) in one of long ago."""
    old, last = issues
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    opens = [*((contact, last) for contact in openers), (late, old)]
    rows: list[JSON] = [
        {
            "type": "opens",
            "contact_id": contact,
            "campaign_activity_id": issue.activity_id,
            "created_time": at,
            "device_type": "mobile",
        }
        for contact, issue in opens
    ]
    # The first one opens twice in one moment, and clicks.
    return [*rows, rows[0], rows[0] | {"type": "clicks"} | last.links[1]]
