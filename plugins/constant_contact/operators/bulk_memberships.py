"""The task that requests a membership for many CRM contacts at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import DRY_RUN, ConstantContactOperator
from constant_contact.params import flag, one_of, row_number
from constant_contact.sync.memberships.bulk_memberships import (
    BulkMembershipsReport,
    Chosen,
    request_memberships,
)
from constant_contact.sync.memberships.choices import foretell, request_choice


class BulkMembershipsOperator(ConstantContactOperator):
    """Writes requests into `crm_list_membership`; calls no API.

    Args:
        list_id: Of a list of Constant Contact (templated, as all of these).
        action: add or remove.
        contact_ids: CRM contacts; or
        selection: the name of a selection.
        choice_id: Or all of that as the wizard kept it: a row of `ctct_choice`.
        is_dry_run: Tell what would become of them and write nothing.
    """

    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "list_id",
        "action",
        "contact_ids",
        "selection",
        "choice_id",
        "is_dry_run",
    )

    def __init__(
        self,
        *,
        list_id: str,
        action: str = "add",
        contact_ids: Any = (),
        selection: str = "",
        choice_id: Any = None,
        is_dry_run: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_id = list_id
        self.action = action
        self.contact_ids = contact_ids
        self.selection = selection
        self.choice_id = choice_id
        self.is_dry_run = is_dry_run

    def sync(self, hook: ConstantContactHook, context: Context) -> BulkMembershipsReport:
        """Run `request_memberships`, or for a choice `request_choice` or `foretell`."""
        report = self._requested(hook, context["dag_run"].run_after)
        for reason, contacts in report.refused.items():
            self.log.info("%d contacts: %s", contacts, reason)
        if flag("dry_run", self.is_dry_run):
            self.log.info(DRY_RUN)
        return report

    def _requested(self, hook: ConstantContactHook, asked_at: datetime) -> BulkMembershipsReport:
        if self.choice_id is not None:
            choice_id = row_number("choice_id", self.choice_id, "ctct_choice")
            act = foretell if flag("dry_run", self.is_dry_run) else request_choice
            return act(hook.crm, choice_id)
        return request_memberships(
            hook.crm,
            self.list_id,
            Chosen(
                [str(each) for each in self.contact_ids or ()],
                str(self.selection or ""),
            ),
            action=one_of("action", self.action, ("add", "remove")),
            dry_run=flag("dry_run", self.is_dry_run),
            asked_at=asked_at,
        )
