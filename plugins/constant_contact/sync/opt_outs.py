"""Opt-outs: changes of Do Not Email in the CRM, carried to Constant Contact.

The law of this module: nobody who said no is mailed because of us. The CRM is compared with what
was seen of it before, and the register of objections with the mirror: an objection goes out whether
or not the CRM told of it. A flag that is cleared goes out only if nobody objects any more and the
opt-out was ours; else it waits, `held`, for a person.
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
    Fatal,
    Later,
    NotFound,
    Rejected,
    Retriable,
    TextRefused,
    Withdrawn,
    WriteBlocked,
    WriteUncertain,
    unforeseen,
)
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import consent, holds, one_contact
from constant_contact.sync.addresses import follow
from constant_contact.sync.consent import Outcome
from constant_contact.sync.crm_contacts import see
from constant_contact.sync.objections import (
    ask_gate,
    find_mailable,
    hear,
)
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
        found: Opt-outs that the comparison found and the CRM had not told of.
        released: Wishes of contacts that were held for three days.
    """

    found: int = 0
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
    whole: bool = True,
    dry_run: bool = False,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
    workers: int = WORKERS,
) -> OptOutsReport:
    """Carry every waiting change of Do Not Email to Constant Contact, opt-outs first.

    Args:
        client: Of the account.
        crm: Where the outbox is.
        whole: Compare the whole CRM with what was seen, the register and the mirror; else only
            contacts whose changes wait.
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
        # What arrives while the others are carried is weighed with them.
        looked_at, superseded = _look(crm, whole=whole and upto is None, dry_run=dry_run)
        report.superseded += len(superseded)
        with crm.transaction() as connection:
            report.found += find_mailable(connection, looked_at)
            report.released += database.run(connection, "opt_outs/release_old_wishes")
            report.held += holds.break_circuit(connection, breaker_contacts, breaker_share)
            newest = (database.row(connection, "opt_outs/newest_opt_out") or {})["change_id"]
            if dry_run:
                connection.rollback()
                queue.set_aside += superseded
        if newest is None or newest == upto or (dry_run and upto is not None):
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


def _look(crm: Database, *, whole: bool, dry_run: bool) -> tuple[list[str] | None, list[int]]:
    """Look at the CRM, bring the register up to it and to the mirror, end what is taken back.

    Returns:
        The contacts that were looked at: those whose changes wait; None: all. And the changes that
        the CRM takes back.
    """
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        # What is committed after this may be of a flag that is not seen below.
        waiting = database.rows(connection, "opt_outs/waiting")
        pending = {row["contact_id"] for row in waiting if row["status"] == "pending"}
        contact_ids = None if whole else sorted(pending)
        if contact_ids != []:
            see(connection, crm, contact_ids)
            hear(connection, contact_ids)
        if whole:
            database.run(connection, "consent/retry_refused")
        # Under the lock of this look: a flag seen as cleared is lifted, or a change waits for it.
        with connection.transaction(force_rollback=dry_run):
            known = {"change_ids": [row["change_id"] for row in waiting]}
            superseded = database.rows(connection, "opt_outs/supersede_opt_outs", known)
            database.run(connection, "consent/lift_flags", {"contact_id": None})
    return contact_ids, [row["change_id"] for row in superseded]


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
            if self._dry_run:
                connection.rollback()
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
            _log.info("change %d: %s (%s)", change["change_id"], outcome.kind, outcome.detail)
        return True

    def _carry(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any]
    ) -> Outcome | None:
        """Carry one change; what goes wrong about it is said in its row, and stops no other.

        Returns:
            What became of it; None if the link of its contact has moved: it is taken again.

        Raises:
            Retriable, WriteUncertain: It could not be carried now.
        """
        failure: Retriable | WriteUncertain
        try:
            with self._crm.explained(connection), connection.transaction():
                return self._carry_alone(connection, change)
        except (Retriable, WriteUncertain) as error:
            failure = error
        except Exception as error:
            if isinstance(error, (Fatal, Later)) and not isinstance(error, TextRefused):
                raise
            failure = unforeseen(f"change {change['change_id']}", error)
        _log.warning("%s", failure)
        tried = {"change_id": change["change_id"], "detail": f"Not carried yet. {failure}"}
        database.run(connection, "opt_outs/set_aside", tried)
        raise failure

    def _carry_alone(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any]
    ) -> Outcome | None:
        """Carry one change; waits for whoever edits the same contact. Returns as `_carry`."""
        contact_id = change["constant_contact_id"]
        if contact_id is not None:
            database.row(connection, "opt_outs/lock_contact", {"constant_contact_id": contact_id})
        if not (self._dry_run or change["is_found"]):
            self._look_again(change["contact_id"])
        standing = _standing(connection, change)
        if not change["do_not_email"] and not standing["is_in_crm"]:
            return Outcome("unchanged", "The contact is no longer in the CRM.")
        if not change["do_not_email"] and standing["do_not_email"]:
            return Outcome("superseded", _SET_AGAIN)
        is_own_word = change["requested_by_contact"] or change["is_found"]
        if change["do_not_email"] and standing["do_not_email"] is False and not is_own_word:
            return Outcome("superseded", "Do Not Email is cleared in the CRM.")
        if standing["constant_contact_id"] != contact_id:
            return None
        if contact_id is None:
            if change["do_not_email"]:
                return Outcome(
                    "unchanged",
                    "Not linked to Constant Contact. If it is linked later, the flag goes too.",
                )
            return self._opt_in_unlinked(connection, change)
        outcome = self._edited(connection, change, contact_id)
        is_moved = _standing(connection, change)["constant_contact_id"] != contact_id
        return None if outcome.kind == "unchanged" and is_moved else outcome

    def _look_again(self, contact_id: str) -> None:
        """What the CRM says now, after a wait."""
        with self._crm.transaction() as own:
            database.row(own, "crm_contacts/lock")
            see(own, self._crm, [contact_id])
            of_contact = {"contact_ids": [contact_id]}
            database.run(own, "consent/hear_changes", of_contact)
            database.run(own, "consent/hear_flags", of_contact)

    def _opt_in_unlinked(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any]
    ) -> Outcome:
        """A cleared flag of a contact that the vendor does not have: what it said counts later."""
        if not self._dry_run:
            database.run(connection, "consent/lift_flags", {"contact_id": change["contact_id"]})
        gate = ask_gate(connection, contact_id=change["contact_id"])
        if gate.source == "asked":
            return Outcome(
                "held",
                f"{gate.reason} It is not linked to Constant Contact. This waits until it is; set "
                "Do Not Email again if its wish stands.",
            )
        return Outcome("unchanged", "Not linked to Constant Contact.")

    def _edited(
        self, connection: psycopg.Connection[Any], change: Mapping[str, Any], contact_id: str
    ) -> Outcome:
        """Edit the contact, looking again where another edit or a lost answer came between."""
        unanswered: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
        is_blocked = False
        for attempt in range(1, _WRITE_TRIES + 1):
            # The last try is without the words of a person, whatever kept the others from arriving.
            is_plain = is_blocked or attempt == _WRITE_TRIES
            try:
                return self._edit(connection, change, contact_id, unanswered, is_plain=is_plain)
            except NotFound:
                return self._not_found(connection, change, contact_id)
            except (Conflict, WriteUncertain) as error:
                if attempt == _WRITE_TRIES or (is_blocked and isinstance(error, WriteBlocked)):
                    raise WriteUncertain(str(error)) from None
                if isinstance(error, Conflict):
                    # The vendor's word that ours did not happen.
                    unanswered.clear()
                is_blocked |= isinstance(error, WriteBlocked) and error.is_refusal
                _log.info("change %d: %s; looking again", change["change_id"], error)
                time.sleep(random.uniform(0, _CONFLICT_WAIT_S * attempt))  # noqa: S311
            except Withdrawn as error:
                return Outcome("superseded", str(error))
            except Rejected as error:
                later = " Tried again later, ever more rarely." if change["do_not_email"] else ""
                return Outcome("failed", f"Constant Contact refused it: {error}.{later}")
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
        self,
        connection: psycopg.Connection[Any],
        change: Mapping[str, Any],
        contact_id: str,
        unanswered: list[tuple[Mapping[str, Any], Mapping[str, Any]]],
        *,
        is_plain: bool,
    ) -> Outcome:
        """GET, decide, PUT; the mirror learns the answer in the transaction of the change.

        Args:
            connection: Of the CRM.
            change: The change.
            contact_id: The vendor's contact.
            unanswered: The contact before each PUT of ours so far whose answer was lost, and that
                PUT.
            is_plain: Leave out the reason; and all names too, if an earlier run had no success.
        """
        current = one_contact.get(self._client, contact_id)
        is_out = consent.permission(current) == "unsubscribed"
        may_be_ours = any(not consent.is_of_contact(current, put) for _, put in unanswered)
        if change["do_not_email"] and is_out and may_be_ours:
            # Heard as the vendor's own, it could not be taken back.
            one_contact.mirror(connection, current)
            done = "Unsubscribed at Constant Contact."
            return Outcome("unsubscribed", done, before=unanswered[0][0], after=current)
        keys = {
            "contact_id": None if change["is_found"] else change["contact_id"],
            "constant_contact_id": contact_id,
            "address": None,
        }
        # Committed before the call: no other transaction waits for the vendor's reply.
        with self._crm.transaction() as own:
            one_contact.mirror(own, current)
            decision, body = consent.decide(own, change, current, keys)
            if self._dry_run:
                own.rollback()
        if self._dry_run or body is None:
            return decision._replace(before=current, after=current)
        is_opt_in = body["email_address"]["permission_to_send"] != "unsubscribed"
        if is_plain and not is_opt_in:
            is_first_run = change["attempts"] == 0
            body = one_contact.without_reason(body) if is_first_run else one_contact.bare(body)
        unanswered.append((current, body))
        confirm = partial(self._confirm, change["contact_id"], keys) if is_opt_in else None
        after, sent = one_contact.put(self._client, contact_id, body, confirm)
        one_contact.mirror(connection, after)
        if not is_opt_in and consent.is_of_contact(after, body):
            return Outcome("unchanged", consent.ALREADY, before=after, after=after)
        if not is_opt_in and "opt_out_reason" not in sent["email_address"]:
            decision = decision._replace(detail=f"{decision.detail} {_WITHOUT_REASON}")
        return decision._replace(before=current, after=after)

    def _confirm(self, contact_id: str, keys: Mapping[str, str | None]) -> None:
        """Ask once more, now that the call has its slot, whether the contact may be mailed again.

        Raises:
            Withdrawn: An objection stands.
        """
        self._look_again(contact_id)
        with self._crm.transaction() as own:
            gate = ask_gate(own, **keys)
            contact = database.row(own, "links/contact", {"contact_id": contact_id}) or {}
        if gate.answer != "may":
            raise Withdrawn(gate.reason)
        if contact.get("do_not_email", True):
            raise Withdrawn(_SET_AGAIN)


_WITHOUT_REASON = "Without the reason, which was refused there or on the way."
_SET_AGAIN = "Do Not Email is set in the CRM."


def _standing(connection: psycopg.Connection[Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the change is overtaken, and whom it is about, at this moment."""
    key = {"contact_id": change["contact_id"], "change_id": change["change_id"]}
    return database.row(connection, "opt_outs/opt_out_standing", key) or {}
