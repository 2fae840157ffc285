"""### Constant Contact activities

Every night at 02:00 what contacts did with campaigns (sends, opens, clicks, bounces, forwards,
opt-outs) is read into the ledger `ctct_engagement` and shown in the CRM as interactions. It costs
one API call per 500 events, for all contacts together, and only for campaigns that moved.

- `campaigns`: the summary report tells which campaigns moved; exact counts are asked for those and
  for those sent in the last 30 days.
- `engagement`: each report that has something new is read newest first, down to what is stored;
  with the option `engagement_shards`, by several mapped tasks.
- `interactions`: new events become interactions, by SQL; so does the whole history of contacts that
  were linked since. A contact added to the CRM today has its history tomorrow, for no call.
- `completeness`: the ledger's contacts of each campaign and type are held against the summary
  report, for no call. What the ledger lacks, beyond what may be on its way, is named in the log and
  on the overview, with the reason where one is known, and stays in `ctct_finding` until then.

An activity of a role that the contract does not name is read as any other; one of which
Constant Contact says that it has no report is named in the log and asked again ever more rarely.
So is a campaign that was removed and that the summary report goes on with.
Constant Contact's API does not report A/B tests of subject lines nor automated emails (birthdays,
series, welcome); the task `campaigns` counts them in its log.

**When it fails**: run it again; each report goes on at its page and nothing is stored twice. A
report that the vendor refuses is named in the log and in `ctct_engagement_stream.failure`; the
others go on.

**Backfill**: by Airflow's own means, such as `airflow backfill create --dag-id
constant_contact_activities --from-date 2026-01-01 --to-date 2026-03-31`, the UI or the REST API,
in either direction and with any number of active runs. Afterwards every event of the range is
stored. All its runs together cost the calls of one reading of the range, and none for what is
stored already; after the first nightly run, which reads the whole history, that is all of it.

**By hand**: *Trigger*, with
- `since`: read back to this time only (the rest of the history stays for a later run),
- `reread`: read all reports whole, whatever is stored; for repairs.
"""

from typing import Any

from airflow.sdk import DAG, Asset, Param

from constant_contact.accounts import Account
from constant_contact.config import at_least_one, dag_defaults, nightly, nightly_deadline
from constant_contact.operators.campaigns import CampaignsOperator
from constant_contact.operators.completeness import CompletenessOperator
from constant_contact.operators.engagement import EngagementOperator
from constant_contact.operators.interactions import InteractionsOperator


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    ledger = Asset(account.asset("ctct_engagement"))

    with DAG(
        dag_id=account.dag_id("activities"),
        description="Engagement with campaigns as interactions in the CRM",
        schedule=nightly("0 2 * * *"),
        deadline=nightly_deadline(),
        tags=[*account.tags, "read"],
        params={
            "since": Param(
                None,
                type=["null", "string"],
                description="Read back to this time only (ISO 8601; UTC if it names no zone).",
            ),
            "reread": Param(False, type="boolean", description="Read all reports whole."),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        # One at a time, also where several runs of a backfill are active: the first asks for all.
        campaigns = CampaignsOperator(
            task_id="campaigns",
            max_active_tis_per_dag=1,
            outlets=[Asset(account.asset("ctct_campaign"))],
        )
        shards = at_least_one("engagement_shards")
        reading: dict[str, Any] = {
            "task_id": "engagement",
            # The runs of a backfill would wait for one another's reports, in places of workers
            # that opt-outs need.
            "max_active_tis_per_dag": shards,
            "since": "{{ params.since }}",
            "reread": "{{ params.reread }}",
            "outlets": [ledger],
        }
        engagement = (
            EngagementOperator(**reading)
            if shards == 1
            else EngagementOperator.partial(**reading, shards=shards).expand(
                shard=list(range(shards))
            )
        )
        interactions = InteractionsOperator(
            task_id="interactions",
            inlets=[ledger, Asset(account.asset("crm_contact"))],
            outlets=[Asset(account.asset("crm_interaction"))],
        )
        completeness = CompletenessOperator(task_id="completeness", campaigns=True, inlets=[ledger])
        campaigns >> engagement >> interactions >> completeness
    return dag
