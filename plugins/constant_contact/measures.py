"""What is measured of a task: metrics of Airflow's own, and spans below the task's.

Airflow sends them where its options `[metrics]` and `[traces]` say; where those are off, nothing is
kept and nothing is asked of the database. The names: docs/metrics.md.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from airflow.sdk.observability.stats import Stats
from opentelemetry import metrics

from constant_contact.accounts import Account
from constant_contact.calls import Call
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.hooks.measured import metrics_are_on
from constant_contact.store.budget import RESERVED_SHARE, day
from constant_contact.store.database import Database
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.measures")
_FLUSH_TIMEOUT_MS: Final = 5_000


def task_ended(hook: ConstantContactHook, report: Report | None) -> None:
    """Tell what a task did and how things stand; never fails the task. No report: it failed."""
    account, caller = Account.of_crm(hook.crm_conn_id), hook.caller
    tags = {"dag_id": caller.dag_id or "", "task_id": caller.task_id or ""}
    _measured(
        lambda: _calls(hook.calls, tags | {"account": account.name}),
        lambda: _rows(report, account, tags),
        lambda: _counts(hook.crm, account, "opt_outs/backlog"),
        lambda: _counts(hook.crm, account, "completeness/count_findings", "completeness."),
        lambda: _budget(hook, account),
    )


def outboxes(crm: Database, crm_conn_id: str) -> None:
    """Tell how the outboxes stand; never fails the task."""
    _measured(lambda: _counts(crm, Account.of_crm(crm_conn_id), "opt_outs/backlog"))


def _measured(*measures: Callable[[], None]) -> None:
    """Measure, if anybody listens; what cannot be measured stops neither the task nor the rest."""
    for step in (*measures, _flush):
        try:
            if metrics_are_on():
                step()
        except Exception as error:  # noqa: BLE001 - opt-outs go on, whatever it is
            # Without its text: it may quote a row.
            _log.warning("not everything was measured: %s", type(error).__name__)


def _flush() -> None:
    """Send what is measured: a task's process ends without the exporter's last turn."""
    send = getattr(metrics.get_meter_provider(), "force_flush", None)
    if send is not None:
        send(_FLUSH_TIMEOUT_MS)


def _gauge(account: Account, name: str, value: float, tags: Mapping[str, str]) -> None:
    Stats.gauge(account.gauge(name), value, tags={**tags, "account": account.name})


def _calls(calls: Iterable[Call], tags: dict[str, str]) -> None:
    for call in calls:
        outcome = "none" if call.status is None else f"{call.status // 100}xx"
        Stats.incr("constant_contact.calls", tags=tags | {"outcome": outcome})
        Stats.timing("constant_contact.call.duration", float(call.duration_ms), tags=tags)
        Stats.timing("constant_contact.call.waited", float(call.waited_ms), tags=tags)


def _rows(report: Report | None, account: Account, tags: dict[str, str]) -> None:
    for name, value in (report.as_dict() if report else {}).items():
        if isinstance(value, int):
            _gauge(account, "rows", float(value), tags | {"kind": name})


def _counts(crm: Database, account: Account, statement: str, prefix: str = "") -> None:
    counts = crm.row(statement) or {}
    for name, value in counts.items():
        _gauge(account, prefix + name.replace("__", ".", 1), float(value), {})


def _budget(hook: ConstantContactHook, account: Account) -> None:
    if "settings" not in hook.__dict__:
        return
    today = day(hook.budget_crm, hook.settings)
    for lane in RESERVED_SHARE:
        _gauge(account, "budget.left", today.left(lane), {"lane": lane})
