"""Looks whether rows wait in an outbox of the CRM."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseSensorOperator, Context

from constant_contact.hooks.crm import DEFAULT_CRM_CONN_ID, crm_database
from constant_contact.params import flag
from constant_contact.store import database


class OutboxSensor(BaseSensorOperator):
    """Passes if there is something to carry, else skips what follows: it looks once.

    Args:
        statement: Below include/sql; gives one row that counts the outbox's rows by their status,
            and maybe what is `in_flight` without them.
        crm_conn_id: The CRM database.
        release_held: What the circuit breaker holds counts too (templated).
    """

    template_fields: Sequence[str] = ("crm_conn_id", "release_held")

    def __init__(
        self,
        *,
        statement: str,
        crm_conn_id: str = DEFAULT_CRM_CONN_ID,
        release_held: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=0, soft_fail=True, **kwargs)
        self.statement = statement
        self.crm_conn_id = crm_conn_id
        self.release_held = release_held

    def poke(self, context: Context) -> bool:
        """Whether a row waits."""
        crm = crm_database(self.crm_conn_id)
        try:
            with crm.transaction() as connection:
                outbox = database.row(connection, self.statement) or {}
        finally:
            crm.close()
        self.log.info("%s: %s", self.statement, ", ".join(f"{n} {s}" for s, n in outbox.items()))
        is_released = flag("release_held", self.release_held) and outbox["held"] > 0
        return bool(outbox["pending"] or outbox.get("in_flight") or is_released)
