"""The task that does what a person decided about a held opt-in."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context

from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator, person
from constant_contact.params import row_number
from constant_contact.sync.consent.opt_ins import OptInsReport, ask_confirmation, dismiss

CONFIRM, DISMISS = "ask for confirmation", "dismiss"


class OptInsOperator(ConstantContactOperator):
    """Has the vendor ask the contact, or dismisses the wish.

    Args:
        change_id: A held row of `crm_opt_out_change` that clears the flag (templated).
        action: `CONFIRM` or `DISMISS` (templated).
        list_ids: To be joined on confirmation: ids, with commas between (templated).
    """

    lane: ClassVar[str] = "opt_outs"
    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "change_id",
        "action",
        "list_ids",
    )

    def __init__(self, *, change_id: Any, action: Any, list_ids: Any = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change_id = change_id
        self.action = action
        self.list_ids = list_ids

    def sync(self, hook: ConstantContactHook, context: Context) -> OptInsReport:
        """Run `ask_confirmation` or `dismiss`."""
        change_id = row_number("change_id", self.change_id, "crm_opt_out_change")
        by = person(context)
        if self.action == DISMISS:
            return dismiss(hook.crm, change_id=change_id, by=by)
        if self.action != CONFIRM:
            raise SettingError("param action", f"is neither {CONFIRM!r} nor {DISMISS!r}")
        list_ids = [each.strip() for each in str(self.list_ids).split(",") if each.strip()]
        with hook.client() as client:
            return ask_confirmation(client, hook.crm, change_id=change_id, list_ids=list_ids, by=by)
