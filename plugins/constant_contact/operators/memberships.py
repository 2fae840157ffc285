"""The task that carries list memberships to Constant Contact."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from airflow.sdk import Context

from constant_contact import config
from constant_contact.errors import ChangesRefused
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DRY_RUN, ConstantContactOperator
from constant_contact.params import flag
from constant_contact.sync.memberships.push import (
    MembershipsReport,
    failed_since,
    push_memberships,
)


class MembershipsOperator(ConstantContactOperator):
    """Carries the pending requests; while Constant Contact works on them it holds no slot.

    Args:
        is_dry_run: Ask Constant Contact and tell what would be done; change nothing (templated).
    """

    lane: ClassVar[str] = "memberships"
    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "is_dry_run",
    )

    def __init__(self, *, is_dry_run: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_dry_run = is_dry_run

    def sync(self, hook: ConstantContactHook, context: Context) -> MembershipsReport:
        """Run `push_memberships`."""
        began = datetime.now(UTC)
        dry_run = flag("dry_run", self.is_dry_run)
        with hook.client() as client:
            report = push_memberships(
                client,
                hook.crm,
                dry_run=dry_run,
                breaker_contacts=int(config.number("breaker_contacts")),
                breaker_share=config.number("breaker_share"),
            )
        if dry_run:
            self.log.info(DRY_RUN)
            return report
        if failed := failed_since(hook.crm, context["dag_run"].start_date or began):
            self.log.info("%s: %s", self.task_id, report)
            raise ChangesRefused(
                f"{failed} list memberships failed: crm_list_membership says why, where "
                "status is failed; set them to pending to try again"
            )
        return report
