"""The task that learns which campaigns moved."""

from airflow.sdk import Context

from constant_contact import config
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator, runs_for_its_interval
from constant_contact.sync.engagement.campaigns import CampaignsReport, sync_campaigns
from constant_contact.sync.engagement.discovery import is_discovered


class CampaignsOperator(ConstantContactOperator):
    """Mirrors campaigns, their activities and their counts.

    A scheduled or backfill run whose data interval ended before the last discovery calls nothing.
    """

    def sync(self, hook: ConstantContactHook, context: Context) -> CampaignsReport:
        """Run `sync_campaigns`."""
        ends = context.get("data_interval_end")
        if runs_for_its_interval(context) and ends is not None and is_discovered(hook.crm, ends):
            self.log.info("what moved before %s is known already: no call is needed", ends)
            return CampaignsReport()
        with hook.client() as client:
            return sync_campaigns(client, hook.crm, active_days=int(config.number("active_days")))
