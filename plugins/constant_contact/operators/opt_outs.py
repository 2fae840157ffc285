"""The task that carries opt-outs to Constant Contact."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.utils.types import DagRunType

from constant_contact import config
from constant_contact.errors import ChangesRefused
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DRY_RUN, ConstantContactOperator
from constant_contact.params import flag
from constant_contact.store.budget import day
from constant_contact.sync.consent.opt_outs import OptOutsReport, push_opt_outs


class OptOutsOperator(ConstantContactOperator):
    """Carries the waiting changes of Do Not Email.

    Args:
        is_dry_run: Ask Constant Contact and tell what would be done; change nothing (templated).
    """

    lane: ClassVar[str] = "opt_outs"
    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "is_dry_run",
    )

    def __init__(self, *, is_dry_run: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_dry_run = is_dry_run

    def sync(self, hook: ConstantContactHook, context: Context) -> OptOutsReport:
        """Run `push_opt_outs`."""
        dry_run = flag("dry_run", self.is_dry_run)
        with hook.client() as client:
            report = push_opt_outs(
                client,
                hook.crm,
                whole=str(context["dag_run"].run_type) != DagRunType.ASSET_TRIGGERED.value,
                dry_run=dry_run,
                breaker_contacts=int(config.number("breaker_contacts")),
                breaker_share=config.number("breaker_share"),
                may_carry_backlog=lambda: day(hook.budget_crm, hook.settings).left_of_backlog > 0,
            )
        if dry_run:
            self.log.info(DRY_RUN)
        if report.failed:
            self.log.info("%s: %s", self.task_id, report)
            raise ChangesRefused(
                f"Constant Contact refused {report.failed} changes: crm_opt_out_change says why, "
                "where status is failed; correct the contact and set or clear the flag again"
            )
        return report
