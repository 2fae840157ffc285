"""### Constant Contact opt-ins

The CRM cleared Do Not Email of a contact that opted out itself: the change is `held` in
`crm_opt_out_change`, and no email is sent. Here a person decides about one such change:

- *ask for confirmation*: Constant Contact sends the contact its confirmation mail, once ever. Only
  when the contact confirms is the change done, by the next run of `constant_contact_contacts`.
- *dismiss*: the contact stays unsubscribed.

Who decided is kept in `ctct_consent`, and the mail in `ctct_confirmation`.

**When it fails**: the last line of the log says why; a mail that may have been sent is never sent
again.

**By hand**: *Trigger*, with
- `change_id`: of the held row,
- `action`: one of the two,
- `list_ids`: for a confirmation: the lists the contact joins by it, at least one.
"""

from airflow.sdk import DAG, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.opt_ins import CONFIRM, DISMISS, OptInsOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("opt_ins"),
        description="A person decides about a held opt-in: ask the contact, or dismiss",
        schedule=None,
        tags=[*account.tags, "write"],
        params={
            "change_id": Param(
                None, type=["null", "integer"], description="A held row of crm_opt_out_change."
            ),
            "action": Param(DISMISS, enum=[CONFIRM, DISMISS], description="What is to be done."),
            "list_ids": Param(
                [],
                type="array",
                items={"type": "string"},
                description="Lists the contact joins when it confirms.",
            ),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        OptInsOperator(
            task_id="opt_ins",
            change_id="{{ params.change_id }}",
            action="{{ params.action }}",
            list_ids="{{ params.list_ids | join(',') }}",
        )
    return dag
