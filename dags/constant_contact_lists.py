"""### Constant Contact lists

Every night at 00:30 all lists of the account, with their membership counts, are mirrored into
`ctct_list`; the CRM's list dropdown reads the view `crm_list`. One API call for 1,000 lists.

**When it fails**: the task log names each call and its answer. A setting or an authorization that
is wrong fails at once with the field to correct; anything else is tried again three times. Running
it again is always safe.

**By hand**: *Trigger*, no parameters. Do this after creating a list that the CRM should offer.
"""

from airflow.sdk import DAG, Asset

from constant_contact.config import dag_defaults, nightly, nightly_deadline
from constant_contact.operators.lists import ListsOperator

with DAG(
    dag_id="constant_contact_lists",
    description="Lists of Constant Contact into the CRM's list dropdown",
    schedule=nightly("30 0 * * *"),
    deadline=nightly_deadline(),
    tags=["constant_contact", "read"],
    doc_md=__doc__,
    **dag_defaults(),
):
    ListsOperator(task_id="lists", outlets=[Asset("ctct_list")])
