"""The task that shows engagement in the CRM."""

from airflow.sdk import Context

from constant_contact import config
from constant_contact.api.vendor import TRACKER_BY_TYPE
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.engagement.interactions import InteractionsReport, project_interactions


class InteractionsOperator(ConstantContactOperator):
    """Makes the CRM's interactions from the ledger; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> InteractionsReport:
        """Run `project_interactions`."""
        shown = config.words("interaction_types", TRACKER_BY_TYPE)
        return project_interactions(hook.crm, activity_types=shown)
