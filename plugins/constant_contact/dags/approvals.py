"""### Constant Contact approvals

A run of this DAG is a question to a person: the circuit breaker has stopped a mass opt-out or mass
removal from lists. It waits under *Required Actions* with the number of contacts and a link to our
page, which says whose they are, why, and who changed them: Airflow stores no personal data.

- *Approve*: exactly the rows that were shown go on.
- *Reject*: they stay `held`, and nothing is sent.

The option `on_hold_callback` names a callable or an Airflow notifier that gets the question,
and each day again while what contacts asked for themselves waits.

Either is kept with the person's name in `ctct_hold` and, for each change, in `ctct_consent`. Other
opt-outs go out meanwhile.

**When it fails**, or Airflow has lost it: nothing to do. While rows wait and no run asks, the next
run of the DAG that was stopped starts one; an answer that was given is kept, and no row is carried
twice.

**By hand**: no need: the breaker starts it. `hold_id` is a number of `ctct_hold`.
"""

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.holds import (
    APPROVE,
    REJECT,
    AnswerOperator,
    AskOperator,
)
from constant_contact.questions import tell_of_question


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("approvals"),
        description="A person decides about what the circuit breaker holds",
        schedule=None,
        tags=[*account.tags, "write"],
        params={
            "hold_id": Param(None, type=["null", "integer"], description="A number of ctct_hold."),
        },
        doc_md=account.runbook(__doc__),
        # It runs only when something was stopped; it must not have to be switched on then.
        is_paused_upon_creation=False,
        # One question must not wait for the answer to another.
        **dag_defaults(account) | {"max_active_runs": 16},
    ) as dag:
        ask = AskOperator(task_id="ask", hold_id="{{ params.hold_id }}")
        approval = HITLOperator(
            task_id="approval",
            subject="{{ ti.xcom_pull(task_ids='ask')['subject'] }}",
            body="{{ ti.xcom_pull(task_ids='ask')['body'] }}",
            options=[APPROVE, REJECT],
            # any callable will do, whatever its annotation says
            notifiers=[tell_of_question],  # type: ignore[list-item]
            # A person takes as long as a person takes.
            execution_timeout=None,
        )
        answer = AnswerOperator(
            task_id="answer", question_task_id=ask.task_id, answer_task_id=approval.task_id
        )
        ask >> approval >> answer
    return dag
