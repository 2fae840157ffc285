"""The law, by who said what and when: no contact that objected is mailed because of us.

And the other way: where the firm took back what it said and no other ever said no, no contact stays
unsubscribed. Knows what the firm, its contacts and the vendor's people said, and the vendor's
contacts as they truly are; nothing of our tables, our links or our rules. Where it is open whether
something was a yes it takes it for one against a no, and for none against silence: it accuses only
when it is sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.faults.model import email_key

Row = Mapping[str, Any]


@dataclass
class No:
    """One no: of which person, when, and about which address when it was said.

    Attributes:
        by: `firm` (the CRM's flag), `asked` (the contact, by the CRM's word) or `vendor`.
        person: In the CRM; None if it was said at the vendor, about `contact`.
        merged_from: The person who said it, if that one was merged into `person` since.
        address: None where we did not hear of the no when it was said: then only the address that
            the person has when we look.
    """

    by: str
    at: datetime
    person: str | None = None
    address: str | None = None
    contact: str | None = None
    merged_from: str | None = None
    is_taken_back: bool = False


@dataclass
class Law:
    """All that was said.

    Attributes:
        flags: What the firm's rows say now.
        doubtful: People whose flag was taken away, not cleared: by null, or with the row.
        ties: Which have or had to do with each other: people, addresses and the vendor's contacts.
    """

    noes: list[No] = field(default_factory=list)
    addresses: dict[str, str | None] = field(default_factory=dict)
    opted_in: dict[str, datetime] = field(default_factory=dict)
    flags: dict[str, bool | None] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    ties: dict[str, set[str]] = field(default_factory=dict)

    def is_in_crm(self, person: str, address: str | None) -> None:
        self.addresses[person] = address
        self.tie(person, email_key(address))

    def left_crm(self, person: str) -> None:
        """Takes nothing back."""
        self.addresses.pop(person, None)
        self.flag_is(person, None)

    def flag_is(self, person: str, value: bool | None) -> None:
        self.flags[person] = value
        if value is None:
            self.doubtful.add(person)

    def tie(self, one: str, other: str | None) -> None:
        if other is not None:
            self.ties.setdefault(one, set()).add(other)
            self.ties.setdefault(other, set()).add(one)

    def flagged(self, person: str, at: datetime, *, is_asked: bool, is_told: bool = True) -> None:
        address = self.addresses[person] if is_told else None
        self.noes.append(No("firm", at, person, address))
        if is_asked:
            self.noes.append(No("asked", at, person, address))

    def cleared(self, person: str) -> None:
        """Takes back the firm's own noes about that person, nothing else."""
        for no in self.noes:
            no.is_taken_back |= no.by == "firm" and person in {no.person, no.merged_from}

    def merged(self, person: str, into: str) -> None:
        """Two rows of one person: what the one said holds for the other."""
        self.tie(person, into)
        last_yes = max(self.opted_in.values(), default=None)
        for no in list(self.noes):
            is_open = not no.is_taken_back and (last_yes is None or no.at > last_yes)
            if is_open and no.person == person and no.merged_from is None:
                self.noes.append(replace(no, person=into, address=None, merged_from=person))

    def never_merged(self, person: str) -> None:
        """The row went before anybody could see that it was merged."""
        self.noes = [no for no in self.noes if no.merged_from != person]

    def opted_out(self, contact: str, at: datetime) -> None:
        self.noes.append(No("vendor", at, contact=contact))

    def opted_in_by_itself(self, contact: str, at: datetime) -> None:
        self.opted_in[contact] = at

    def objection(self, contact: Row) -> No | None:
        """A no that stands against mailing one of the vendor's contacts, if any does."""
        key, yes = email_key(contact["email"]), self.opted_in.get(contact["contact_id"])
        for no in self.noes:
            if no.is_taken_back or (no.by != "firm" and yes and yes > no.at):
                continue
            theirs = {email_key(no.address), email_key(self.addresses.get(no.person or ""))}
            if no.contact == contact["contact_id"] or (key and key in theirs):
                return no
        return None

    def broken(self, contacts: Iterable[Row]) -> list[tuple[str, No]]:
        """Which living contacts of the vendor's may be mailed and must not be, and why."""
        found = (
            (each["email"], self.objection(each))
            for each in contacts
            if not each["deleted"] and each["email"] and each["permission"] != "unsubscribed"
        )
        return [(email, no) for email, no in found if no is not None]

    def silenced(self, contacts: Iterable[Row]) -> list[str]:
        """Which living contacts are unsubscribed though all that was said was taken back.

        All: of anybody and at any time, that has to do with them by whatever tie.
        """
        contacts = [each for each in contacts if not each["deleted"] and each["email"]]
        for each in contacts:
            self.tie(each["contact_id"], email_key(each["email"]))
        return [
            each["email"]
            for each in contacts
            if each["permission"] == "unsubscribed" and self._is_free(each["contact_id"])
        ]

    def _is_free(self, contact_id: str) -> bool:
        circle, edge = {contact_id}, [contact_id]
        while edge:
            new = self.ties.get(edge.pop(), set()) - circle
            circle |= new
            edge += new
        about = [no for no in self.noes if {no.person, no.contact} & circle]
        return all(
            no.by == "firm"
            and no.is_taken_back
            and no.person not in self.doubtful
            and self.flags.get(no.person or "") is False
            for no in about
        )
