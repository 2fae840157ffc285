"""The law, told by who said what and when: nobody who said no is mailed because of us.

Knows what the firm, its contacts and the vendor's people said, and the vendor's contacts as they
truly are; nothing of our tables, our links or our rules. Where it is open whether something was a
yes it takes it for one: it accuses only when it is sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.faults.model import email_key

Row = Mapping[str, Any]


@dataclass
class No:
    """One no: of whom, when, and about which address when it was said.

    Attributes:
        by: `firm` (the CRM's flag), `asked` (the contact, told by the CRM) or `vendor`.
        person: In the CRM; None if it was said at the vendor, about `contact`.
        merged_from: The person who said it, if that one was merged into `person` since.
        address: None where nobody told us of the no when it was said: then only the address that
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
    """All that was said."""

    noes: list[No] = field(default_factory=list)
    addresses: dict[str, str | None] = field(default_factory=dict)
    opted_in: dict[str, datetime] = field(default_factory=dict)

    def is_in_crm(self, person: str, address: str | None) -> None:
        self.addresses[person] = address

    def left_crm(self, person: str) -> None:
        """Takes nothing back."""
        self.addresses.pop(person, None)

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
        last_yes = max(self.opted_in.values(), default=None)
        for no in list(self.noes):
            is_open = not no.is_taken_back and (last_yes is None or no.at > last_yes)
            if is_open and no.person == person and no.merged_from is None:
                self.noes.append(replace(no, person=into, address=None, merged_from=person))

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
