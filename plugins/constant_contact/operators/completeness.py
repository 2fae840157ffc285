"""The task that holds what is stored against what Constant Contact counts."""

from typing import Any

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.upkeep.completeness import compare_campaigns, compare_contacts
from constant_contact.sync.upkeep.findings import FindingsReport


class CompletenessOperator(ConstantContactOperator):
    """Finds what is missing, names it, and keeps it in `ctct_finding` until it is there.

    Args:
        campaigns: Compare the ledger with the summary report; calls no API.
        contacts: Compare the mirror of contacts and lists; one call.
    """

    def __init__(self, *, campaigns: bool = False, contacts: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaigns = campaigns
        self.contacts = contacts

    def sync(self, hook: ConstantContactHook, context: Context) -> FindingsReport:
        """Run `compare_contacts` and `compare_campaigns`."""
        report = FindingsReport()
        if self.contacts:
            with hook.client() as client:
                compare_contacts(client, hook.crm, report)
        if self.campaigns:
            compare_campaigns(hook.crm, report)
        return report
