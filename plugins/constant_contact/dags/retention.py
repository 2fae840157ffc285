"""### Constant Contact retention

Every night at 03:30 rows of the call log `ctct_api_call` that are older than 90 days (the option
`[constant_contact] call_log_days`) are deleted, and what is kept of calls that changed memberships,
of choices made in the wizard (after a day, if they were not carried) and of checks but the last
one. Nothing else is ever deleted by age.

The refresh token is kept, too: it dies after 180 days without use. If no other DAG has used it
today, the task `tokens` does, so that all the others may be paused for as long as one likes.

**When it fails**: `retention`: run it again; the log only grows meanwhile. `tokens`: the last line
of its log says what a person must do; every other DAG would fail for the same reason.

**By hand**: *Trigger*, no parameters, after lowering the option.
"""

from airflow.sdk import DAG

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults, nightly, nightly_deadline
from constant_contact.operators.retention import RetentionOperator
from constant_contact.operators.tokens import TokensOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("retention"),
        description="Old rows of the API call log; the refresh token kept alive",
        schedule=nightly("30 3 * * *"),
        deadline=nightly_deadline(),
        tags=[*account.tags, "maintenance"],
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        RetentionOperator(task_id="retention")
        TokensOperator(task_id="tokens")
    return dag
