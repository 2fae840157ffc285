"""What `make run` was asked for, checked before anything is started."""

import argparse
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from local.stop import USAGE, Stop


@dataclass(frozen=True)
class Asked:
    """A DAG, the time it is to run for, and its conf."""

    dag_id: str
    date: date | datetime | None
    conf: dict[str, Any]


def read_arguments(description: str | None) -> Asked:
    """From the command line, or from where the Makefile puts values that no shell may read.

    Raises:
        Stop: no DAG, a DATE that is none, a CONF that is no JSON object.
    """
    parser = argparse.ArgumentParser(
        prog="python -m local.run",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dag", nargs="?", default=os.environ.get("RUN_DAG", ""))
    parser.add_argument("--date", default=os.environ.get("RUN_DATE", ""))
    parser.add_argument("--conf", default=os.environ.get("RUN_CONF", ""))
    given = parser.parse_args()
    if not given.dag:
        raise Stop("which DAG? make run DAG=constant_contact_lists", USAGE)
    return Asked(given.dag, parse_date(given.date), parse_conf(given.conf))


def parse_conf(text: str) -> dict[str, Any]:
    """The run's conf."""
    try:
        conf = json.loads(text or "{}")
    except ValueError as error:
        raise Stop(f"CONF is no JSON: {error}", USAGE) from None
    if not isinstance(conf, dict):
        raise Stop('CONF is no JSON object: write CONF=\'{"name": "value"}\'', USAGE)
    return conf


def parse_date(text: str) -> date | datetime | None:
    """A date, a time (UTC where it names no zone), or None for an empty text."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"DATE={text} is no date: write 2026-01-31 or 2026-01-31T02:00", USAGE) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
