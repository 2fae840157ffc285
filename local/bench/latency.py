"""How long an opt-out takes from the CRM's commit to the API's answer, with `make up` running."""

import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any

import psycopg

from constant_contact.store.seam import SHIPPED
from local.bench.result import Result
from local.bench.stage import Stage
from local.paths import LOGS
from local.processes import last_lines, spawn, stop_group
from local.stop import Stop

_CHANGES, _CHANGES_UNHEARD = 30, 10
# longer than a run of the DAG takes, and shorter: some meet one that is under way
_GAP_S = (1.0, 12.0)
_MOST_MEDIAN_S, _MOST_95TH_S = 2.5, 4.0
# of what is found by the comparison: a quarter of an hour, and a run
_MOST_UNHEARD_S = 15 * 60 + _MOST_95TH_S
_READY_WITHIN_S, _LINKED_WITHIN_S, _CARRIED_WITHIN_S = 240, 300, 120
# without a call: no run is at work
_QUIET_S, _QUIET_WITHIN_S = 15, 300
_CHOSEN = """
SELECT crm.contact_id
FROM crm_contact AS crm
INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE
    NOT crm.do_not_email AND mirrored.deleted_at IS NULL
    AND mirrored.permission_to_send <> 'unsubscribed'
LIMIT %s
"""
_IS_QUIET = """
SELECT max(called_at) < clock_timestamp() - make_interval(secs => %s) FROM ctct_api_call
"""
_FLAG = """
UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = %s
RETURNING clock_timestamp()
"""
_CARRIED = """
SELECT contact_id, max(processed_at)
FROM crm_opt_out_change
WHERE contact_id = any(%s) AND status = 'done' AND changed_at >= %s
GROUP BY contact_id
"""

_Crm = psycopg.Connection[tuple[Any, ...]]


def run(stage: Stage) -> list[Result]:
    """The local CRM's flags stay set."""
    result = Result(
        "latency",
        f"opt-outs, {_GAP_S[0]:.0f} to {_GAP_S[1]:.0f} s apart, with `make up`: from the commit in "
        "the CRM to the API's answer",
        ("doorbell", "changes", "fastest s", "median s", "95th percentile s", "slowest s"),
    )
    with _airflow(), psycopg.connect(stage.local_crm_url, autocommit=True) as crm:
        stage.say("latency: Airflow is up; waiting for the first links")
        contacts = _linked(crm)
        stage.say("latency: waiting until the first night is over")
        _wait_for_quiet(crm)
        heard, unheard = contacts[:_CHANGES], contacts[_CHANGES:]
        by_bell = _carried(crm, _flag(stage, crm, heard), _CARRIED_WITHIN_S)
        with _no_doorbell(crm):
            flagged = _flag(stage, crm, unheard)
        stage.say(
            f"latency: with a doorbell {median(by_bell):.2f} s, {_slow(by_bell):.2f} s at the 95th "
            "percentile; waiting for the next comparison, at a full quarter of an hour"
        )
        by_comparison = _carried(crm, flagged, _MOST_UNHEARD_S + _CARRIED_WITHIN_S)
    for name, taken in (("with", by_bell), ("without", by_comparison)):
        spread = min(taken), median(taken), _slow(taken), max(taken)
        result.rows.append((name, len(taken), *spread))
    result.at_most("median with a doorbell", median(by_bell), _MOST_MEDIAN_S, " s")
    result.at_most("95th percentile with a doorbell", _slow(by_bell), _MOST_95TH_S, " s")
    result.at_most("slowest without", max(by_comparison), _MOST_UNHEARD_S, " s")
    result.notes.append("Both times are the database's clock: of the change and of its outcome.")
    return [result]


def _slow(taken: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(taken, n=20)[-1]


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


@contextmanager
def _no_doorbell(crm: _Crm) -> Iterator[None]:
    """As in a CRM whose trigger was lost."""
    crm.execute("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    try:
        yield
    finally:
        crm.execute((SHIPPED / "doorbell.sql").read_bytes())


def _flag(stage: Stage, crm: _Crm, contacts: Sequence[str]) -> dict[str, datetime]:
    """Set the flags, one after the other; returns when each was set."""
    flagged = {}
    dice = random.Random(20261122)  # noqa: S311 - the same gaps every time
    for number, contact in enumerate(contacts, 1):
        ((flagged[contact],),) = crm.execute(_FLAG, [contact]).fetchall()
        stage.say(f"latency: change {number} of {len(contacts)}")
        time.sleep(dice.uniform(*_GAP_S))
    return flagged


def _linked(crm: _Crm) -> list[str]:
    wanted = _CHANGES + _CHANGES_UNHEARD
    deadline = time.monotonic() + _LINKED_WITHIN_S
    while time.monotonic() < deadline:
        found = crm.execute(_CHOSEN, [wanted]).fetchall()
        if len(found) == wanted:
            return [contact for (contact,) in found]
        time.sleep(1)
    raise Stop(f"fewer than {wanted} contacts were linked: did constant_contact_contacts run?")


def _wait_for_quiet(crm: _Crm) -> None:
    """The first night begins some seconds after Airflow is up."""
    began = time.monotonic()
    time.sleep(_QUIET_S)
    while crm.execute(_IS_QUIET, [_QUIET_S]).fetchall() != [(True,)]:
        if time.monotonic() > began + _QUIET_WITHIN_S:
            raise Stop(f"calls were made all the time for {_QUIET_WITHIN_S} s")
        time.sleep(1)


def _carried(crm: _Crm, flagged: Mapping[str, datetime], within_s: float) -> list[float]:
    """Seconds that each took."""
    since = min(flagged.values()) - timedelta(seconds=1)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found: dict[str, datetime] = dict(crm.execute(_CARRIED, [list(flagged), since]).fetchall())
        if len(found) == len(flagged):
            return [(found[who] - at).total_seconds() for who, at in flagged.items()]
        time.sleep(1)
    raise Stop(
        f"only {len(found)} of {len(flagged)} changes were carried in time; after 100 within a day "
        "the circuit breaker asks a person: remove .local/postgres and begin again"
    )
