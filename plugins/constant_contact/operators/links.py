"""The task that links CRM contacts."""

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DryRunOperator
from constant_contact.sync.contacts.links import LinksReport, link_contacts


class LinksOperator(DryRunOperator):
    """Links CRM contacts to the mirror's by address; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> LinksReport:
        """Run `link_contacts`."""
        return link_contacts(hook.crm, dry_run=self.begin_dry_run())
