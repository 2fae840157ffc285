"""The task that requests a membership for many CRM contacts at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DryRunOperator
from constant_contact.params import one_of, row_number
from constant_contact.sync.memberships.bulk_memberships import (
    BulkMembershipsReport,
    Chosen,
    request_memberships,
)
from constant_contact.sync.memberships.choices import foretell, request_choice


class BulkMembershipsOperator(DryRunOperator):
    """Writes requests into `crm_list_membership`; calls no API.

    Args:
        list_id: Of a list of Constant Contact (templated, as all of these).
        action: add or remove.
        contact_ids: CRM contacts; or
        selection: the name of a selection.
        choice_id: Or all of that as the wizard kept it: a row of `ctct_choice`.
    """

    template_fields: Sequence[str] = (
        *DryRunOperator.template_fields,
        "list_id",
        "action",
        "contact_ids",
        "selection",
        "choice_id",
    )

    def __init__(
        self,
        *,
        list_id: str,
        action: str = "add",
        contact_ids: Any = (),
        selection: str = "",
        choice_id: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_id = list_id
        self.action = action
        self.contact_ids = contact_ids
        self.selection = selection
        self.choice_id = choice_id

    def sync(self, hook: ConstantContactHook, context: Context) -> BulkMembershipsReport:
        """Run `request_memberships`, or for a choice `request_choice` or `foretell`."""
        report = self._requested(hook, context["dag_run"].run_after)
        for reason, contacts in report.refused.items():
            self.log.info("%d contacts: %s", contacts, reason)
        return report

    def _requested(self, hook: ConstantContactHook, asked_at: datetime) -> BulkMembershipsReport:
        is_dry_run = self.begin_dry_run()
        if self.choice_id is not None:
            choice_id = row_number("choice_id", self.choice_id, "ctct_choice")
            act = foretell if is_dry_run else request_choice
            return act(hook.crm, choice_id)
        return request_memberships(
            hook.crm,
            self.list_id,
            Chosen(
                [str(each) for each in self.contact_ids or ()],
                str(self.selection or ""),
            ),
            action=one_of("action", self.action, ("add", "remove")),
            dry_run=is_dry_run,
            asked_at=asked_at,
        )
