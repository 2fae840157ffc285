"""What is measured of a task: metrics of Airflow's own, and spans below the task's.

Airflow sends them where its options `[metrics]` and `[traces]` say; where those are off, nothing is
kept and nothing is asked of the database. The names: docs/metrics.md.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

import psycopg
from airflow.sdk.observability import stats
from opentelemetry import metrics

from constant_contact.calls import Call
from constant_contact.errors import ConstantContactError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.hooks.measured import metrics_are_on
from constant_contact.store import database
from constant_contact.store.budget import RESERVED_SHARE, day
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.measures")
_FLUSH_TIMEOUT_MS: Final = 5_000


def task_ended(hook: ConstantContactHook, report: Report | None) -> None:
    """Tell what a task did and how things stand; never fails the task.

    Args:
        hook: The task's: it knows the calls that were made.
        report: What the job tells of itself; None if it failed.
    """
    if not metrics_are_on():
        return
    caller = hook.caller
    tags = {"dag_id": caller.dag_id or "", "task_id": caller.task_id or ""}
    try:
        _calls(hook.calls, tags)
        for name, value in (report.as_dict() if report else {}).items():
            if isinstance(value, int):
                stats.gauge("constant_contact.rows", float(value), tags=tags | {"kind": name})
        with hook.crm.transaction() as connection:
            outboxes(connection)
        if "settings" in hook.__dict__:
            _budget(hook)
    except (ConstantContactError, psycopg.Error) as error:
        _log.warning("not everything was measured: %s", type(error).__name__)
    finally:
        flush()


def outboxes(connection: psycopg.Connection[Any]) -> None:
    """Tell how the outboxes stand."""
    if not metrics_are_on():
        return
    for name, value in (database.row(connection, "crm/backlog") or {}).items():
        noun, _, measure = name.partition("__")
        stats.gauge(f"constant_contact.{noun}.{measure}", float(value))


def flush() -> None:
    """Send what is measured: a task's process ends without the exporter's last turn."""
    send = getattr(metrics.get_meter_provider(), "force_flush", None)
    if send is not None:
        send(_FLUSH_TIMEOUT_MS)


def _calls(calls: Iterable[Call], tags: dict[str, str]) -> None:
    for call in calls:
        outcome = "none" if call.status is None else f"{call.status // 100}xx"
        stats.incr("constant_contact.calls", tags=tags | {"outcome": outcome})
        stats.timing("constant_contact.call.duration", float(call.duration_ms), tags=tags)
        stats.timing("constant_contact.call.waited", float(call.waited_ms), tags=tags)


def _budget(hook: ConstantContactHook) -> None:
    today = day(hook.crm, hook.settings)
    for lane in RESERVED_SHARE:
        stats.gauge("constant_contact.budget.left", today.left(lane), tags={"lane": lane})
