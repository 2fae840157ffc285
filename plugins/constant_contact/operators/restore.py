"""The tasks after a CRM was restored from a backup."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import Context

from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator, person
from constant_contact.params import moment
from constant_contact.sync.upkeep.restore import (
    FlagsReport,
    SettleReport,
    flag_lost_opt_outs,
    settle,
)


class _AfterRestoreOperator(ConstantContactOperator):
    """What has to know the moment of the backup.

    Args:
        restored_to: That moment (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "restored_to")

    def __init__(self, *, restored_to: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.restored_to = restored_to

    def backup_at(self) -> datetime:
        """What was given.

        Raises:
            SettingError: It is empty, or no ISO-8601 time.
        """
        given = moment("restored_to", self.restored_to)
        if given is None:
            raise SettingError("param restored_to", "is empty; give the moment of the backup")
        return given


class SettleOperator(_AfterRestoreOperator):
    """Carries nothing that was asked for before the backup; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> SettleReport:
        """Run `settle`."""
        # Does not need it; but a run without it was not meant, and what is settled stays so.
        self.backup_at()
        return settle(hook.crm, by=person(context))


class FlagsOperator(_AfterRestoreOperator):
    """Sets Do Not Email again where it was lost; calls no API."""

    def sync(self, hook: ConstantContactHook, context: Context) -> FlagsReport:
        """Run `flag_lost_opt_outs`."""
        return flag_lost_opt_outs(hook.crm, restored_to=self.backup_at())
