"""The comparison behind opt-outs: of all contacts, and of the one whose doorbell rings."""

import time
from statistics import median
from typing import Any

import psycopg

from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from local.bench import server
from local.bench.account import connected, crm_database
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured, middle
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_SIZES = (10_000, 100_000, 1_000_000)
_WAKE_UPS = 20
_LINEAR = 10.0
_MOST_WHOLE_CPU_S, _MOST_WAKE_UP_CPU_MS = 4.0, 100.0
_MS = 1_000


def link(_gauge: Gauge, *, crm_url: str) -> Figures:
    """What the night before did."""
    crm = crm_database(crm_url)
    report = link_contacts(crm)
    crm.close()
    return report.as_dict()


def whole(gauge: Gauge, *, crm_url: str, account: dict[str, Any]) -> Figures:
    """As every quarter of an hour: the CRM, what was seen, the register and the mirror."""
    with connected(crm_url, **account, lane="opt_outs") as (client, crm):
        before = server.cpu_s(crm_url)
        with gauge:
            report = push_opt_outs(client, crm)
        spent_s = server.cpu_s(crm_url) - before
    return report.as_dict() | {"server_cpu_s": spent_s}


def wake_up(gauge: Gauge, *, crm_url: str, account: dict[str, Any]) -> Figures:
    """As after the doorbell, of contacts that are not linked: no call is made."""
    taken = []
    with (
        connected(crm_url, **account, lane="opt_outs") as (client, crm),
        psycopg.connect(crm_url, autocommit=True) as firm,
    ):
        before = server.cpu_s(crm_url)
        with gauge:
            for number in range(_WAKE_UPS):
                firm.execute(
                    "UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = %s",
                    [f"C{100 * number + 9}"],
                )
                began = time.perf_counter()
                report = push_opt_outs(client, crm, whole=False)
                taken.append(time.perf_counter() - began)
                if report.unchanged != 1:
                    raise AssertionError(f"the change was not heard: {report}")
        spent_s = server.cpu_s(crm_url) - before + gauge.cpu_s
    return {"median_ms": median(taken) * _MS, "cpu_ms": spent_s / _WAKE_UPS * _MS}


def run(stage: Stage) -> list[Result]:
    """Each size in a fresh database, with nothing to carry."""
    result = Result(
        "comparison",
        "both sides' consent compared, with nothing to carry",
        (
            "contacts", "whole: s", "of it server's CPU s", "by doorbell: ms",
            "of it CPU ms, ours too",
        ),
    )  # fmt: skip
    before: float | None = None
    with stage.vendor() as vendor:
        for size in _SIZES:
            found = _measure(stage, vendor, size)
            result.rows.append((size, *found))
            if before:
                growth = found[1] / before
                step = f"{size // 10:,} → {size:,}"
                result.at_most(f"whole, growth of CPU {step}", growth, _LINEAR, "x")
            before = found[1]
    result.at_most(f"whole at {_SIZES[-1]:,}, CPU", found[1], _MOST_WHOLE_CPU_S, " s")
    result.at_most(f"by doorbell at {_SIZES[-1]:,}, CPU", found[3], _MOST_WAKE_UP_CPU_MS, " ms")
    result.notes.append(
        "A wake-up by the doorbell ends here where the first of two calls would be made."
    )
    return [result]


def _measure(stage: Stage, vendor: Vendor, size: int) -> tuple[float, float, float, float]:
    account = vendor.account()
    with stage.database() as crm_url:
        make(crm_url, "contacts", size=size)
        make(crm_url, "consent")
        settle(crm_url)
        linked = measured("local.bench.comparison:link", crm_url=crm_url)
        if linked["opt_outs_queued"]:
            raise AssertionError(f"some may still be mailed: {linked}")
        settle(crm_url)
        wholes = [
            measured("local.bench.comparison:whole", crm_url=crm_url, account=account)
            for _ in range(stage.rounds)
        ]
        rung = measured("local.bench.comparison:wake_up", crm_url=crm_url, account=account)
    stage.say(f"comparison {size:,}: {wholes[0]['seconds']:.2f} s, {rung['median_ms']:.0f} ms")
    seconds, spent_s = (middle(wholes, by) for by in ("seconds", "server_cpu_s"))
    return seconds, spent_s, rung["median_ms"], rung["cpu_ms"]
