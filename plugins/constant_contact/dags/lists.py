"""### Constant Contact lists

Every night at 00:30 all lists of the account, with their membership counts, are mirrored into
`ctct_list`; the CRM's list dropdown reads the view `crm_list`. One API call for 500 lists.

**When it fails**: the task log names each call and its answer. A setting or an authorization that
is wrong fails at once with the field to correct; anything else is tried again three times. Running
it again is always safe.

**By hand**: *Trigger*, no parameters. Do this after creating a list that the CRM should offer.
"""

from airflow.sdk import DAG, Asset

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults, nightly, nightly_deadline
from constant_contact.operators.lists import ListsOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("lists"),
        description="Lists of Constant Contact into the CRM's list dropdown",
        schedule=nightly("30 0 * * *"),
        deadline=nightly_deadline(),
        tags=[*account.tags, "read"],
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        ListsOperator(task_id="lists", outlets=[Asset(account.asset("ctct_list"))])
    return dag
