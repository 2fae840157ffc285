"""New contacts, created one by one: few of them, those that say no, and long addresses.

`POST /contacts` refuses an address that exists, so it renames no contact, and says at once what is
wrong with one that it does not take.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import cut, identifier, parse_contact
from constant_contact.errors import (
    BadRequest,
    Conflict,
    ConstantContactError,
    NotFound,
    Rejected,
    TextRefused,
    Unforeseen,
    Withdrawn,
    WriteBlocked,
    WriteUncertain,
    unforeseen,
)
from constant_contact.store import bulk_jobs, database
from constant_contact.store.database import Database
from constant_contact.sync.consent import single
from constant_contact.sync.contacts.links import update_links
from constant_contact.sync.contacts.relink import contacts_at
from constant_contact.sync.memberships import routes
from constant_contact.sync.memberships.bulk_jobs import WRITE_TRIES
from constant_contact.sync.memberships.bulk_refusals import LATER, Refusals

_log = logging.getLogger("constant_contact.memberships")

_KINDS = ("create",)
TAKEN_BY = re.compile(r"\bcontact ([0-9a-f-]{36})\b", re.IGNORECASE)
_WAIT_S = 0.25
_NAMES: Final = ("first_name", "last_name")
# Contacts one after another whose creation got no answer: more would get none, too.
_MOST_UNANSWERED: Final = 3
_INCLUDE: Final = {"include": "list_memberships"}
_CREATED = "Created at Constant Contact and put on the list."
_CREATED_UNSUBSCRIBED = (
    "Created at Constant Contact as unsubscribed, since a contact with this address asked not to "
    "be emailed or has Do Not Email set."
)
_NAMELESS = " Without its names, which a firewall or proxy on the way to Constant Contact refuses."


class NewContacts:
    """Creates the planned contacts of one run.

    Attributes:
        failure: Why the run ends red though others were carried.
        created: Contacts that are new at the vendor.
        done: Requests that ended so; likewise `rejected`.
    """

    def __init__(self, client: Client, crm: Database, refusals: Refusals) -> None:
        self._client = client
        self._crm = crm
        self._refusals = refusals
        self._unanswered = 0
        self.failure: Unforeseen | WriteUncertain | None = None
        self.created = self.done = self.rejected = 0

    def create_planned(self) -> int:
        """Create each planned contact that is still wanted; return for how many it was tried.

        Raises:
            Later, Fatal, Retriable: At once; the next run plans those who were not created.
            WriteUncertain: Several one after another got no answer.
        """
        begun = 0
        for bulk_id in bulk_jobs.find_planned(self._crm, _KINDS):
            activity = routes.begin_call(self._crm, bulk_id)
            if activity and (person := self._person(bulk_id)):
                self._create_alone(activity, person)
                begun += 1
        return begun

    def _create_alone(self, activity: Mapping[str, Any], person: Mapping[str, Any]) -> None:
        """Create a contact; what is unexpected about one stops no other."""
        bulk_id = activity["bulk_id"]
        created = self.created
        try:
            self._create_or_look(activity, person)
        except WriteUncertain as error:
            # It stays as sent: the next run looks whether it happened.
            self._refusals.explain(bulk_id, str(error))
            self.failure = error
            self._unanswered += 1
            if self._unanswered == _MOST_UNANSWERED:
                raise
        except ConstantContactError as error:
            if not isinstance(error, TextRefused):
                raise
            self._keep_unforeseen(bulk_id, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this contact
            self._keep_unforeseen(bulk_id, error)
        if self.created > created:
            self._unanswered = 0
            self._refusals.note_passed(bulk_id, "call")

    def _keep_unforeseen(self, bulk_id: int, error: Exception) -> None:
        self.failure = unforeseen(f"call {bulk_id}", error)
        _log.warning("%s", self.failure)
        bulk_jobs.save_state(self._crm, bulk_id, "done", error=str(self.failure))

    def _create_or_look(self, activity: Mapping[str, Any], person: Mapping[str, Any]) -> None:
        """After a write without an answer: the address tells whether it happened."""
        is_plain = False
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                self._create(activity, person, is_plain=is_plain)
            except WriteUncertain as error:
                if attempt == WRITE_TRIES:
                    raise
                failure = error
                _log.warning("%s; looking whether it happened", error)
            else:
                return
            if found := self._living(person["email"]):
                self._finish(activity, person, found, is_plain=is_plain)
                return
            if isinstance(failure, WriteBlocked):
                if failure.is_refusal and is_plain:
                    self._refusals.block(activity["bulk_id"], str(failure))
                    return
                # A gateway that is out of order lets no call through; else a name is the cause.
                is_plain = failure.is_refusal or (attempt > 1 and self.created > 0)
            time.sleep(random.uniform(0, _WAIT_S * attempt))  # noqa: S311

    def resolve_lost(self) -> None:
        """Find out what became of those that an earlier run was killed at."""
        lost = bulk_jobs.find_in_flight(self._crm, _KINDS)
        for activity in lost:
            person = self._person(activity["bulk_id"])
            if person and (found := self._living(person["email"])):
                self._finish(activity, person, found)
            else:
                # A repeat is refused if the vendor was only slow.
                bulk_jobs.forget(self._crm, activity["bulk_id"])
        if lost:
            update_links(self._crm)

    def _person(self, bulk_id: int) -> dict[str, Any]:
        with self._crm.transaction() as connection:
            params = {"bulk_id": bulk_id, "name_chars": vendor.NAME_CHARS}
            return database.row(connection, "memberships/new_contacts", params) or {}

    def _create(
        self, activity: Mapping[str, Any], person: Mapping[str, Any], *, is_plain: bool
    ) -> None:
        """POST; `is_plain`: without names."""
        bulk_id = activity["bulk_id"]
        current = dict(person)

        def body() -> Mapping[str, Any]:
            if routes.begin_call(self._crm, bulk_id) is None:
                raise Withdrawn(f"call {bulk_id} is right for no contact any more")
            current.update(self._person(bulk_id))
            whole = _body(activity, current)
            return _without_names(whole) if is_plain else whole

        try:
            answer = self._posted(body, current)
        except Withdrawn as error:
            _log.info("%s", error)
        except WriteUncertain:
            raise
        except Conflict as error:
            self._learn_of(error, person)
            bulk_jobs.save_state(self._crm, bulk_id, "done", error=error.said)
        except BadRequest as error:
            self._refused(activity, error)
        except Rejected as error:
            bulk_jobs.save_state(self._crm, bulk_id, "done", error=error.said)
        except ConstantContactError:
            # It was not carried out: the vendor said so, or it was never sent.
            bulk_jobs.save_state(self._crm, bulk_id, "planned")
            raise
        else:
            if parse_contact(answer) is None:
                raise WriteUncertain("POST /contacts answered with no contact")
            self._finish(activity, current, answer, is_plain=is_plain)

    def _posted(
        self, body: Callable[[], Mapping[str, Any]], person: Mapping[str, Any]
    ) -> dict[str, Any]:
        """POST; without lists where the vendor refuses them for an unsubscribed contact."""
        try:
            return self._client.post("/contacts", body)
        except BadRequest as error:
            if person["gate"] == "may":
                raise
            _log.info("%s; created without lists", error)
            return self._client.post("/contacts", lambda: {**body(), "list_memberships": []})

    def _living(self, email: str) -> dict[str, Any] | None:
        """The contact that a POST may have made; an address that is refused made none."""
        try:
            found = self._by_address(email)
        except Rejected as error:
            _log.warning("%s", error)
            return None
        return None if found is None or found.get("deleted_at") else found

    def _by_address(self, email: str) -> dict[str, Any] | None:
        return next(iter(contacts_at(self._client, self._crm, email)), None)

    def _learn_of(self, error: Conflict, person: Mapping[str, Any]) -> None:
        """The address exists, maybe deleted: the mirror learns of it, and routing decides."""
        named = TAKEN_BY.search(error.said)
        found: dict[str, Any] | None = None
        if named:
            try:
                found = self._client.get(f"/contacts/{named[1]}", _INCLUDE)
            except NotFound:
                _log.warning("contact %s has an address and is not there", named[1])
        found = found or self._by_address(person["email"])
        if found:
            with self._crm.transaction() as connection:
                single.mirror(connection, found)

    def _refused(self, activity: Mapping[str, Any], error: BadRequest) -> None:
        """The vendor takes no such contact, or one of the lists is gone since the last look."""
        bulk_id, list_ids = activity["bulk_id"], activity["list_ids"]
        if not self._refusals.are_lists_gone(list_ids):
            detail = f"Constant Contact refused the address: {error.said} {LATER}"
            self.rejected += self._refusals.finish(bulk_id, list_ids, "rejected", detail)
        bulk_jobs.save_state(self._crm, bulk_id, "done", error=error.said)

    def _finish(
        self,
        activity: Mapping[str, Any],
        person: Mapping[str, Any],
        contact: Mapping[str, Any],
        *,
        is_plain: bool = False,
    ) -> None:
        """The requests that the contact fulfils are done; others are routed again."""
        email = contact.get("email_address")
        permission = email.get("permission_to_send") if isinstance(email, dict) else None
        is_out = person["gate"] != "may" and permission == "unsubscribed"
        shown = contact.get("list_memberships") or []
        on = activity["list_ids"] if is_out else [identifier(each) for each in shown]
        with self._crm.transaction() as connection:
            single.mirror(connection, contact)
            contact_id = identifier(contact["contact_id"])
            new = {"bulk_id": activity["bulk_id"], "constant_contact_id": contact_id}
            database.run(connection, "links/link_created", new)
            if is_out:
                source = email.get("opt_out_source") if isinstance(email, dict) else None
                database.run(connection, "consent/record_creation", new | {"source": source})
            self.done += database.run(
                connection,
                "memberships/finish_requests",
                {
                    "bulk_id": activity["bulk_id"],
                    "list_ids": on,
                    "status": "done",
                    "detail": (_CREATED_UNSUBSCRIBED if is_out else _CREATED)
                    + (_NAMELESS if is_plain else ""),
                },
            )
        self.created += 1
        bulk_jobs.save_state(self._crm, activity["bulk_id"], "done")


def _body(activity: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    """ContactPostRequest: address, names, permission and lists, and nothing else."""
    permission = "implicit" if person["gate"] == "may" else "unsubscribed"
    return {
        **{name: cut(person[name], vendor.NAME_CHARS) for name in _NAMES if person[name]},
        "email_address": {"address": person["email"], "permission_to_send": permission},
        "create_source": "Account",
        "list_memberships": activity["list_ids"],
    }


def _without_names(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _NAMES}
