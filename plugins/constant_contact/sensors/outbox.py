"""Looks whether rows wait in an outbox of the CRM."""

from collections.abc import Sequence
from contextlib import closing
from itertools import count
from typing import Any

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue

from constant_contact import measures
from constant_contact.accounts import Account
from constant_contact.hooks.crm import DEFAULT_CRM_CONN_ID, crm_database
from constant_contact.params import flag
from constant_contact.questions import body, call_hold_callback, question_run_id, subject
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import holds

# States of a run that asks, or will in a moment.
_GOES_ON = ["queued", "running"]
# What waits in each outbox.
_OPEN = {"opt_outs": "opt_outs/open_opt_outs", "memberships": "memberships/open_memberships"}


class OutboxSensor(BaseSensorOperator):
    """Passes if there is something to carry or to ask, else skips what follows: it looks once.

    Its return value has, for each stop of the circuit breaker that waits for an answer, the run of
    the approvals DAG that is to ask, as TriggerDagRunOperator takes it; none while one is asking.
    What Airflow has counts: a run that failed, or was lost with Airflow's database, asks no more.

    Args:
        noun: Whose outbox: `opt_outs` or `memberships`.
        crm_conn_id: The CRM database.
        is_dry_run: Look for waiting rows only; ask and remind no person (templated).
    """

    template_fields: Sequence[str] = ("crm_conn_id", "is_dry_run")

    def __init__(
        self,
        *,
        noun: str,
        crm_conn_id: str = DEFAULT_CRM_CONN_ID,
        is_dry_run: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=0, soft_fail=True, **kwargs)
        self.noun = noun
        self.crm_conn_id = crm_conn_id
        self.is_dry_run = is_dry_run

    def poke(self, context: Context) -> PokeReturnValue:
        """Whether a row waits, or a question to a person."""
        with closing(crm_database(self.crm_conn_id)) as crm:
            with crm.transaction() as connection:
                if self.noun == "memberships":
                    # What is due again waits like what is new.
                    database.run(connection, "memberships/retry_refused")
                outbox = database.row(connection, _OPEN[self.noun]) or {}
                if flag("dry_run", self.is_dry_run):
                    connection.rollback()
                    return PokeReturnValue(bool(outbox["pending"]), [])
                unanswered = holds.unanswered(connection, *holds.NOUNS[self.noun])
                to_remind_of = holds.to_remind_of(connection, *holds.NOUNS[self.noun])
            for hold_id in to_remind_of:
                self._remind(crm, hold_id, context)
            runs = [
                {"conf": {"hold_id": hold_id}, "trigger_run_id": run_id}
                for hold_id in unanswered
                if (run_id := self._next_question(crm, hold_id, context["ti"]))
            ]
            measures.outboxes(crm, self.crm_conn_id)
        self.log.info("%s: %s", self.noun, ", ".join(f"{n} {s}" for s, n in outbox.items()))
        waits = outbox["pending"] or outbox.get("in_flight") or runs
        return PokeReturnValue(bool(waits), runs)

    def _next_question(self, crm: Database, hold_id: int, ti: Any) -> str | None:
        """The run that is to ask about a hold; None while one does, or if no row waits for it."""
        dag_id = Account.of_crm(self.crm_conn_id).dag_id("approvals")
        for number in count(1):
            run_id = question_run_id(hold_id, number)
            if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id], states=_GOES_ON):
                return None
            if not ti.get_dr_count(dag_id=dag_id, run_ids=[run_id]):
                hold = holds.find_hold(crm, hold_id)
                return run_id if hold and hold.contacts else None
        raise AssertionError("unreachable")

    def _remind(self, crm: Database, hold_id: int, context: Context) -> None:
        """Each day that what contacts asked for is held: the law gives ten."""
        hold = holds.find_hold(crm, hold_id)
        if hold is not None:
            self.log.warning("hold %d still waits for a person's answer: %s", hold_id, hold.detail)
            account = Account.of_crm(self.crm_conn_id)
            call_hold_callback(context, subject(hold), body(hold, account))
