"""The task that reads engagement into the ledger."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from constant_contact import config
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.params import flag, moment
from constant_contact.sync.engagement import EngagementReport, sync_engagement


class EngagementOperator(ConstantContactOperator):
    """Reads the tracker reports that have something new.

    Args:
        since: How far back to read; empty: to the beginning (templated).
        reread: Read all reports whole, whatever is stored (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "since", "reread")

    def __init__(self, *, since: Any = None, reread: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.since = since
        self.reread = reread

    def sync(self, hook: ConstantContactHook, context: Context) -> EngagementReport:
        """Run `sync_engagement`."""
        since, reread = moment("since", self.since), flag("reread", self.reread)
        with hook.client() as client:
            return sync_engagement(
                client,
                hook.crm,
                since=since,
                reread=reread,
                active_days=int(config.number("active_days")),
                concurrency=int(config.number("streams_at_once")),
            )
