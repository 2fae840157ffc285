"""### Constant Contact erasure

Forgets a person who asked for it: the address and the reasons go, the interactions leave the CRM,
the events of the ledger lose their contact, the link is cleared, and last the id leaves the call
log. What the CRM contact had before, addresses and links, goes too, but for what another contact of
the CRM has now: the log names that one. That the person said no stays, without an address, and a
digest of the address, so that no job creates the person again or puts the address on a list. With
several accounts: run each one's.

Before, in this order: set *Do Not Email* in the CRM, as asked by the contact; let it be carried;
delete the contact at Constant Contact, if it is to be forgotten there too; delete it in the CRM.
What this DAG erases is only what the integration keeps. The guide: docs/operations.md.

**When it fails**: nothing was erased, or all but the call log, which the next try goes through. The
last line of the log says why, such as that Constant Contact may still mail the person, or that
other CRM contacts share the address.

**By hand**: *Trigger*, with one of
- `contact_id`: the CRM's id, also of a contact that has left the CRM,
- `constant_contact_id`: Constant Contact's id; erases all CRM contacts with that link.
"""

from airflow.sdk import DAG, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.erasure import ErasureOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    with DAG(
        dag_id=account.dag_id("erasure"),
        description="Forgets a person who asked for it, and never creates them again",
        schedule=None,
        tags=[*account.tags, "write"],
        params={
            "contact_id": Param("", type="string", description="A contact's id in the CRM."),
            "constant_contact_id": Param(
                "", type="string", description="Or its id at Constant Contact."
            ),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        ErasureOperator(
            task_id="erasure",
            contact_id="{{ params.contact_id }}",
            constant_contact_id="{{ params.constant_contact_id }}",
        )
    return dag
