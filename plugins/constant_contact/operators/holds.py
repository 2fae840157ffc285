"""The tasks around a person's answer to what the circuit breaker holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from constant_contact.accounts import Account
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.params import row_number
from constant_contact.questions import body, subject
from constant_contact.sync import holds
from constant_contact.sync.report import Report

APPROVE, REJECT = "Approve", "Reject"


@dataclass
class HoldReport(Report):
    """A question to a person, and where its answer belongs."""

    hold_id: int = 0
    noun: str = ""
    subject: str = ""
    body: str = ""


@dataclass
class AnswerReport(Report):
    """What became of the answer; `changes` is how many rows it was about.

    Whose it was is in `ctct_hold` only: a user's name is often an address.
    """

    answer: str = ""
    changes: int = 0


class AskOperator(ConstantContactOperator):
    """Words the question about one hold; skips what follows if it is settled already.

    Args:
        hold_id: A row of `ctct_hold` (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "hold_id")

    def __init__(self, *, hold_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hold_id = hold_id

    def sync(self, hook: ConstantContactHook, context: Context) -> HoldReport:
        """Run `holds.ask`."""
        hold_id = row_number("hold_id", self.hold_id, "ctct_hold")
        hold = holds.ask_about(hook.crm, hold_id)
        if hold is None or not hold.contacts:
            raise AirflowSkipException(f"hold {hold_id} waits for no answer")
        account = Account.of_crm(self.crm_conn_id)
        shown = body(hold, account, holds.cost(hold, hook.settings))
        return HoldReport(hold.hold_id, hold.noun, subject(hold), shown)


class AnswerOperator(ConstantContactOperator):
    """Does what the person said.

    Args:
        question_task_id: The task whose report is a `HoldReport`.
        answer_task_id: The task that waited for the person.
    """

    def __init__(self, *, question_task_id: str, answer_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question_task_id = question_task_id
        self.answer_task_id = answer_task_id

    def sync(self, hook: ConstantContactHook, context: Context) -> AnswerReport:
        """Run `holds.answer`."""
        question = context["ti"].xcom_pull(task_ids=self.question_task_id)
        given = context["ti"].xcom_pull(task_ids=self.answer_task_id)
        by = (given.get("responded_by_user") or {}).get("name") or "a user of Airflow"
        said: holds.Answer = "approved" if APPROVE in given["chosen_options"] else "rejected"
        return AnswerReport(said, holds.answer(hook.crm, question["hold_id"], said, by=by))
