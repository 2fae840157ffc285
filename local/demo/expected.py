"""What must come of a night, worked out in Python from the people and the vendor's truth.

Nothing here looks at the tables or the SQL of the integration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from local.demo.people import JSON, CrmContact
from local.demo.story import FlagChange

_BLANKS = " \t\r\n\u00a0\u200b"


class Permission(NamedTuple):
    """What the vendor may send a contact, and whose opt-out it is."""

    permission: str
    source: str | None


class Answer(NamedTuple):
    """What becomes of a request, and what the sentence beside it must be about."""

    status: str
    about: str


class Standing(NamedTuple):
    """How the CRM's contacts stand, counted as the job `links` counts them."""

    with_link: int
    unmatched: int
    without_email: int
    malformed_email: int
    shared_addresses: int
    sharing: int


def email_key(address: str | None) -> str | None:
    """What two spellings of one address have in common; None for a blank one."""
    return (address or "").strip(_BLANKS).lower() or None


def is_address(key: str) -> bool:
    """One at sign with something on both sides, and no blank."""
    mailbox, at, domain = key.partition("@")
    return bool(mailbox and at and domain) and "@" not in domain and not any(map(str.isspace, key))


@dataclass
class Expected:
    """What the CRM must look like.

    Attributes:
        links: The vendor's contact of each CRM contact that has one.
        histories: Whose events each CRM contact shows: those of its link, and where the link was
            cleared those of the last one, up to then.
        held: CRM contacts whose cleared flag waits for a person.
        ours: The vendor's contacts that could be mailed until a night carried a no.
        answers: To each request for a list.
    """

    links: dict[str, str] = field(default_factory=dict)
    histories: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(
            dict(written["links"]),
            dict(written["histories"]),
            set(written["held"]),
            set(written["ours"]),
            {request: Answer(*answer) for request, answer in written["answers"].items()},
        )

    def as_json(self) -> dict[str, Any]:
        """For the next demo."""
        return asdict(self) | {"held": sorted(self.held), "ours": sorted(self.ours)}

    def link(self, crm: Iterable[CrmContact], truth: Iterable[JSON]) -> None:
        """Link each contact to its living link, else to the living contact with its address."""
        living = {
            each["contact_id"]: email_key(each["email"]) for each in truth if not each["deleted"]
        }
        by_key = {key: contact_id for contact_id, key in living.items() if key}
        for contact in crm:
            known = self.links.get(contact.contact_id)
            if known in living:
                continue
            found = by_key.get(email_key(contact.preferred_email) or "")
            if found is not None:
                self.links[contact.contact_id] = self.histories[contact.contact_id] = found
            else:
                self.links.pop(contact.contact_id, None)

    def standing(self, crm: Sequence[CrmContact]) -> Standing:
        """The figures of the report on links."""
        keys = {contact.contact_id: email_key(contact.preferred_email) for contact in crm}
        proper = {contact_id: key for contact_id, key in keys.items() if key and is_address(key)}
        owners: dict[str, int] = {}
        for key in proper.values():
            owners[key] = owners.get(key, 0) + 1
        shared = [count for count in owners.values() if count > 1]
        without = sum(key is None for key in keys.values())
        return Standing(
            with_link=len(self.links),
            unmatched=len(proper.keys() - self.links.keys()),
            without_email=without,
            malformed_email=len(keys) - without - len(proper),
            shared_addresses=len(shared),
            sharing=sum(shared),
        )

    def permissions(
        self,
        crm: Sequence[CrmContact],
        truth: Iterable[JSON],
        changes: Sequence[FlagChange],
    ) -> dict[str, Permission]:
        """What every living contact's permission must be once the opt-outs are carried.

        `crm` is as it is then, `truth` as it was before `changes`.
        """
        newest = {change.contact_id: change for change in changes}
        owners: dict[str, list[CrmContact]] = {}
        for contact in crm:
            if contact.contact_id in self.links:
                owners.setdefault(self.links[contact.contact_id], []).append(contact)
        result = {}
        for each in truth:
            if each["deleted"] or each["email"] is None:
                continue
            before = Permission(each["permission"], each["opt_out_source"])
            changed = [
                newest[owner.contact_id]
                for owner in owners.get(each["contact_id"], [])
                if owner.contact_id in newest
            ]
            flagged = any(owner.do_not_email for owner in owners.get(each["contact_id"], []))
            is_ours = each["contact_id"] in self.ours
            after = self._carried(before, changed, flagged=flagged, is_ours=is_ours)
            if after.permission == "unsubscribed" != before.permission:
                self.ours.add(each["contact_id"])
            result[each["contact_id"]] = after
        return result

    def _carried(
        self, before: Permission, changed: list[FlagChange], *, flagged: bool, is_ours: bool
    ) -> Permission:
        is_out = before.permission == "unsubscribed"
        cleared = [change.contact_id for change in changed if not change.do_not_email]
        if flagged:
            asked = any(change.do_not_email and change.by_contact for change in changed)
            if is_out:
                self.held.update(cleared)
            by_contact = asked or (is_out and before.source == "Contact")
            return Permission("unsubscribed", "Contact" if by_contact else "Account")
        if cleared and is_out:
            # What was not done here a person must undo, at the vendor.
            if before.source == "Account" and is_ours:
                return Permission("implicit", None)
            self.held.update(cleared)
        return before
