"""### Constant Contact bulk memberships

Requests a list membership for many CRM contacts at once: rows of `crm_list_membership`, which
`constant_contact_list_memberships` carries to Constant Contact within seconds. No API call here.

The task's return value tells how many contacts were chosen, for how many something is to be done,
and how many would be refused and why, as things stand; the log has the reasons too. Try with
`dry_run` first.

**When it fails**: nothing was written; the message names the parameter to correct.

**By hand**: *Trigger*, with
- `list_id`: the list, as in `ctct_list`,
- `action`: `add` or `remove`,
- one of `contact_ids` (ids of the CRM) and `selection` (`contacts_never_mailed`, `opened_lately`,
  or a file of your own in the folder `selections` of `crm_folder`, without `.sql`). A
  search by name or address is on our pages only, since Airflow keeps the params of a run,
- `choice_id`: instead of all others, a row of `ctct_choice`: what the wizard on our pages kept. The
  wizard starts this DAG by itself,
- `dry_run`: tell only, write nothing.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.bulk_memberships import BulkMembershipsOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("bulk_memberships"),
        description="List memberships for many CRM contacts at once",
        schedule=None,
        tags=[*account.tags, "write"],
        params={
            "list_id": Param("", type="string", description="The list's id at Constant Contact."),
            "action": Param(
                "add",
                type="string",
                enum=["add", "remove"],
                description="Put them on the list, or take them off it.",
            ),
            "contact_ids": Param(
                None,
                type=["null", "array"],
                items={"type": "string"},
                description="Ids of CRM contacts, one a line.",
            ),
            "selection": Param(
                None,
                type=["null", "string"],
                description="The name of a selection, such as opened_lately.",
            ),
            "choice_id": Param(
                None,
                type=["null", "integer"],
                description="Instead of all others: what the wizard on our pages kept.",
            ),
            "dry_run": Param(False, type="boolean", description="Tell only, write nothing."),
        },
        doc_md=account.runbook(__doc__),
        render_template_as_native_obj=True,
        **dag_defaults(account),
    ) as dag:
        BulkMembershipsOperator(
            task_id="bulk_memberships",
            list_id="{{ params.list_id }}",
            action="{{ params.action }}",
            contact_ids="{{ params.contact_ids }}",
            selection="{{ params.selection }}",
            choice_id="{{ params.choice_id }}",
            is_dry_run="{{ params.dry_run }}",
            inlets=[Asset(account.asset("crm_contact"))],
        )
    return dag
