"""The task that learns which campaigns moved."""

from airflow.sdk import Context

from constant_contact import config
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.campaigns import CampaignsReport, sync_campaigns
from constant_contact.sync.coverage import is_covered


class CampaignsOperator(ConstantContactOperator):
    """Mirrors campaigns, their activities and their counts.

    A scheduled or backfill run whose data interval was covered by a later run calls nothing.
    """

    def sync(self, hook: ConstantContactHook, context: Context) -> CampaignsReport:
        """Run `sync_campaigns`."""
        interval_end = context.get("data_interval_end")
        run_type = str(getattr(context["dag_run"], "run_type", "")).rpartition(".")[2].lower()
        by_interval = run_type in {"scheduled", "backfill"} or run_type.startswith("backfill")
        if by_interval and interval_end is not None and is_covered(hook.crm, interval_end):
            self.log.info("everything before %s is stored already: no call is needed", interval_end)
            return CampaignsReport()
        with hook.client() as client:
            return sync_campaigns(client, hook.crm, active_days=int(config.number("active_days")))
