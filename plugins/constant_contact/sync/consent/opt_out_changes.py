"""One change of Do Not Email, carried to Constant Contact: GET, decide, PUT.

What is about to be sent is on record before it is sent, and no transaction that has written
anything waits for the vendor's answer. So whatever becomes of the answer, of our session or of this
process, an opt-out that we made differs from the vendor's own.
"""

import logging
import random
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import (
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
from constant_contact.sync.consent import rules, single
from constant_contact.sync.consent.rules import Outcome
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.objections import ask_gate

_log = logging.getLogger("constant_contact.opt_outs")

# An edit conflict, or a write without an answer, is looked at again this often.
_WRITE_TRIES = 4
_CONFLICT_WAIT_S = 0.25

_WITHOUT_REASON = "Without the reason, which was refused there or on the way."
_SET_AGAIN = "Do Not Email is set in the CRM."
_UNKNOWN = (
    "The CRM has no contact with this id, and no address came with it. It holds for the id; write "
    "the id as the CRM has it, or set Do Not Email of the contact that is meant."
)
_SAYS_NOTHING = "The CRM no longer says that Do Not Email is cleared."


class Carrier:
    """Carries one change, which a transaction has claimed.

    Args:
        client: Of the account.
        crm: Where the outbox is.
        change: A row of `opt_outs/claim_opt_out`.
        dry_run: Ask the vendor and decide; change nothing on either side.

    Attributes:
        change: The same row.
        outcome: What became of it; None if it waits on.
        failure: Why it could not be carried now.
        is_gone: The vendor does not have the contact that an opt-out is about.
    """

    def __init__(
        self, client: Client, crm: Database, change: Mapping[str, Any], *, dry_run: bool
    ) -> None:
        self.change = change
        self.outcome: Outcome | None = None
        self.failure: Retriable | WriteUncertain | None = None
        self.is_gone = False
        self._client = client
        self._crm = crm
        self._dry_run = dry_run
        self._call_before = client.last_call

    def carry(self, connection: psycopg.Connection[Any]) -> None:
        """Carry the change; what goes wrong about it is kept in `failure` and stops no other.

        Args:
            connection: Of the transaction that has claimed it; holds locks and nothing else.

        Raises:
            Fatal, Later: As the error tree says.
        """
        try:
            with self._crm.explained(connection), connection.transaction():
                self.outcome = self._carried(connection)
        except (Retriable, WriteUncertain) as error:
            # Where the session has ended after the vendor's answer, `store_outcome` will find out.
            self.failure = error if self.outcome is None else None
        except Exception as error:
            if isinstance(error, (Fatal, Later)) and not isinstance(error, TextRefused):
                raise
            self.failure = unforeseen(f"change {self.change['change_id']}", error)
        if self.failure is not None:
            _log.warning("%s", self.failure)

    def store_outcome(self, connection: psycopg.Connection[Any]) -> None:
        """Keep what became of the change, and what the vendor has shown, in one transaction.

        The change first: where our session has ended, another worker may have claimed it. That one
        writes its contact on a second connection, and would wait for us while we wait for it, which
        no server can see.
        """
        key = {"change_id": self.change["change_id"]}
        call = self._client.last_call
        made_one = call is not self._call_before
        # Where the tokens could not be refreshed, nothing was tried about this change.
        if self.failure is not None and made_one:
            tried = key | {"detail": f"Not carried yet. {self.failure}"}
            database.run(connection, "opt_outs/set_aside", tried)
        if self.outcome is None:
            return
        ended = key | {
            "status": self.outcome.status,
            "detail": self.outcome.detail,
            "constant_contact_id": self.change["constant_contact_id"],
        }
        is_ours = database.run(connection, "opt_outs/finish_opt_out", ended)
        after = self.outcome.after
        # Where another worker has ended it, it may have seen the contact before our call came
        # through. That the contact may be mailed is believed then: the comparison asks again.
        if after is not None and (is_ours or rules.may_be_mailed(after)):
            single.mirror(connection, after)
        if not is_ours:
            return
        rules.record_decision(connection, self.change, self.outcome, call if made_one else None)

    def _carried(self, connection: psycopg.Connection[Any]) -> Outcome | None:
        """Carry the change; waits while the same contact is edited.

        Returns:
            What became of it; None if the link of its contact has moved: it is taken again.
        """
        change, contact_id = self.change, self.change["constant_contact_id"]
        if contact_id is not None:
            database.row(connection, "opt_outs/lock_contact", {"constant_contact_id": contact_id})
        if not (self._dry_run or (change["is_found"] and self._is_opt_out)):
            self._look_again()
        standing = self._standing(connection)
        if not change["do_not_email"] and not standing["is_in_crm"]:
            return Outcome("unchanged", "The contact is no longer in the CRM.")
        if not change["do_not_email"] and standing["do_not_email"]:
            return Outcome("superseded", _SET_AGAIN)
        if change["is_found"] and not self._is_opt_out and standing["do_not_email"] is None:
            return Outcome("superseded", _SAYS_NOTHING)
        is_own_word = change["requested_by_contact"] or change["is_found"]
        if change["do_not_email"] and standing["do_not_email"] is False and not is_own_word:
            return Outcome("superseded", "Do Not Email is cleared in the CRM.")
        if standing["constant_contact_id"] != contact_id:
            return None
        if contact_id is None:
            if change["do_not_email"]:
                if not standing["is_known"]:
                    return Outcome("failed", _UNKNOWN)
                return Outcome(
                    "unchanged",
                    "Not linked to Constant Contact. If it is linked later, the flag goes too.",
                )
            return self._opt_in_unlinked(connection)
        outcome = self._edited(connection, contact_id)
        if outcome.kind != "unchanged":
            return outcome
        with self._crm.transaction() as own:
            is_moved = self._standing(own)["constant_contact_id"] != contact_id
        return None if is_moved else outcome

    def _look_again(self) -> None:
        """What the CRM says now, after a wait."""
        with self._crm.transaction() as own:
            database.row(own, "crm_contacts/lock")
            see_contacts_in(own, self._crm, [self.change["contact_id"]])
            of_contact = {"contact_ids": [self.change["contact_id"]]}
            database.run(own, "consent/hear_changes", of_contact)
            database.run(own, "consent/hear_flags", of_contact)

    def _standing(self, connection: psycopg.Connection[Any]) -> dict[str, Any]:
        """Whether the change is overtaken, and which contact it is about, at this moment."""
        key = {"contact_id": self.change["contact_id"], "change_id": self.change["change_id"]}
        return database.row(connection, "opt_outs/opt_out_standing", key) or {}

    def _opt_in_unlinked(self, connection: psycopg.Connection[Any]) -> Outcome:
        """A cleared flag of a contact that the vendor does not have: what it said counts later."""
        key = {"contact_id": self.change["contact_id"]}
        if not self._dry_run:
            database.run(connection, "consent/lift_flags", key)
        gate = ask_gate(connection, **key)
        if gate.source == "asked":
            return Outcome(
                "held",
                f"{gate.reason} It is not linked to Constant Contact. This waits until it is; set "
                "Do Not Email again if its wish stands.",
            )
        return Outcome("unchanged", "Not linked to Constant Contact.")

    def _edited(self, connection: psycopg.Connection[Any], contact_id: str) -> Outcome:
        """Edit the contact, looking again where another edit or a lost answer came between."""
        is_blocked = False
        for attempt in range(1, _WRITE_TRIES + 1):
            # The last try is without the words of a person, whatever kept the others from arriving.
            is_plain = is_blocked or attempt == _WRITE_TRIES
            try:
                return self._edit(connection, contact_id, is_plain=is_plain, is_blocked=is_blocked)
            except NotFound:
                return self._not_found(contact_id)
            except (Conflict, WriteUncertain) as error:
                if isinstance(error, Conflict):
                    # The vendor's word that ours did not happen.
                    self._record(Outcome("conflict", str(error)))
                if attempt == _WRITE_TRIES or (is_blocked and isinstance(error, WriteBlocked)):
                    if isinstance(error, WriteBlocked):
                        raise
                    raise WriteUncertain(str(error)) from None
                is_blocked |= isinstance(error, WriteBlocked) and error.is_refusal
                _log.info("change %d: %s; looking again", self.change["change_id"], error)
                time.sleep(random.uniform(0, _CONFLICT_WAIT_S * attempt))  # noqa: S311
            except Withdrawn as error:
                return Outcome("superseded", str(error))
            except Rejected as error:
                later = " Tried again later, ever more rarely." if self._is_opt_out else ""
                return Outcome("failed", f"Constant Contact refused it: {error}.{later}")
        raise AssertionError("unreachable")

    @property
    def _is_opt_out(self) -> bool:
        return bool(self.change["do_not_email"])

    def _record(self, outcome: Outcome) -> None:
        with self._crm.transaction() as own:
            rules.record_decision(own, self.change, outcome, self._client.last_call)

    def _not_found(self, contact_id: str) -> Outcome:
        """Not found once may pass; twice, an hour apart, is believed."""
        if not self._dry_run:
            with self._crm.transaction() as own:
                missing = database.row(
                    own, "opt_outs/not_found", {"constant_contact_id": contact_id}
                )
                if missing:
                    purged = {"contact_id": [contact_id], "deleted_at": missing["now"]}
                    database.run(own, "contacts/mark_purged", purged)
        self.is_gone = self._is_opt_out
        return Outcome("unchanged", "Constant Contact no longer has this contact.")

    def _edit(
        self,
        connection: psycopg.Connection[Any],
        contact_id: str,
        *,
        is_plain: bool,
        is_blocked: bool,
    ) -> Outcome:
        """GET, decide, PUT.

        Args:
            connection: Of the transaction that has claimed the change.
            contact_id: The vendor's contact.
            is_plain: Leave out the reason.
            is_blocked: A gateway refuses it; leave out all names too, if one did in an earlier run.
        """
        change = self.change
        keys = {
            # What is found of an objection may have left its contact behind.
            "contact_id": None if change["is_found"] and self._is_opt_out else change["contact_id"],
            "constant_contact_id": contact_id,
            "address": None,
        }
        current = single.read_contact(self._client, contact_id)
        # Committed before the call: no other transaction waits for the vendor's reply.
        with self._crm.transaction() as own:
            if before := rules.made_without_answer(own, change, current):
                # Heard as the vendor's own, it could not be taken back.
                return Outcome("unsubscribed", rules.DONE, before=before, after=current)
            single.mirror(own, current)
            decision, body = rules.decide(own, change, current, keys)
            if self._dry_run:
                own.rollback()
        if self._dry_run or body is None:
            return decision._replace(before=current, after=current)
        is_opt_in = body["email_address"]["permission_to_send"] != "unsubscribed"
        if is_plain and not is_opt_in:
            is_bare = is_blocked and change["attempts"] > 0
            body = single.bare(body) if is_bare else single.without_reason(body)
        confirm = partial(self._confirm, connection, keys) if is_opt_in else None
        after, sent = single.put(self._client, contact_id, body, confirm)
        if not is_opt_in and rules.is_of_contact(after, body):
            return Outcome("unchanged", rules.ALREADY, before=after, after=after)
        if not is_opt_in and "opt_out_reason" not in sent["email_address"]:
            decision = decision._replace(detail=f"{decision.detail} {_WITHOUT_REASON}")
        return decision._replace(before=current, after=after)

    def _confirm(self, connection: psycopg.Connection[Any], keys: Mapping[str, str | None]) -> None:
        """Ask once more, now that the call has its slot, whether the contact may be mailed again.

        Raises:
            Withdrawn: An objection stands.
            DatabaseUnavailable: The locks are lost: another worker may be at this contact.
        """
        self._look_again()
        with self._crm.transaction() as own:
            gate = ask_gate(own, **keys)
            key = {"contact_id": self.change["contact_id"]}
            contact = database.row(own, "links/contact", key) or {}
        if gate.answer != "may":
            raise Withdrawn(gate.reason)
        if contact.get("do_not_email", True):
            raise Withdrawn(_SET_AGAIN)
        # The last thing before the call; fails where the session has ended.
        self._standing(connection)
