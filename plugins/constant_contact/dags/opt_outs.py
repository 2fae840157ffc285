"""### Constant Contact opt-outs

Carries each change of Do Not Email from the CRM to Constant Contact within seconds: a row in
`crm_opt_out_change` wakes this DAG. Every quarter of an hour it compares all contacts of the CRM
with what was seen of them before, and the objections with Constant Contact: a contact that objects
and may still be mailed is unsubscribed, with a row of the outbox or without.

- The CRM's flag as it is now counts; changes that it takes back become `superseded`. What a contact
  asked for itself is never taken back so.
- Set: the contact is unsubscribed, with the reason; as asked by the contact if the CRM says so.
- Cleared: permission goes back to implicit if the opt-out was ours and no objection stands. Else
  the change is `held` for a person; what the contact did or asked, only the contact can undo.
- If more than 100 contacts, or 5 % of the linked ones if that is more, would be unsubscribed within
  a day, all that wait are held (the circuit breaker), and so are more than 50 that would be mailed
  again. A person is asked: a run of `constant_contact_approvals` waits under *Required Actions*.
  What comes after it goes out meanwhile. What contacts asked for themselves is weighed apart, and
  goes out after 72 hours unless a person rejects it.
- So are contacts held that are absent from the CRM in such numbers (a broken view), and more than
  50 links that would be cleared.

Each row's `detail` says what became of it; the page *Why?* shows the objections of a contact. An
unsubscribe made at Constant Contact arrives in the CRM as an interaction, by the activities DAG.

**When it fails**: nothing is lost, rows stay `pending` until Constant Contact has answered.
`failed` rows say why; they are tried again a day later and then ever more rarely, or when a
person wants it (page *Opt-outs*). What a firewall or proxy on the way refuses goes out without its
reason; if that is refused too, the row says so and waits, and the others go on.

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
from constant_contact.operators.opt_outs import OptOutsOperator
from constant_contact.sensors.outbox import OutboxSensor
from constant_contact.triggers.crm_rows import CrmRowsTrigger


def make_dag(account: Account) -> DAG:
    """Make one account's DAG."""
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
            "dry_run": Param(False, type="boolean", description="Tell what would be done only."),
        },
        doc_md=account.runbook(__doc__),
        **dag_defaults(account),
    ) as dag:
        waiting = OutboxSensor(
            task_id="waiting",
            noun="opt_outs",
            is_dry_run="{{ params.dry_run }}",
            retry_delay=timedelta(seconds=15),
        )
        OptOutsOperator(
            task_id="opt_outs",
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
        waiting >> ask
    return dag
