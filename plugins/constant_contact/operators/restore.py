"""The tasks after a CRM was restored from a backup."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator, person
from constant_contact.params import moment
from constant_contact.sync.restore import FlagsReport, SettleReport, flag_lost_opt_outs, settle


class SettleOperator(ConstantContactOperator):
    """Carries nothing that was asked for before the backup; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> SettleReport:
        """Run `settle`."""
        return settle(hook.crm, by=person(context))


class FlagsOperator(ConstantContactOperator):
    """Sets Do Not Email again where it was lost; calls no API.

    Args:
        restored_to: The moment of the backup (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "restored_to")

    def __init__(self, *, restored_to: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.restored_to = restored_to

    def sync(self, hook: ConstantContactHook, context: Context) -> FlagsReport:
        """Run `flag_lost_opt_outs`."""
        restored_to = moment("restored_to", self.restored_to)
        if restored_to is None:
            raise SettingError("param restored_to", "is empty; give the moment of the backup")
        return flag_lost_opt_outs(hook.crm, restored_to=restored_to)
