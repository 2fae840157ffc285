"""The task that carries opt-outs to Constant Contact."""

from typing import ClassVar

from airflow.sdk import Context
from airflow.utils.types import DagRunType

from constant_contact import config
from constant_contact.errors import ChangesRefused
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DryRunOperator
from constant_contact.store.budget import day
from constant_contact.sync.consent.opt_outs import OptOutsReport, push_opt_outs


class OptOutsOperator(DryRunOperator):
    """Carries the waiting changes of Do Not Email."""

    lane: ClassVar[str] = "opt_outs"

    def sync(self, hook: ConstantContactHook, context: Context) -> OptOutsReport:
        """Run `push_opt_outs`."""
        with hook.client() as client:
            report = push_opt_outs(
                client,
                hook.crm,
                whole=str(context["dag_run"].run_type) != DagRunType.ASSET_TRIGGERED.value,
                dry_run=self.begin_dry_run(),
                breaker_contacts=int(config.number("breaker_contacts")),
                breaker_share=config.number("breaker_share"),
                may_carry_backlog=lambda: day(hook.budget_crm, hook.settings).left_of_backlog > 0,
            )
        if report.failed:
            self.log.info("%s: %s", self.task_id, report)
            raise ChangesRefused(
                f"Constant Contact refused {report.failed} changes: crm_opt_out_change says why, "
                "where status is failed; correct the contact and set or clear the flag again"
            )
        return report
