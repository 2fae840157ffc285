"""New contacts, created one by one: few of them, those that say no, and long addresses.

`POST /contacts` refuses an address that exists, so it can rename nobody, and says at once what is
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
from constant_contact.api.records import parse_contact
from constant_contact.errors import (
    BadRequest,
    Conflict,
    ConstantContactError,
    NotFound,
    Rejected,
    Withdrawn,
    WriteUncertain,
)
from constant_contact.store import activities, database
from constant_contact.store.database import Database
from constant_contact.sync import membership_routes, one_contact
from constant_contact.sync.addresses import contacts_at
from constant_contact.sync.bulk_activities import WRITE_TRIES
from constant_contact.sync.links import update_links
from constant_contact.sync.lists import sync_lists

_log = logging.getLogger("constant_contact.memberships")

_KINDS = ("create",)
_TAKEN_BY = re.compile(r"\bcontact ([0-9a-f-]{36})\b", re.IGNORECASE)
_WAIT_S = 0.25
_INCLUDE: Final = {"include": "list_memberships"}
_CREATED = "Created at Constant Contact and put on the list."
_CREATED_UNSUBSCRIBED = (
    "Created at Constant Contact as unsubscribed, since somebody with this address asked not to be "
    "emailed or has Do Not Email set."
)


class NewContacts:
    """Creates the planned contacts of one run.

    Attributes:
        created: Contacts that are new at the vendor.
        done: Requests that ended so; likewise `rejected`.
    """

    def __init__(self, client: Client, crm: Database) -> None:
        self._client = client
        self._crm = crm
        self._lists_are_fresh = False
        self.created = self.done = self.rejected = 0

    def create_planned(self) -> int:
        """Create each planned contact that is still wanted; return for how many it was tried.

        Raises:
            Later, Fatal, Retriable: At once; who was not created is planned anew by the next run.
        """
        begun = 0
        for bulk_id in activities.planned(self._crm, _KINDS):
            activity = membership_routes.begin_call(self._crm, bulk_id)
            if activity and (person := self._person(bulk_id)):
                self._create_or_look(activity, person)
                begun += 1
        return begun

    def _create_or_look(self, activity: Mapping[str, Any], person: Mapping[str, Any]) -> None:
        """After a write without an answer: the address tells whether it happened."""
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                self._create(activity, person)
            except WriteUncertain as error:
                if attempt == WRITE_TRIES:
                    raise
                _log.warning("%s; looking whether it happened", error)
            else:
                return
            if found := self._living(person["email"]):
                self._finish(activity, person, found)
                return
            time.sleep(random.uniform(0, _WAIT_S * attempt))  # noqa: S311

    def look(self) -> None:
        """Find out what became of those that an earlier run was killed at."""
        lost = activities.in_flight(self._crm, _KINDS)
        for activity in lost:
            person = self._person(activity["bulk_id"])
            if person and (found := self._living(person["email"])):
                self._finish(activity, person, found)
            else:
                # A repeat is refused if the vendor was only slow.
                activities.forget(self._crm, activity["bulk_id"])
        if lost:
            update_links(self._crm)

    def _person(self, bulk_id: int) -> dict[str, Any]:
        with self._crm.transaction() as connection:
            params = {"bulk_id": bulk_id, "name_chars": vendor.NAME_CHARS}
            return database.row(connection, "memberships/new_contacts", params) or {}

    def _create(self, activity: Mapping[str, Any], person: Mapping[str, Any]) -> None:
        bulk_id = activity["bulk_id"]
        current = dict(person)

        def body() -> Mapping[str, Any]:
            if membership_routes.begin_call(self._crm, bulk_id) is None:
                raise Withdrawn(f"call {bulk_id} is right for no contact any more")
            current.update(self._person(bulk_id))
            return _body(activity, current)

        try:
            answer = self._posted(body, current)
        except Withdrawn as error:
            _log.info("%s", error)
        except WriteUncertain:
            raise
        except Conflict as error:
            self._learn_of(error, person)
            activities.keep(self._crm, bulk_id, "done", error=error.said)
        except BadRequest as error:
            self._refused(activity, error)
        except Rejected as error:
            activities.keep(self._crm, bulk_id, "done", error=error.said)
        except ConstantContactError:
            # It was not carried out: the vendor said so, or it was never sent.
            activities.keep(self._crm, bulk_id, "planned")
            raise
        else:
            if parse_contact(answer) is None:
                raise WriteUncertain("POST /contacts answered with no contact")
            self._finish(activity, current, answer)

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
        named = _TAKEN_BY.search(error.said)
        found: dict[str, Any] | None = None
        if named:
            try:
                found = self._client.get(f"/contacts/{named[1]}", _INCLUDE)
            except NotFound:
                _log.warning("contact %s has an address and is not there", named[1])
        found = found or self._by_address(person["email"])
        if found:
            with self._crm.transaction() as connection:
                one_contact.mirror(connection, found)

    def _refused(self, activity: Mapping[str, Any], error: BadRequest) -> None:
        """The vendor takes no such contact, or one of the lists is gone since the last look."""
        bulk_id, list_ids = activity["bulk_id"], activity["list_ids"]
        if not self._lists_are_fresh:
            sync_lists(self._client, self._crm)
            self._lists_are_fresh = True
        with self._crm.transaction() as connection:
            if not database.rows(connection, "memberships/dead_lists", {"list_ids": list_ids}):
                self.rejected += database.run(
                    connection,
                    "memberships/finish_requests",
                    {
                        "bulk_id": bulk_id,
                        "list_ids": list_ids,
                        "status": "rejected",
                        "detail": f"Constant Contact refused the address: {error.said}",
                    },
                )
        activities.keep(self._crm, bulk_id, "done", error=error.said)

    def _finish(
        self, activity: Mapping[str, Any], person: Mapping[str, Any], contact: Mapping[str, Any]
    ) -> None:
        """The requests that the contact fulfils are done; others are routed again."""
        email = contact.get("email_address")
        permission = email.get("permission_to_send") if isinstance(email, dict) else None
        is_out = person["gate"] != "may" and permission == "unsubscribed"
        on = activity["list_ids"] if is_out else contact.get("list_memberships") or []
        with self._crm.transaction() as connection:
            one_contact.mirror(connection, contact)
            new = {"bulk_id": activity["bulk_id"], "constant_contact_id": contact["contact_id"]}
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
                    "detail": _CREATED_UNSUBSCRIBED if is_out else _CREATED,
                },
            )
        self.created += 1
        activities.keep(self._crm, activity["bulk_id"], "done")


def _body(activity: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    """ContactPostRequest: address, names, permission and lists, and nothing else."""
    permission = "implicit" if person["gate"] == "may" else "unsubscribed"
    names = {name: person[name] for name in ("first_name", "last_name") if person[name]}
    return names | {
        "email_address": {"address": person["email"], "permission_to_send": permission},
        "create_source": "Account",
        "list_memberships": activity["list_ids"],
    }
