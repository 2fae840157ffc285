"""### Constant Contact activities

Every night at 02:00 what contacts did with campaigns (sends, opens, clicks, bounces, forwards,
opt-outs) is read into the ledger `ctct_engagement` and shown in the CRM as interactions. It costs
one API call per 500 events, whoever they belong to, and only for campaigns that moved.

- `campaigns`: the summary report tells which campaigns moved; exact counts are asked for those and
  for those sent in the last 30 days.
- `engagement`: each report that has something new is read newest first, down to what is stored.
- `interactions`: new events become interactions, by SQL; so does the whole history of contacts that
  were linked since. A contact added to the CRM today has its history tomorrow, for no call.

Constant Contact's API does not report A/B tests of subject lines nor automated emails (birthdays,
series, welcome); the task `campaigns` counts them in its log.

**When it fails**: run it again; each report goes on at its page and nothing is stored twice. A
report that the vendor refuses is named in the log and in `ctct_engagement_stream.failure`; the
others go on.

**Backfill**: the first run reads the whole history. Later backfills cost no call for days that are
covered already.

**By hand**: *Trigger*, with
- `since`: read back to this time only (the rest of the history stays for a later run),
- `reread`: read all reports whole, whatever is stored; for repairs.
"""

from airflow.sdk import DAG, Asset, Param

from constant_contact.config import dag_defaults, nightly
from constant_contact.operators.campaigns import CampaignsOperator
from constant_contact.operators.engagement import EngagementOperator
from constant_contact.operators.interactions import InteractionsOperator

ledger = Asset("ctct_engagement")

with DAG(
    dag_id="constant_contact_activities",
    description="Engagement with campaigns as interactions in the CRM",
    schedule=nightly("0 2 * * *"),
    tags=["constant_contact", "read"],
    params={
        "since": Param(
            None,
            type=["null", "string"],
            description="Read back to this time only (ISO 8601; UTC if it names no zone).",
        ),
        "reread": Param(False, type="boolean", description="Read all reports whole."),
    },
    doc_md=__doc__,
    **dag_defaults(),
):
    campaigns = CampaignsOperator(task_id="campaigns", outlets=[Asset("ctct_campaign")])
    engagement = EngagementOperator(
        task_id="engagement",
        since="{{ params.since }}",
        reread="{{ params.reread }}",
        outlets=[ledger],
    )
    interactions = InteractionsOperator(
        task_id="interactions",
        inlets=[ledger, Asset("crm_contact")],
        outlets=[Asset("crm_interaction")],
    )
    campaigns >> engagement >> interactions
