"""The task that carries list memberships to Constant Contact."""

from datetime import UTC, datetime
from typing import ClassVar

from airflow.sdk import Context

from constant_contact import config
from constant_contact.errors import ChangesRefused
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DryRunOperator
from constant_contact.sync.memberships.push import (
    MembershipsReport,
    failed_since,
    push_memberships,
)


class MembershipsOperator(DryRunOperator):
    """Carries the pending requests; while Constant Contact works on them it holds no slot."""

    lane: ClassVar[str] = "memberships"

    def sync(self, hook: ConstantContactHook, context: Context) -> MembershipsReport:
        """Run `push_memberships`."""
        began = datetime.now(UTC)
        dry_run = self.begin_dry_run()
        with hook.client() as client:
            report = push_memberships(
                client,
                hook.crm,
                dry_run=dry_run,
                breaker_contacts=int(config.number("breaker_contacts")),
                breaker_share=config.number("breaker_share"),
            )
        if dry_run:
            return report
        if failed := failed_since(hook.crm, context["dag_run"].start_date or began):
            self.log.info("%s: %s", self.task_id, report)
            raise ChangesRefused(
                f"{failed} list memberships failed: crm_list_membership says why, where "
                "status is failed; set them to pending to try again"
            )
        return report
