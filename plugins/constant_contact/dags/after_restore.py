"""### Constant Contact after a restore

Run this once after the CRM was restored from a backup, while all other DAGs of this package are
paused. What people said between the backup and now is lost in the CRM, and known at Constant
Contact; no email may follow from that. Each account whose tables were restored has a DAG for it;
run all of them before anything else.

- `settle`: opt-ins and wishes to be put on a list that wait in the restored CRM are not carried:
  they may have been carried before, and taken back since. Choices of the wizard that were not
  requested yet are forgotten.
- `contacts`, `links`: all contacts are read again, and linked.
- `flags`: by `flag_back.sql`, where the firm has that file, *Do Not Email* is set again for
  contacts that Constant Contact may not mail since the moment of the backup. Without it they are
  counted (`not_flagged`); their opt-outs at Constant Contact are objections all the same.
- `completeness`: what is stored is held against what Constant Contact counts; what differs is named
  in the log and on the overview.

The steps before and after: docs/operations.md.

**When it fails**: run it again; nothing else should run before it has succeeded.

**By hand**: *Trigger*, with
- `restored_to`: the moment of the backup, or somewhat before.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.completeness import CompletenessOperator
from constant_contact.operators.contacts import ContactsOperator
from constant_contact.operators.links import LinksOperator
from constant_contact.operators.restore import FlagsOperator, SettleOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("after_restore"),
        description="After the CRM was restored from a backup: lets no lost no be undone",
        schedule=None,
        tags=[*account.tags, "write"],
        params={
            "restored_to": Param(
                "",
                type="string",
                description="The moment of the backup (ISO 8601; UTC if it names no zone).",
            ),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        settle = SettleOperator(task_id="settle", restored_to="{{ params.restored_to }}")
        contacts = ContactsOperator(task_id="contacts", full=True)
        links = LinksOperator(task_id="links")
        flags = FlagsOperator(
            task_id="flags",
            restored_to="{{ params.restored_to }}",
            outlets=[Asset(account.asset("crm_contact"))],
        )
        completeness = CompletenessOperator(task_id="completeness", contacts=True, campaigns=True)
        settle >> contacts >> links >> flags >> completeness
    return dag
