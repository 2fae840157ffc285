"""Opt-outs: changes of Do Not Email in the CRM, carried to Constant Contact.

The law of this module: no contact that opted out is emailed because of us. The CRM is compared with
what was seen of it before, and the register of objections with the mirror: an objection goes out
whether or not a change of the CRM's row was recorded. A flag that is cleared goes out only if no
objection stands and the opt-out was ours; else it waits, `held`, for a person.
"""

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import (
    ChangesRefused,
    DatabaseConflict,
    DatabaseUnavailable,
    QueryTooSlow,
    Retriable,
    WriteBlocked,
    WriteUncertain,
)
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.consent.opt_out_changes import Carrier
from constant_contact.sync.consent.write_block import WriteBlock
from constant_contact.sync.contacts.relink import follow
from constant_contact.sync.crm.crm_contacts import see_contacts_in, spell_changes
from constant_contact.sync.objections import find_mailable, find_taken_back, update_register
from constant_contact.sync.parallel import in_parallel
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.opt_outs")

WORKERS = 4
# So many of a backlog are carried before the CRM is looked at once more: what comes meanwhile goes
# first. Two calls each: a quarter of a minute on the standard plan.
_SLICE = 30
# Of changes whose write came through.
_WRITTEN = frozenset({"unsubscribed", "resubscribed"})


@dataclass
class OptOutsReport(Report):
    """What became of the changes that waited.

    Attributes:
        unsubscribed: Contacts that Constant Contact may no longer mail, by our PUT.
        resubscribed: Contacts that it may mail again, by our PUT.
        unchanged: Changes that asked for what was so already.
        found: Changes that the comparison of both sides found, without a row of the CRM's.
        released: Wishes of contacts that were held for three days.
        postponed: Of a backlog, which leaves a fifth of the day's calls to the other jobs.
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
    postponed: int = 0


def push_opt_outs(
    client: Client,
    crm: Database,
    *,
    whole: bool = True,
    dry_run: bool = False,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
    may_carry_backlog: Callable[[], bool] = lambda: True,
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
        may_carry_backlog: Whether calls are left for a mass that a person released; asked before
            each.
        workers: How many changes are carried at once; one at a time for any one contact.

    Raises:
        Fatal, Later: At once; what was not carried stays pending. `WritesBlocked`: as no write
            comes through.
        Retriable: After the others, if a change could not be carried now.
    """
    report = OptOutsReport()
    queue = _Queue(client, crm, may_carry_backlog, dry_run=dry_run)
    upto: int | None = None
    database.recount(crm)
    while True:
        # What arrives while the others are carried is weighed with them.
        looked = _look(crm, whole=whole and upto is None, dry_run=dry_run)
        report.superseded += len(looked.superseded)
        with crm.transaction() as connection:
            report.found += find_mailable(connection, looked.contact_ids)
            if looked.contact_ids is None and not looked.is_baseline:
                report.found += find_taken_back(connection)
            report.released += database.run(connection, "opt_outs/release_old_wishes")
            report.held += holds.break_circuit(connection, breaker_contacts, breaker_share)
            newest = (database.row(connection, "opt_outs/newest_opt_out") or {})["change_id"]
            if dry_run:
                connection.rollback()
                queue.set_aside += looked.superseded
        is_new = newest != upto or queue.has_more_of_backlog
        if newest is None or not is_new or (dry_run and upto is not None):
            break
        upto = newest
        queue.begin_slice()
        queue.probe(upto)
        for _ in in_parallel(partial(queue.work, upto), range(workers), workers):
            pass
        if not dry_run:
            follow(client, crm, queue.take_gone())
    for kind, count in queue.outcomes.items():
        setattr(report, kind, getattr(report, kind) + count)
    with crm.transaction() as connection:
        report.pending = (database.row(connection, "opt_outs/open_opt_outs") or {})["pending"]
        if queue.is_out_of_calls:
            waiting = database.rows(connection, "opt_outs/waiting")
            report.postponed = sum(
                row["is_backlog"] and row["status"] == "pending" for row in waiting
            )
            _log.info(
                "%d opt-outs that a person released at once wait: a fifth of the day's calls is "
                "left to the other jobs; they go on after 00:00 UTC",
                report.postponed,
            )
    if queue.failure is not None:
        _log.warning("not all changes could be carried: %s", report)
        raise queue.failure
    return report


class _Looked(NamedTuple):
    """What a look came to.

    Attributes:
        contact_ids: The contacts that were looked at: those whose changes wait; None: all.
        is_baseline: Nothing that differed says what a person did.
        superseded: The changes that the CRM takes back.
    """

    contact_ids: list[str] | None
    is_baseline: bool
    superseded: list[int]


def _look(crm: Database, *, whole: bool, dry_run: bool) -> _Looked:
    """Look at the CRM, bring the register up to it and to the mirror, end what is taken back."""
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        spell_changes(connection, crm)
        # What is committed after this may be of a flag that is not seen below.
        waiting = database.rows(connection, "opt_outs/waiting")
        pending = {
            row["contact_id"]
            for row in waiting
            if row["status"] == "pending" and not row["is_backlog"]
        }
        contact_ids = None if whole else sorted(pending)
        is_baseline = False
        if contact_ids != []:
            is_baseline = see_contacts_in(connection, crm, contact_ids).is_baseline
            update_register(connection, contact_ids)
        if whole:
            database.run(connection, "consent/retry_refused")
        # Under the lock of this look: a flag seen as cleared is lifted, or a change waits for it.
        with connection.transaction(force_rollback=dry_run):
            known = {"change_ids": [row["change_id"] for row in waiting]}
            superseded = database.rows(connection, "opt_outs/supersede_opt_outs", known)
            database.run(connection, "consent/lift_flags", {"contact_id": None})
            # A contact that others were merged into may be merged itself.
            while whole and database.run(connection, "consent/lift_merged"):
                pass
    return _Looked(contact_ids, is_baseline, [row["change_id"] for row in superseded])


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

    def __init__(
        self,
        client: Client,
        crm: Database,
        may_carry_backlog: Callable[[], bool],
        *,
        dry_run: bool,
    ) -> None:
        self._client = client
        self._crm = crm
        self._may_carry_backlog = may_carry_backlog
        self._dry_run = dry_run
        self._left_of_slice = 0.0
        self._block = WriteBlock(crm)
        self.is_out_of_calls = False
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

    def begin_slice(self) -> None:
        """Carry some more of a backlog, before the CRM is looked at again."""
        self._left_of_slice = math.inf if self._dry_run else _SLICE

    def probe(self, upto: int) -> None:
        """Carry one change after another until a write has passed, where none did before."""
        if self._dry_run:
            return
        self._block.load()
        while self._block.is_probing and self._carry_next(upto):
            pass

    @property
    def has_more_of_backlog(self) -> bool:
        """Whether only the slice kept more of a backlog from being carried."""
        return self._left_of_slice == 0 and not self.is_out_of_calls

    def take_gone(self) -> dict[str, str]:
        """Who says no and is linked to a contact that was not found; each of them once."""
        gone = {who: link for who, link in self._gone.items() if who not in self._followed}
        self._followed.update(gone)
        return gone

    def _carry_next(self, upto: int) -> bool:
        carrier: Carrier | None = None
        try:
            with self._crm.transaction() as connection:
                change = self._claim(connection, upto)
                if change is None:
                    return False
                carrier = Carrier(self._client, self._crm, change, dry_run=self._dry_run)
                carrier.carry(connection)
                self._set_aside(carrier)
                if self._dry_run:
                    connection.rollback()
                else:
                    carrier.store_outcome(connection)
        except (DatabaseUnavailable, DatabaseConflict, QueryTooSlow):
            if carrier is None or self._dry_run or carrier.outcome is None:
                raise
            # A session that was ended while the vendor answered took its locks, not the answer.
            with self._crm.transaction() as connection:
                carrier.store_outcome(connection)
        self._count(carrier)
        self._note_passage(carrier)
        return True

    def _note_passage(self, carrier: Carrier) -> None:
        """Tell apart one change that a gateway refuses and a gateway that refuses all.

        Raises:
            WritesBlocked: It refuses all.
        """
        if isinstance(carrier.failure, WriteBlocked):
            self._block.note_refused(str(carrier.failure))
        elif carrier.outcome is not None and carrier.outcome.kind in _WRITTEN:
            self._block.note_passed()

    def _claim(self, connection: psycopg.Connection[Any], upto: int) -> dict[str, Any] | None:
        change = self._take_next(connection, upto)
        # Another thread may have set it aside after we had looked at what is.
        while change is not None and change["change_id"] in self.set_aside:
            change = self._take_next(connection, upto)
        if change is None or not change["is_backlog"]:
            return change
        may_go = self._dry_run or self._may_carry_backlog()
        with self._lock:
            self.is_out_of_calls |= not may_go
            self._left_of_slice = max(0.0, self._left_of_slice - 1)
        return change if may_go else None

    def _take_next(self, connection: psycopg.Connection[Any], upto: int) -> dict[str, Any] | None:
        with self._lock:
            params = {"skip": list(self.set_aside), "upto": upto}
            is_more = self._left_of_slice > 0 and not self.is_out_of_calls
        params["with_backlog"] = is_more
        change = database.row(connection, "opt_outs/claim_opt_out", params)
        if (
            change is not None
            and change["constant_contact_id"] is None
            and spell_changes(connection, self._crm, change["change_id"])
        ):
            # It came since the look.
            change = database.row(connection, "opt_outs/claim_opt_out", params)
        return change

    def _set_aside(self, carrier: Carrier) -> None:
        """What stays pending is not claimed again, while its row is still locked."""
        if carrier.failure is not None or self._dry_run:
            with self._lock:
                self.set_aside.append(carrier.change["change_id"])

    def _count(self, carrier: Carrier) -> None:
        outcome, change = carrier.outcome, carrier.change
        with self._lock:
            if carrier.failure is not None:
                # It stays pending; the others may still go.
                self.failure = carrier.failure
            if carrier.is_gone:
                self._gone[change["contact_id"]] = change["constant_contact_id"]
            if outcome is not None:
                self.outcomes[outcome.kind] += 1
        if outcome is not None:
            _log.info("change %d: %s (%s)", change["change_id"], outcome.kind, outcome.detail)
