"""The task that keeps the call log from growing."""

from airflow.sdk import Context

from constant_contact import config
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.upkeep.retention import RetentionReport, forget_calls


class RetentionOperator(ConstantContactOperator):
    """Forgets API calls older than the option `call_log_days`; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> RetentionReport:
        """Run `forget_calls`."""
        return forget_calls(hook.crm, days=int(config.number("call_log_days")))
