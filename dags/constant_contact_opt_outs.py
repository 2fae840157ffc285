"""### Constant Contact opt-outs

Carries each change of Do Not Email from the CRM to Constant Contact within seconds: a row in
`crm_opt_out_change` wakes this DAG, and every quarter of an hour it looks by itself.

- The newest change of a contact counts; older ones become `superseded`.
- Set: the contact is unsubscribed, with the reason; as asked by the contact if the CRM says so.
- Cleared: permission goes back to implicit if the opt-out was the account's own. If the contact
  unsubscribed, or asked to, the change is `held`: only the contact can undo that.
- A run that would unsubscribe more than 100 contacts, or 5 % of the linked ones if that is more,
  holds them all (the circuit breaker) and asks a person: a run of `constant_contact_approvals`
  waits under *Required Actions*. What comes after it goes out meanwhile.

Each row's `detail` says what became of it. An unsubscribe made at Constant Contact arrives in the
CRM as an interaction, by the activities DAG.

**When it fails**: nothing is lost, rows stay `pending` until Constant Contact has answered.
`failed` rows say why and are tried again only by a person (page *Opt-outs*).

**By hand**: *Trigger*, with
- `release_held`: also carry what the circuit breaker holds,
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
from constant_contact.config import accounts, dag_defaults
from constant_contact.operators.opt_outs import OptOutsOperator
from constant_contact.sensors.outbox import OutboxSensor
from constant_contact.triggers.crm_rows import CrmRowsTrigger


def opt_outs_dag(account: Account) -> None:
    """One account's DAG."""
    outbox = Asset(
        account.asset("crm_opt_out_change"),
        watchers=[
            AssetWatcher(
                name="crm_opt_out_change",
                trigger=CrmRowsTrigger(account.crm_conn_id, "opt_outs/opt_outs_waiting"),
            )
        ],
    )

    with DAG(
        dag_id=account.dag_id("opt_outs"),
        description="Do Not Email from the CRM to Constant Contact, within seconds",
        schedule=AssetOrTimeSchedule(
            timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[outbox]
        ),
        tags=[*account.tags, "write"],
        params={
            "release_held": Param(
                False, type="boolean", description="Also carry what the circuit breaker holds."
            ),
            "dry_run": Param(False, type="boolean", description="Tell what would be done only."),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ):
        waiting = OutboxSensor(
            task_id="waiting",
            noun="opt_outs",
            release_held="{{ params.release_held }}",
            retry_delay=timedelta(seconds=15),
        )
        opt_outs = OptOutsOperator(
            task_id="opt_outs",
            release_held="{{ params.release_held }}",
            is_dry_run="{{ params.dry_run }}",
            retry_delay=timedelta(seconds=15),
            outlets=[Asset(account.asset("ctct_contact"))],
        )
        ask = TriggerDagRunOperator.partial(
            task_id="ask",
            trigger_dag_id=account.dag_id("approvals"),
            skip_when_already_exists=True,
        ).expand_kwargs(waiting.output)
        waiting >> [opt_outs, ask]


for each in accounts():
    opt_outs_dag(each)
