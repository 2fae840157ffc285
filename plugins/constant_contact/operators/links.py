"""The task that links CRM contacts."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DRY_RUN, ConstantContactOperator
from constant_contact.params import flag
from constant_contact.sync.contacts.links import LinksReport, link_contacts


class LinksOperator(ConstantContactOperator):
    """Links CRM contacts to the mirror's by address; calls no API.

    Args:
        is_dry_run: Tell what would be linked and change nothing (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "is_dry_run")

    def __init__(self, *, is_dry_run: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_dry_run = is_dry_run

    def sync(self, hook: ConstantContactHook, context: Context) -> LinksReport:
        """Run `link_contacts`."""
        dry_run = flag("dry_run", self.is_dry_run)
        report = link_contacts(hook.crm, dry_run=dry_run)
        if dry_run:
            self.log.info(DRY_RUN)
        return report
