"""Memberships: who is to be on which list, carried from the CRM to Constant Contact.

Requests are routed all at once by SQL: what the mirror answers costs no call, what needs one shares
it with as many others as the vendor takes. No contact that opted out is put on a list,
none that exists is renamed, and none that is deleted is brought back.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import BulkPending, ChangesRefused, Later
from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.contacts.links import relink, update_links
from constant_contact.sync.contacts.mirror import refresh_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.crm.write_back import write_back
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships import routes
from constant_contact.sync.memberships.bulk_jobs import GRACE_S, WAITS_S, BulkActivities
from constant_contact.sync.memberships.new_contacts import NewContacts
from constant_contact.sync.objections import update_register
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.memberships")

_OTHER_RUN = timedelta(seconds=30)
# In one statement, which a person waits for.
_MOST_RETRIED = 5_000
# The routes by which a contact comes to be at Constant Contact.
_CREATING = ("import", "create")


@dataclass
class MembershipsReport(Report):
    """What became of the requests that waited.

    Attributes:
        added: Requests whose contact is on the list by our doing; likewise `removed`.
        unchanged: Requests that asked for what was so already.
        created: Contacts that are new at Constant Contact.
        rejected: Requests that cannot be met; each says why.
    """

    added: int = 0
    removed: int = 0
    unchanged: int = 0
    created: int = 0
    rejected: int = 0
    held: int = 0
    failed: int = 0
    pending: int = 0


def push_memberships(
    client: Client,
    crm: Database,
    *,
    dry_run: bool = False,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
    waits_s: Sequence[float] = WAITS_S,
    grace_s: float = GRACE_S,
) -> MembershipsReport:
    """Carry every pending request to Constant Contact; nothing pending costs no call.

    Args:
        client: Of the account.
        crm: Where the requests are.
        dry_run: Ask the vendor and tell what would be done; change nothing on either side.
        breaker_contacts: How many contacts may be taken off lists in a day; or, if that is more,
        breaker_share: this share of the linked contacts.
        waits_s: Pauses between looks at the bulk jobs that this run sent.
        grace_s: How long a call without an answer may take to show up at the vendor.

    Raises:
        Later: Goes on by itself; what was sent is kept.
        Fatal, Retriable: At once; what was not carried stays pending.
    """
    with _alone(crm):
        database.recount(crm)
        bulk = BulkActivities(client, crm, waits_s=waits_s, grace_s=grace_s)
        run = _Run(client, crm, bulk, breaker_contacts, breaker_share)
        if dry_run:
            return run.foretell()
        try:
            run.carry()
        except Later:
            _log.info("memberships so far: %s", run.total())
            raise
        finally:
            write_back(crm)
        return run.total()


@contextmanager
def _alone(crm: Database) -> Iterator[None]:
    """One run at a time plans and sends.

    Raises:
        BulkPending: Another run is at it.
    """
    with crm.transaction() as connection:
        # A run takes minutes: the lock is the session's, and no transaction is open all the while.
        connection.autocommit = True
        try:
            if not (database.row(connection, "memberships/try_lock") or {})["is_ours"]:
                raise BulkPending(
                    "another run carries memberships; looking again in a moment",
                    state.database_now(connection) + _OTHER_RUN,
                )
            try:
                yield
            finally:
                database.row(connection, "memberships/unlock")
        finally:
            if not connection.closed:
                connection.autocommit = False


def hold_removals(
    connection: psycopg.Connection[Any], breaker_contacts: int, breaker_share: float
) -> int:
    """Hold all pending removals if they, and those of the last day, are too many for a day.

    Returns:
        How many requests were held.
    """
    weighed = database.row(connection, "memberships/count_mass_removal") or {}
    allowed = holds.allowance(connection, weighed["weighed"], breaker_contacts, breaker_share)
    if not weighed["waiting"] or weighed["weighed"] <= allowed:
        return 0
    detail = (
        f"{weighed['weighed']} contacts would be taken off lists within a day, more than the "
        f"circuit breaker allows ({allowed}). "
        "A person is asked in Airflow, under Required Actions."
    )
    _log.warning("%s", detail)
    return database.run(connection, "memberships/hold_memberships", {"detail": detail})


def failed_since(crm: Database, since: datetime) -> int:
    """How many requests have failed since then, by runs that had to wait in between too."""
    found = crm.row("memberships/count_failed_memberships", {"since": since}) or {}
    return int(found["failed"])


def retry(
    crm: Database,
    *,
    status: str = "",
    list_id: str = "",
    action: str = "",
    contact_id: str = "",
) -> int:
    """Have requests that failed or were rejected tried again, by the next run.

    Args:
        crm: Where they are.
        status: Of those: `failed`, `rejected`, or either.
        list_id: Of one list, or of any.
        action: Of one kind, or of both.
        contact_id: Of one CRM contact, or of all.

    Returns:
        How many. It ends with the look that reaches `_MOST_RETRIED`, so at less than twice that;
        what is left takes another call.

    Raises:
        ChangesRefused: None may be tried again.
    """
    asked = {"status": status, "list_id": list_id, "action": action, "contact_id": contact_id}
    params: dict[str, Any] = asked | {"most": _MOST_RETRIED}
    params |= dict.fromkeys(("after_requested_at", "after_contact_id", "after_list_id"))
    retried, is_more = 0, True
    while is_more and retried < _MOST_RETRIED:
        # Those that were overruled are passed over: they must not delay others.
        looked = crm.row("memberships/retry_memberships", params) or {}
        retried += looked["retried"]
        is_more = looked["looked_at"] == _MOST_RETRIED
        params |= looked
    if not retried:
        raise ChangesRefused(
            "nothing is tried again: it is neither failed nor rejected any more, or another CRM "
            "contact with the same address asked for the opposite later; what was asked for before "
            "the CRM was restored is tried one by one"
        )
    return retried


class _Run:
    """One run: what is in flight is finished, what is pending routed, planned and sent."""

    def __init__(
        self,
        client: Client,
        crm: Database,
        bulk: BulkActivities,
        breaker_contacts: int,
        breaker_share: float,
    ) -> None:
        self._breaker = breaker_contacts, breaker_share
        self._client = client
        self._crm = crm
        self._bulk = bulk
        self._new = NewContacts(client, crm, bulk.refusals)
        self.report = MembershipsReport()
        self._routed: Counter[str] = Counter()

    def carry(self) -> None:
        """Go round until nothing is pending that could be carried."""
        self._crm.run("memberships/retry_refused")
        self._new.resolve_lost()
        self._bulk.check_in_flight()
        is_news = True
        while is_news:
            is_news = self._push()
            is_news = self._bulk.wait() or is_news
        if failure := self._bulk.failure or self._new.failure:
            raise failure

    def foretell(self) -> MembershipsReport:
        """Tell what would become of what is pending; what the vendor says is mirrored.

        What is on its way already is left alone.
        """
        with self._crm.transaction() as connection:
            database.run(connection, "memberships/retry_refused")
            waiting = routes.forget_and_count(connection)
            connection.rollback()
        if not waiting.requests:
            return self.report
        refresh_contacts(self._client, self._crm)
        if waiting.unknown_lists:
            sync_lists(self._client, self._crm)
        with self._crm.transaction() as connection:
            database.row(connection, "crm_contacts/lock")
            database.run(connection, "memberships/retry_refused")
            database.run(connection, "memberships/forget_planned")
            see_contacts_in(connection, self._crm)
            update_register(connection)
            relink(connection)
            routed = self._plan(connection)
            counted = database.rows(connection, "memberships/count_routes")
            connection.rollback()
        report = self.report
        report.created = sum(row["targets"] for row in counted if row["route"] in _CREATING)
        report.added = routed["add"] + sum(routed[route] for route in _CREATING)
        report.removed, report.unchanged = routed["remove"], routed["done"]
        report.rejected, report.failed = routed["rejected"], routed["failed"]
        report.held, report.pending = routed["held"], routed["wait"]
        for row in counted:
            if row["detail"]:
                _log.info("%d requests: %s: %s", row["requests"], row["route"], row["detail"])
        return report

    def total(self) -> MembershipsReport:
        """The report, as far as it goes."""
        report, bulk, new = self.report, self._bulk, self._new
        report.added, report.removed = bulk.added + new.done, bulk.removed
        report.created = bulk.created + new.created
        report.held, report.unchanged = self._routed["held"], self._routed["done"]
        report.rejected = self._routed["rejected"] + new.rejected + bulk.refusals.rejected
        report.failed = self._routed["failed"] + bulk.refusals.failed
        counts = self._crm.row("memberships/open_memberships") or {}
        report.pending = counts["pending"]
        return report

    def _push(self) -> bool:
        """Route what is pending, answer what needs no call, send the rest.

        Returns:
            Whether anything came of it.
        """
        with self._crm.transaction() as connection:
            waiting = routes.forget_and_count(connection)
        if not waiting.requests:
            return False
        with self._crm.transaction() as connection:
            database.row(connection, "crm_contacts/lock")
            see_contacts_in(connection, self._crm)
            update_register(connection)
        refresh_contacts(self._client, self._crm)
        update_links(self._crm)
        if waiting.unknown_lists:
            sync_lists(self._client, self._crm)
        with self._crm.transaction() as connection:
            routed = self._plan(connection)
        self._routed += routed
        if begun := self._new.create_planned():
            update_links(self._crm)
        begun += self._bulk.send_planned()
        # What changed between plan and call waits for the next run, if it is all there is.
        return begun > 0 or any(routed[answer] for answer in ("done", "rejected", "failed"))

    def _plan(self, connection: psycopg.Connection[Any]) -> Counter[str]:
        return routes.plan(
            connection,
            self._crm,
            lambda held_in: hold_removals(held_in, *self._breaker),
        )
