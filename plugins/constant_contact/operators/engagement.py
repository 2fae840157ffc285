"""The task that reads engagement into the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Context

from constant_contact import config
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator, is_backfill
from constant_contact.params import flag, moment
from constant_contact.sync.engagement.ledger import EngagementReport, sync_engagement


class EngagementOperator(ConstantContactOperator):
    """Reads the tracker reports that have something new.

    Args:
        since: How far back to read; empty: to the beginning, in a backfill run to the beginning of
            its data interval (templated).
        reread: Read all reports whole, whatever is stored (templated).
        shard: Which part of the reports, from 0.
        shards: Of how many parts.
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "since", "reread")

    def __init__(
        self, *, since: Any = None, reread: Any = False, shard: int = 0, shards: int = 1,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.since = since
        self.reread = reread
        self.shard = shard
        self.shards = shards

    def sync(self, hook: ConstantContactHook, context: Context) -> EngagementReport:
        """Run `sync_engagement`."""
        since, reread = self._since(context), flag("reread", self.reread)
        with hook.client() as client:
            return sync_engagement(
                client,
                hook.crm,
                since=since,
                reread=reread,
                active_days=int(config.number("active_days")),
                overlap=timedelta(hours=config.number("late_events_hours")),
                concurrency=config.at_least_one("streams_at_once"),
                shard=self.shard,
                shards=self.shards,
            )

    def _since(self, context: Context) -> datetime | None:
        since = moment("since", self.since)
        return context.get("data_interval_start") if is_backfill(context) and not since else since
