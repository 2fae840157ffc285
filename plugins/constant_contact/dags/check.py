"""### Constant Contact check

Tries each thing that the jobs rely on, in the CRM and at Constant Contact, and says what it found:
the first thing to run after the two connections are set, and the first page that a support person
asks for (*Connection → Check*). It needs no other setting, nor the schema.

The log has a line for each thing: *ok*, *differs*, *refused* or *not tried*, what was seen, and
where it does not hold what that means for the jobs and what to do. The last line counts them, and
names what does not hold. What is seen is kept in `ctct_check` and compared with the last check. In
the CRM nothing is written but that; at Constant Contact only what you say yes to.

**When it fails**: it could not be run at all: the last line of the log says which connection or
param is wrong. What it finds never makes it fail. It is not tried again by itself, since it may
write: run it again when the cause is gone.

**By hand**: *Trigger*, with
- `write`: yes, try writes at Constant Contact too: a list and a contact are made, changed and
  deleted,
- `test_contact_id`: for those a contact of the CRM whose address reaches only you, and
  which Constant Contact does not know. Its id and not its address, since Airflow keeps and shows
  the params of a run.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.check import CheckOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("check"),
        description="Whether what the jobs rely on holds, in the CRM and at Constant Contact",
        schedule=None,
        tags=[*account.tags, "maintenance"],
        params={
            "write": Param(
                False, type="boolean", description="Try writes at Constant Contact too."
            ),
            "test_contact_id": Param(
                "",
                type="string",
                # No address: Airflow would keep it with the run.
                pattern="^(?!.*(@|%40))",
                description="For the writes: a CRM contact whose address reaches only you.",
            ),
        },
        # It runs when a person asks, who should not have to switch it on first.
        is_paused_upon_creation=False,
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        CheckOperator(
            task_id="check",
            # Writes that failed are tried again when a person asks for it.
            retries=0,
            write="{{ params.write }}",
            test_contact_id="{{ params.test_contact_id }}",
            inlets=[Asset(account.asset("crm_contact"))],
        )
    return dag
