"""### Constant Contact after a restore

Run this once after the CRM was restored from a backup, while all other DAGs of this package are
paused. What people said between the backup and now is lost in the CRM, and known at Constant
Contact; nobody is to be mailed because of that.

- `settle`: opt-ins and wishes to be put on a list that wait in the restored CRM are not carried:
  they may have been carried before, and taken back since.
- `contacts`, `links`: all contacts are read again, and linked.
- `flags`: *Do Not Email* is set again for everybody whom Constant Contact may not mail since the
  moment of the backup. That queues opt-outs, which then find that all is so already.

The steps before and after: docs/operations.md.

**When it fails**: run it again; nothing else should run before it has succeeded.

**By hand**: *Trigger*, with
- `restored_to`: the moment of the backup, or somewhat before.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.config import dag_defaults
from constant_contact.operators.contacts import ContactsOperator
from constant_contact.operators.links import LinksOperator
from constant_contact.operators.restore import FlagsOperator, SettleOperator

with DAG(
    dag_id="constant_contact_after_restore",
    description="After the CRM was restored from a backup: lets no lost no be undone",
    schedule=None,
    tags=["constant_contact", "write"],
    params={
        "restored_to": Param(
            "",
            type="string",
            description="The moment of the backup (ISO 8601; UTC if it names no zone).",
        ),
    },
    doc_md=__doc__,
    **dag_defaults(),
):
    settle = SettleOperator(task_id="settle")
    contacts = ContactsOperator(task_id="contacts", full=True)
    links = LinksOperator(task_id="links")
    flags = FlagsOperator(
        task_id="flags", restored_to="{{ params.restored_to }}", outlets=[Asset("crm_contact")]
    )
    settle >> contacts >> links >> flags
