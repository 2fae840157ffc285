"""The task that forgets a person."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.operators.base import person as who
from constant_contact.sync.upkeep.erasure import ErasureReport, erase, erase_calls, person


class ErasureOperator(ConstantContactOperator):
    """Erases a person that Constant Contact may not mail any more; a call or two, to see that.

    Args:
        contact_id: Of the CRM (templated), or
        constant_contact_id: of Constant Contact (templated).
    """

    lane: ClassVar[str] = "opt_outs"
    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "contact_id",
        "constant_contact_id",
    )

    def __init__(self, *, contact_id: Any, constant_contact_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contact_id = contact_id
        self.constant_contact_id = constant_contact_id

    def sync(self, hook: ConstantContactHook, context: Context) -> ErasureReport:
        """Run `person`, `erase` and `erase_calls`."""
        found = person(
            hook.crm,
            contact_id=str(self.contact_id).strip() or None,
            constant_contact_id=str(self.constant_contact_id).strip() or None,
        )
        with hook.client() as client:
            report = erase(client, hook.crm, found, by=who(context))
        # The log of its calls is written when the client goes.
        report.calls = erase_calls(hook.crm)
        return report
