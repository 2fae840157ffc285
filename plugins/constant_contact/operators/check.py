"""The task that checks what the jobs rely on."""

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowTaskTerminated

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.params import flag
from constant_contact.sync.check.run import CheckReport, Writes, run_check


class CheckOperator(ConstantContactOperator):
    """Tries each thing that the jobs rely on; succeeds whatever it finds.

    Args:
        test_contact_id: For the writes: a CRM contact whose address reaches only you (templated).
        write: Whether a person said yes to writes at Constant Contact (templated).
    """

    template_fields: Sequence[str] = (
        *ConstantContactOperator.template_fields,
        "test_contact_id",
        "write",
    )

    def __init__(self, *, test_contact_id: str = "", write: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.test_contact_id = test_contact_id
        self.write = write
        self._goes_on = False

    def sync(self, hook: ConstantContactHook, context: Context) -> CheckReport:
        """Run `run_check`, and tell its lines."""
        writes = Writes(str(self.test_contact_id).strip(), flag("write", self.write))
        self._goes_on = True
        try:
            # Not the hook's own, which wants our schema and its account's tables.
            with closing(hook.open_crm(hook.crm_conn_id)) as crm:
                checked, report = run_check(crm, hook.client, hook.constant_contact_conn_id, writes)
        finally:
            self._goes_on = False
        for line in checked.lines:
            self.log.log(logging.WARNING if line.is_found else logging.INFO, "%s", line)
        return report

    def on_kill(self) -> None:
        """End the check where it is: it takes away what it made at Constant Contact.

        Raises:
            AirflowTaskTerminated: It goes on; once, so that the second signal lets it end.
        """
        if self._goes_on:
            self._goes_on = False
            raise AirflowTaskTerminated("the task was ended from outside")
