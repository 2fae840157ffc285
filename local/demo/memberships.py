"""List memberships: who asks for which list between the nights, and what must come of it.

Worked out in Python from the people and the vendor's truth; nothing here looks at the tables or
the SQL of the integration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from local.demo.expected import Answer, Permission, email_key, is_address
from local.demo.people import JSON, CrmContact
from local.demo.story import Request

_NAME_CHARS = 50


class NewContact(NamedTuple):
    """A contact that the vendor must have once the requests are carried, and had not before.

    Attributes:
        asked_by: The first of the CRM contacts with this address that are to be on a list: it has
            the names.
    """

    asked_by: str
    first_name: str | None
    last_name: str | None
    permission: Permission
    lists: frozenset[str]


@dataclass
class Outcome:
    """What must come of a night's requests.

    Attributes:
        answers: To each request.
        lists: Of each living contact that the vendor had before.
        new: By the address as `email_key` has it.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    new: dict[str, NewContact] = field(default_factory=dict)

    def permissions(self, truth: Iterable[JSON]) -> dict[str, Permission]:
        """Of the new contacts, by the ids that the vendor gave them."""
        keys = {each["contact_id"]: email_key(each["email"]) for each in truth}
        return {
            contact_id: self.new[key].permission
            for contact_id, key in keys.items()
            if key in self.new and contact_id not in self.lists
        }


class Judge:
    """Knows what must come of the requests of a night whose opt-outs are carried first.

    Args:
        crm: As it is then.
        links: The vendor's contact of each CRM contact that has one.
        permissions: Of the vendor's contacts once the opt-outs are carried.
        vendor: The truth before the night: the summary, and all contacts.
    """

    def __init__(
        self,
        crm: Sequence[CrmContact],
        links: Mapping[str, str],
        permissions: Mapping[str, Permission],
        vendor: tuple[JSON, Sequence[JSON]],
    ) -> None:
        summary, contacts = vendor
        self._crm = {contact.contact_id: contact for contact in crm}
        self._links = links
        self._out = {each for each, (held, _) in permissions.items() if held == "unsubscribed"}
        self._says_no = {email_key(each.preferred_email) for each in crm if each.do_not_email}
        self._gone = {email_key(each["email"]) for each in contacts if each["deleted"]}
        self._living = {each["list_id"] for each in summary["lists"] if not each["deleted"]}
        # An unsubscribe takes a contact off its lists.
        self._lists = {
            each["contact_id"]: set() if each["contact_id"] in self._out else set(each["lists"])
            for each in contacts
            if not each["deleted"]
        }
        self._before = {each: frozenset(lists) for each, lists in self._lists.items()}
        self._new: dict[str, NewContact] = {}

    def judge(self, requests: Sequence[Request]) -> Outcome:
        """What must come of requests of which none asks for what another one forbids."""
        answers = {str(each): self._answer(each) for each in sorted(requests)}
        lists = {each: frozenset(lists) for each, lists in self._lists.items()}
        return Outcome(answers, lists, self._new)

    def _answer(self, request: Request) -> Answer:
        linked = self._links.get(request.contact_id)
        if request.list_id not in self._living:
            return Answer("rejected", "list was deleted")
        if request.action == "remove":
            return self._remove(request, linked)
        if linked is None:
            return self._create(request, self._crm[request.contact_id])
        if linked in self._out:
            return Answer("rejected", "unsubscribed")
        if request.list_id in self._before[linked]:
            return Answer("done", "already")
        self._lists[linked].add(request.list_id)
        return Answer("done", "put on the list")

    def _remove(self, request: Request, linked: str | None) -> Answer:
        if linked is None:
            return Answer("done", "was not on the list")
        self._lists[linked].discard(request.list_id)
        return Answer("done", "taken off")

    def _create(self, request: Request, contact: CrmContact) -> Answer:
        key = email_key(contact.preferred_email)
        if key is None:
            return Answer("rejected", "no email address")
        if not is_address(key):
            return Answer("rejected", "malformed")
        if key in self._gone:
            return Answer("rejected", "contact was deleted")
        out = key in self._says_no
        known = self._new.get(key) or NewContact(
            contact.contact_id,
            _name(contact.first_name),
            _name(contact.last_name),
            Permission("unsubscribed", "Account") if out else Permission("implicit", None),
            frozenset(),
        )
        lists = known.lists if out else known.lists | {request.list_id}
        self._new[key] = known._replace(lists=lists)
        return Answer("done", "created at constant contact" + (" as unsubscribed" if out else ""))


def _name(written: str | None) -> str | None:
    return (written or "").strip(" ")[:_NAME_CHARS] or None
