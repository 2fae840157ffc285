"""Opt-outs: changes of Do Not Email in the CRM, carried to Constant Contact.

The law of this module: nobody who said no is mailed because of us. A change that sets the flag
always goes out; one that clears it goes out only if the opt-out was the account's own and nobody
objects, and else waits, `held`, for a person.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import (
    ChangesRefused,
    Conflict,
    NotFound,
    Rejected,
    Retriable,
    WriteUncertain,
)
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import consent, holds, one_contact
from constant_contact.sync.addresses import follow
from constant_contact.sync.consent import Outcome
from constant_contact.sync.crm_contacts import see_contacts
from constant_contact.sync.parallel import in_parallel
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.opt_outs")

WORKERS = 4
# An edit conflict, or a write without an answer, is looked at again this often.
_WRITE_TRIES = 4
_CONFLICT_WAIT_S = 0.25


@dataclass
class OptOutsReport(Report):
    """What became of the changes that waited.

    Attributes:
        unsubscribed: Contacts that Constant Contact may no longer mail, by our PUT.
        resubscribed: Contacts that it may mail again, by our PUT.
        unchanged: Changes that asked for what was so already.
        released: Changes that the circuit breaker held and a person released.
    """

    superseded: int = 0
    released: int = 0
    unsubscribed: int = 0
    resubscribed: int = 0
    unchanged: int = 0
    held: int = 0
    failed: int = 0
    pending: int = 0


def push_opt_outs(
    client: Client,
    crm: Database,
    *,
    release_held: bool = False,
    released_by: str = "a person",
    dry_run: bool = False,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
    workers: int = WORKERS,
) -> OptOutsReport:
    """Carry every waiting change of Do Not Email to Constant Contact, opt-outs first.

    Args:
        client: Of the account.
        crm: Where the outbox is.
        release_held: Also carry what the circuit breaker holds.
        released_by: Who wants that, for the record.
        dry_run: Ask the vendor and tell what would be done; change nothing on either side.
        breaker_contacts: How many contacts one run may unsubscribe; or, if that is more,
        breaker_share: this share of the linked contacts.
        workers: How many changes are carried at once; one at a time for any one contact.

    Raises:
        Fatal, Later: At once; what was not carried stays pending.
        Retriable: After the others, if a change could not be carried now.
    """
    report = OptOutsReport()
    queue = _Queue(client, crm, dry_run=dry_run)
    upto: int | None = None
    while True:
        _see_waiting(crm)
        # What arrives while the others are carried is weighed with them.
        with crm.transaction() as connection:
            report.superseded += database.run(connection, "opt_outs/supersede_opt_outs")
            report.held += holds.break_circuit(
                connection, queue.unsubscribed, breaker_contacts, breaker_share
            )
            if release_held:
                report.released += holds.release(connection, "opt_outs", by=released_by)
                report.held = 0
            newest = (database.row(connection, "opt_outs/newest_opt_out") or {})["change_id"]
            if dry_run:
                connection.rollback()
        if newest is None or newest == upto:
            break
        upto = newest
        for _ in in_parallel(partial(queue.work, upto), range(workers), workers):
            pass
        if not dry_run:
            follow(client, crm, queue.take_gone())
    for kind, count in queue.outcomes.items():
        setattr(report, kind, getattr(report, kind) + count)
    with crm.transaction() as connection:
        report.pending = (database.row(connection, "opt_outs/open_opt_outs") or {})["pending"]
    if queue.failure is not None:
        _log.warning("not all changes could be carried: %s", report)
        raise queue.failure
    return report


def _see_waiting(crm: Database) -> None:
    """Look at the CRM's contacts whose changes wait."""
    with crm.transaction() as connection:
        waiting = database.rows(connection, "opt_outs/waiting_contacts")
    if waiting:
        see_contacts(crm, [row["contact_id"] for row in waiting])


def retry(crm: Database, *, change_id: int, by: str) -> None:
    """Have a change that the vendor refused tried again, by the next run.

    Raises:
        ChangesRefused: It did not fail, or a newer change of its contact counts.
    """
    with crm.transaction() as connection:
        change = {"change_id": change_id, "decided_by": by}
        if not database.run(connection, "opt_outs/retry_opt_out", change):
            raise ChangesRefused(
                f"change {change_id} is not tried again: it is not failed any more, or a newer "
                "change of the same contact counts"
            )


class _Queue:
    """The outbox, worked on by several threads here and any number of processes elsewhere."""

    def __init__(self, client: Client, crm: Database, *, dry_run: bool) -> None:
        self._client = client
        self._crm = crm
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self.outcomes: Counter[str] = Counter()
        # By whether the contact asked for it: what the circuit breaker weighs.
        self.unsubscribed: Counter[bool] = Counter()
        self.set_aside: list[int] = []
        # CRM contacts that say no, and the vendor's that they are linked to and that was not found.
        self._gone: dict[str, str] = {}
        self._followed: set[str] = set()
        self.failure: Retriable | WriteUncertain | None = None

    def work(self, upto: int, _worker: int, stop: threading.Event) -> None:
        """Carry changes up to `upto` until none waits that could be taken."""
        while not stop.is_set() and self._carry_next(upto):
            pass

    def take_gone(self) -> dict[str, str]:
        """Who says no and is linked to a contact that was not found; each of them once."""
        gone = {who: link for who, link in self._gone.items() if who not in self._followed}
        self._followed.update(gone)
        return gone

    def _carry_next(self, upto: int) -> bool:
        with self._crm.transaction() as connection:
            with self._lock:
                skip = list(self.set_aside)
            change = database.row(
                connection, "opt_outs/claim_opt_out", {"skip": skip, "upto": upto}
            )
            if change is None:
                return False
            call_before = self._client.last_call
            outcome: Outcome | None = None
            is_failed = False
            try:
                outcome = self._carry(connection, change)
            except (Retriable, WriteUncertain) as error:
                # It stays pending; the others may still go.
                is_failed = True
                with self._lock:
                    self.failure = error
            if is_failed or self._dry_run:
                with self._lock:
                    self.set_aside.append(change["change_id"])
            elif outcome is not None:
                database.run(
                    connection,
                    "opt_outs/finish_opt_out",
                    {
                        "change_id": change["change_id"],
                        "status": outcome.status,
                        "detail": outcome.detail,
                        "constant_contact_id": change["constant_contact_id"],
                    },
                )
                call = self._client.last_call
                made_one = call is not call_before
                consent.keep(connection, change, outcome, call if made_one else None)
        if outcome is not None:
            with self._lock:
                self.outcomes[outcome.kind] += 1
                if outcome.kind == "unsubscribed":
                    self.unsubscribed[bool(change["requested_by_contact"])] += 1
            _log.info("change %d: %s (%s)", change["change_id"], outcome.kind, outcome.detail)
        return True

    def _carry(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any]
    ) -> Outcome | None:
        """Carry one change; waits for whoever edits the same contact.

        Returns:
            What became of it; None if it is about somebody else by now: it is taken again.
        """
        contact_id = change["constant_contact_id"]
        if not change["is_in_crm"] and (contact_id is None or not change["do_not_email"]):
            return Outcome("unchanged", "The contact is no longer in the CRM.")
        if contact_id is None:
            if not change["do_not_email"] and (
                objection := consent.objection_unlinked(connection, change)
            ):
                return objection
            return Outcome(
                "unchanged",
                "Not linked to Constant Contact. If it is linked later, the flag goes too.",
            )
        database.row(connection, "opt_outs/lock_contact", {"constant_contact_id": contact_id})
        standing = _standing(connection, change)
        if standing["is_overtaken"]:
            # The newer one may have gone out while this one waited for the contact.
            return Outcome("superseded", "A newer change of this contact counts.")
        if standing["constant_contact_id"] != contact_id:
            return None
        outcome = self._edited(connection, change, contact_id)
        is_moved = _standing(connection, change)["constant_contact_id"] != contact_id
        return None if outcome.kind == "unchanged" and is_moved else outcome

    def _edited(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any], contact_id: str
    ) -> Outcome:
        """Edit the contact, looking again where another edit or a lost answer came between."""
        for attempt in range(1, _WRITE_TRIES + 1):
            try:
                return self._edit(connection, change, contact_id)
            except NotFound as error:
                if error.error_key is None:
                    # Not the vendor's own words: a gateway may not know where contacts live.
                    raise WriteUncertain(str(error)) from None
                return self._not_found(connection, change, contact_id)
            except (Conflict, WriteUncertain) as error:
                if attempt == _WRITE_TRIES:
                    raise WriteUncertain(str(error)) from None
                _log.info("change %d: %s; looking again", change["change_id"], error)
                time.sleep(random.uniform(0, _CONFLICT_WAIT_S * attempt))  # noqa: S311
            except Rejected as error:
                return Outcome("failed", f"Constant Contact refused it: {error}")
        raise AssertionError("unreachable")

    def _not_found(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any], contact_id: str
    ) -> Outcome:
        """Not found once may pass; twice, an hour apart, is believed."""
        told = database.row(connection, "opt_outs/not_found", {"constant_contact_id": contact_id})
        if told and not self._dry_run:
            purged = {"contact_id": [contact_id], "deleted_at": told["now"]}
            database.run(connection, "contacts/mark_purged", purged)
        if change["do_not_email"]:
            with self._lock:
                self._gone[change["contact_id"]] = contact_id
        return Outcome("unchanged", "Constant Contact no longer has this contact.")

    def _edit(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any], contact_id: str
    ) -> Outcome:
        """GET, decide, PUT; the mirror learns the answer in the transaction of the change."""
        current = one_contact.get(self._client, contact_id)
        decision = consent.decide(current, change)
        unsubscribe = decision.kind == "unsubscribed"
        by_contact = bool(change["requested_by_contact"])
        if not change["do_not_email"] and (
            objection := consent.objection(connection, change, current)
        ):
            decision = objection
            # Who asked to be left alone is, even if the flag was cleared before that went out.
            unsubscribe = objection.kind == "held" and consent.may_be_mailed(current)
            by_contact = objection.detail == consent.ASKED
        elif decision.kind == "resubscribed":
            decision = (
                consent.unmailed_before(connection, change)
                or consent.at_address(connection, change, current)
                or consent.clicked_out(connection, change, current)
                or decision
            )
        if self._dry_run or not (unsubscribe or decision.kind == "resubscribed"):
            one_contact.mirror(connection, current)
            return decision._replace(before=current, after=current)
        if unsubscribe and not consent.was_mailed(current):
            # Whatever becomes of the answer and of this process: it cannot be asked for afterwards.
            with self._crm.transaction() as own:
                about = (
                    "Is about to be unsubscribed at Constant Contact; could not be mailed before."
                )
                consent.keep(own, change, Outcome("unsubscribed", about, before=current), None)
        body = consent.merged(current, change, unsubscribe=unsubscribe, by_contact=by_contact)
        after = one_contact.put(self._client, contact_id, body)
        one_contact.mirror(connection, after)
        return decision._replace(before=current, after=after)


def _standing(connection: psycopg.Connection[Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the change is overtaken, and whom it is about, at this moment."""
    key = {"contact_id": change["contact_id"], "change_id": change["change_id"]}
    return database.row(connection, "opt_outs/opt_out_standing", key) or {}
