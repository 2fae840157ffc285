"""The task that mirrors contacts."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.params import flag, moment
from constant_contact.sync.contacts.mirror import ContactsReport, sync_contacts


class ContactsOperator(ConstantContactOperator):
    """Mirrors the contacts that changed or opted out.

    Args:
        full: Read all contacts (templated).
        since: Read what changed after this time, too (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "full", "since")

    def __init__(self, *, full: Any = False, since: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.full = full
        self.since = since

    def sync(self, hook: ConstantContactHook, context: Context) -> ContactsReport:
        """Run `sync_contacts`."""
        full, since = flag("full", self.full), moment("since", self.since)
        with hook.client() as client:
            return sync_contacts(client, hook.crm, full=full, since=since)
