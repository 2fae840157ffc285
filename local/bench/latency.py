"""How long an opt-out takes from the CRM's commit to the API's answer, with `make up` running."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles

import psycopg

from local.bench.result import Result
from local.bench.stage import Stage
from local.paths import LOGS
from local.processes import last_lines, spawn, stop_group
from local.stop import Stop

_CHANGES = 30
# longer than a run of the DAG takes, and shorter: some meet one that is under way
_GAP_S = (1.0, 12.0)
_MOST_MEDIAN_S, _MOST_95TH_S = 5.0, 10.0
_READY_WITHIN_S, _LINKED_WITHIN_S, _CARRIED_WITHIN_S = 240, 300, 120
_CHOSEN = """
SELECT crm.contact_id
FROM crm_contact AS crm
INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE
    NOT crm.do_not_email AND mirrored.deleted_at IS NULL
    AND mirrored.permission_to_send <> 'unsubscribed'
LIMIT %s
"""
_LATENCIES = """
SELECT extract(EPOCH FROM processed_at - changed_at)::float
FROM crm_opt_out_change
WHERE contact_id = any(%s) AND status = 'done' AND changed_at >= %s
"""


def run(stage: Stage) -> list[Result]:
    """The local CRM's flags stay set."""
    result = Result(
        "latency",
        f"{_CHANGES} opt-outs, {_GAP_S[0]:.0f} to {_GAP_S[1]:.0f} s apart, with `make up`: from "
        "the commit in the CRM to the API's answer",
        ("changes", "fastest s", "median s", "95th percentile s", "slowest s"),
    )
    with _airflow(), psycopg.connect(stage.local_crm_url, autocommit=True) as crm:
        stage.say("latency: Airflow is up; waiting for the first links")
        contacts = _linked(crm)
        began = crm.execute("SELECT clock_timestamp()").fetchone()
        dice = random.Random(20261122)  # noqa: S311 - the same gaps every time
        for number, contact in enumerate(contacts, 1):
            crm.execute(
                "UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = %s", [contact]
            )
            stage.say(f"latency: change {number} of {len(contacts)}")
            time.sleep(dice.uniform(*_GAP_S))
        taken = _carried(crm, contacts, began)
    middle, slow = median(taken), quantiles(taken, n=20)[-1]
    result.rows.append((len(taken), min(taken), middle, slow, max(taken)))
    result.at_most("median", middle, _MOST_MEDIAN_S, " s")
    result.at_most("95th percentile", slow, _MOST_95TH_S, " s")
    result.notes.append("Both times are the database's clock: of the change and of its outcome.")
    return [result]


@contextmanager
def _airflow() -> Iterator[None]:
    """`make up`, on a port of its own."""
    log = LOGS / "bench-up.log"
    log.unlink(missing_ok=True)
    child = spawn([sys.executable, "-m", "local.up"], log)
    try:
        deadline = time.monotonic() + _READY_WITHIN_S
        while "ready:" not in log.read_text(errors="replace"):
            if child.poll() is not None or time.monotonic() > deadline:
                raise Stop(f"`make up` did not get ready; {log} ends with:\n{last_lines(log)}")
            time.sleep(0.5)
        yield
    finally:
        stop_group(child.pid, grace_s=30)


def _linked(crm: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    deadline = time.monotonic() + _LINKED_WITHIN_S
    while time.monotonic() < deadline:
        found = crm.execute(_CHOSEN, [_CHANGES]).fetchall()
        if len(found) == _CHANGES:
            return [contact for (contact,) in found]
        time.sleep(1)
    raise Stop(f"fewer than {_CHANGES} contacts were linked: did constant_contact_contacts run?")


def _carried(
    crm: psycopg.Connection[tuple[object, ...]],
    contacts: list[object],
    began: tuple[object, ...] | None,
) -> list[float]:
    deadline = time.monotonic() + _CARRIED_WITHIN_S
    while time.monotonic() < deadline:
        found = crm.execute(_LATENCIES, [contacts, began and began[0]]).fetchall()
        if len(found) >= len(contacts):
            return [float(str(seconds)) for (seconds,) in found]
        time.sleep(1)
    raise Stop(f"only {len(found)} of {len(contacts)} changes were carried in time")
