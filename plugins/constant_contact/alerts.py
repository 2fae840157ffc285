"""What the triggerer calls when a nightly run takes longer than it may."""

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

_log = logging.getLogger("constant_contact.alerts")


async def late(context: Mapping[str, Any], callback: str = "") -> None:
    """Log which run is late, and call the option's callback.

    Runs of a backfill, which wait for each other, and runs by hand, which a person looks at, are
    never late. Nor is a run that has ended: Airflow keeps the deadline of one that failed, and that
    was reported.

    Args:
        context: By Airflow: `dag_run` and `deadline`, as plain values.
        callback: Dotted path of an async callable that takes `context`.
    """
    run = context["dag_run"]
    if run["run_type"] != "scheduled" or run["state"] in ("success", "failed"):
        return
    _log.error(
        "%s, run %s: is %s and should have ended by %s",
        run["dag_id"],
        run["dag_run_id"],
        run["state"],
        context["deadline"]["deadline_time"],
    )
    if callback:
        module, _, name = callback.rpartition(".")
        await getattr(import_module(module), name)(context=context)
