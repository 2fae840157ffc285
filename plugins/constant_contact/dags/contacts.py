"""### Constant Contact contacts

Every night at 01:00 the contacts that changed or opted out at Constant Contact are mirrored into
`ctct_contact`, then CRM contacts are linked to them by email address (trimmed, upper and lower case
alike). Every CRM contact with the address is linked, also if several share it. The first run, one a
week, and a run with `full` read all contacts, which also finds those that are gone.

Links are in `ctct_link`; nothing of a person is copied into the CRM's own table but the Constant
Contact id. A linked contact with Do Not Email that Constant Contact may still mail is unsubscribed
by the next run of `constant_contact_opt_outs`. More than 50 links that would be cleared at once,
and contacts that are absent from the CRM in numbers, wait for a person.

The task `completeness` holds the mirror against Constant Contact's own count of contacts by
permission, for one call, and after a full pass the members of each list against its count. What
differs is named in the log and on the overview, and stays in `ctct_finding` until it agrees; where
the contacts differ, the next run reads all of them.

**What it tells** (return value of the task `links`): linked, relinked, unlinked, unmatched, without
email, malformed email, shared addresses.

**When it fails**: run it again; it goes on at its page. A setting or an authorization that is wrong
fails at once with the field to correct.

**By hand**: *Trigger*, with
- `full`: read all contacts (one call per 500),
- `since`: read what changed after this time, too, if that is longer ago than the last run,
- `dry_run`: tell what would be linked, link nothing.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults, nightly, nightly_deadline
from constant_contact.operators.completeness import CompletenessOperator
from constant_contact.operators.contacts import ContactsOperator
from constant_contact.operators.links import LinksOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    mirrored = Asset(account.asset("ctct_contact"))

    with DAG(
        dag_id=account.dag_id("contacts"),
        description="Contacts of Constant Contact, linked to the CRM's by email",
        schedule=nightly("0 1 * * *"),
        deadline=nightly_deadline(),
        tags=[*account.tags, "read"],
        params={
            "full": Param(False, type="boolean", description="Read all contacts."),
            "since": Param(
                None,
                type=["null", "string"],
                description="Also what changed after this time (ISO 8601; UTC without a zone).",
            ),
            "dry_run": Param(False, type="boolean", description="Tell what would be linked only."),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        contacts = ContactsOperator(
            task_id="contacts",
            full="{{ params.full }}",
            since="{{ params.since }}",
            outlets=[mirrored],
        )
        links = LinksOperator(
            task_id="links",
            is_dry_run="{{ params.dry_run }}",
            inlets=[mirrored],
            outlets=[Asset(account.asset("crm_contact"))],
        )
        completeness = CompletenessOperator(
            task_id="completeness", contacts=True, inlets=[mirrored]
        )
        contacts >> [links, completeness]
    return dag
