"""### Constant Contact list memberships

Puts CRM contacts on lists of Constant Contact and takes them off: a row in `crm_list_membership`
wakes this DAG, it follows the nightly linking, and every quarter of an hour it looks by itself.

- Who exists at Constant Contact is linked and keeps its name; 500 contacts share a call. New ones
  are created with address, first and last name, nothing else, and linked in the same run.
- A contact with any objection is put on no list. New contacts with one are created as
  unsubscribed, and not at all after an erasure. A deleted contact is not brought back.
- A run that would take more than 100 contacts off lists, or 5 % of the linked ones if that is more,
  holds the removals (the circuit breaker).

Each row's `detail` says what became of it: `done`, `rejected` (cannot be met), `held`, or `failed`
(tried several times). While Constant Contact works on a large job the task is *up for reschedule*
and holds no worker.

**When it fails**: nothing is lost and nothing is sent twice; rows stay `pending` until Constant
Contact has answered. What it refused, and what `failed`, is tried again a day later and then ever
more rarely; set a row to `pending` to try it now.

What the circuit breaker holds goes on when a person has answered under *Required Actions*.

**By hand**: *Trigger*, with
- `dry_run`: ask Constant Contact and tell what would be done; nothing is changed on either side.
"""

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    Param,
)

from constant_contact.accounts import Account
from constant_contact.config import dag_defaults
from constant_contact.operators.memberships import MembershipsOperator
from constant_contact.sensors.outbox import OutboxSensor
from constant_contact.triggers.crm_rows import CrmRowsTrigger


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
    outbox = Asset(
        account.asset("crm_list_membership"),
        watchers=[
            AssetWatcher(
                name="crm_list_membership",
                trigger=CrmRowsTrigger(account.crm_conn_id, "memberships/memberships_waiting"),
            )
        ],
    )
    linked = Asset(account.asset("crm_contact"))

    with DAG(
        dag_id=account.dag_id("list_memberships"),
        description="List memberships from the CRM to Constant Contact",
        schedule=AssetOrTimeSchedule(
            timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=outbox | linked
        ),
        tags=[*account.tags, "write"],
        params={
            "dry_run": Param(False, type="boolean", description="Tell what would be done only."),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        waiting = OutboxSensor(
            task_id="waiting",
            noun="memberships",
            is_dry_run="{{ params.dry_run }}",
            retry_delay=timedelta(seconds=15),
        )
        memberships = MembershipsOperator(
            task_id="memberships",
            is_dry_run="{{ params.dry_run }}",
            retry_delay=timedelta(seconds=15),
            inlets=[outbox],
            outlets=[Asset(account.asset("ctct_contact"))],
        )
        ask = TriggerDagRunOperator.partial(
            task_id="ask",
            trigger_dag_id=account.dag_id("approvals"),
            skip_when_already_exists=True,
        ).expand_kwargs(waiting.output)
        waiting >> [memberships, ask]
    return dag
