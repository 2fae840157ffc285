"""The task that mirrors lists."""

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.lists import ListsReport, sync_lists


class ListsOperator(ConstantContactOperator):
    """Mirrors every list with its membership count."""

    def sync(self, hook: ConstantContactHook, context: Context) -> ListsReport:
        """Run `sync_lists`."""
        with hook.client() as client:
            return sync_lists(client, hook.crm)
