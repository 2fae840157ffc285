"""The API budget: never more than the plan allows, hardly less, and what a call's turn costs."""

import random
import sys
import threading
import time
from statistics import median
from typing import Any

from constant_contact.store.budget import ApiBudget
from constant_contact.sync.parallel import CONCURRENCY, in_parallel
from local.bench.account import api_settings, connected, crm_database
from local.bench.gauge import Gauge
from local.bench.measure import Figures, Measuring, measured
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_PROCESSES = 8
_RATES = (4, 20)
_JITTER_S = 0.1
_LATENCY_MS = 300
_LEAST_SHARE, _LEAST_SHARE_JITTER = 0.95, 0.90
_MOST_TAKE_MS = 2.0
_TAKES = 2_000
_PATH, _QUERY = "/contact_lists", {"limit": 1}


def call_on(
    gauge: Gauge,
    *,
    crm_url: str,
    account: dict[str, Any],
    seconds: float,
    jitter_s: float,
    streams: int,
) -> Figures:
    """Call as fast as the budget lets us, from the start that all share."""
    dice = random.Random()  # noqa: S311 - a network is no secret
    travel = (lambda: time.sleep(dice.uniform(0, jitter_s))) if jitter_s else None
    with connected(crm_url, travel=travel, **account) as (client, _):
        client.get(_PATH, _QUERY)
        print("ready", flush=True)
        sys.stdin.readline()
        ends = time.monotonic() + seconds

        def stream(_number: int, _stop: threading.Event) -> None:
            while time.monotonic() < ends:
                client.get(_PATH, _QUERY)

        with gauge:
            for _ in in_parallel(stream, range(streams), streams):
                pass
    return {}


def take_turns(gauge: Gauge, *, crm_url: str, account: dict[str, Any], takes: int) -> Figures:
    """Measure what one call's turn costs where there is no queue."""
    crm = crm_database(crm_url)
    budget = ApiBudget(crm, api_settings(**account), "engagement")
    costs = []
    with gauge:
        for _ in range(takes):
            started = time.perf_counter()
            budget.take_slot()
            costs.append((time.perf_counter() - started) * 1000)
    crm.close()
    return {"median_ms": median(costs), "p99_ms": sorted(costs)[len(costs) * 99 // 100]}


def run(stage: Stage) -> list[Result]:
    """Each setting on a fresh budget row and call log; the simulator enforces the plan."""
    result = Result(
        "budget",
        f"calls for {stage.seconds} s at the plan's rate, as the vendor counts them",
        ("setting", "calls", "busiest second", "throttled", "of the rate", "CPU s"),
    )
    with stage.vendor(contacts=10, lists=3) as vendor:
        for rate in _RATES:
            for jitter_s in (_JITTER_S, 0.0):
                _shared(stage, result, vendor, rate, jitter_s)
        _alone(stage, result, vendor)
        _turns(stage, result, vendor)
    result.notes.append(
        "Jitter is drawn between a call's turn and its sending: there it brings calls closer "
        "together at the vendor. The share is the calls after the first by the time they took."
    )
    return [result]


def _shared(stage: Stage, result: Result, vendor: Vendor, rate: int, jitter_s: float) -> None:
    jitter = f"{jitter_s * 500:.0f} ± {jitter_s * 500:.0f} ms" if jitter_s else "no jitter"
    label = f"{_PROCESSES} processes, {rate}/s, {jitter}"
    share = _measure(stage, result, vendor, label, rate, processes=_PROCESSES, jitter_s=jitter_s)
    bound = _LEAST_SHARE_JITTER if jitter_s else _LEAST_SHARE
    result.at_least(f"{label}: share of the rate", share, bound)


def _alone(stage: Stage, result: Result, vendor: Vendor) -> None:
    rate = max(_RATES)
    label = f"1 process, {rate}/s, {_LATENCY_MS} ms steady"
    vendor.control.limits(latency_ms=_LATENCY_MS)
    share = _measure(stage, result, vendor, label, rate, streams=CONCURRENCY)
    vendor.control.limits(latency_ms=0)
    result.at_least(f"{label}: share of the rate", share, _LEAST_SHARE)


def _turns(stage: Stage, result: Result, vendor: Vendor) -> None:
    with stage.database() as crm_url:
        figures = measured(
            "local.bench.budget:take_turns",
            crm_url=crm_url,
            account=vendor.account(),
            takes=_TAKES,
        )
    result.at_most("one call's turn, median", figures["median_ms"], _MOST_TAKE_MS, " ms")
    result.notes.append(f"One call's turn, 99th percentile: {figures['p99_ms']:.2f} ms.")


def _measure(
    stage: Stage,
    result: Result,
    vendor: Vendor,
    label: str,
    rate: int,
    *,
    processes: int = 1,
    jitter_s: float = 0.0,
    streams: int = 1,
) -> float:
    """Let all call at once; return the share of the rate that they used."""
    stage.say(f"budget: {label}, {stage.seconds} s")
    # the first calls, which only connect, are not judged
    vendor.control.limits(calls_per_second=0)
    with stage.database() as crm_url:
        measurings = [
            Measuring(
                "local.bench.budget:call_on",
                {
                    "crm_url": crm_url,
                    "account": vendor.account(calls_per_second=rate),
                    "seconds": stage.seconds,
                    "jitter_s": jitter_s,
                    "streams": streams,
                },
            )
            for _ in range(processes)
        ]
        for measuring in measurings:
            measuring.await_ready()
        vendor.control.clear_calls()
        vendor.control.limits(calls_per_second=rate)
        for measuring in measurings:
            measuring.go()
        found = [measuring.figures() for measuring in measurings]
    summary = vendor.control.calls_summary()
    arrivals = [
        each["monotonic_s"] for each in vendor.control.calls() if each["path"].startswith("/v3/")
    ]
    share = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) / rate
    busiest, throttled = summary["max_calls_in_one_second"], summary["throttled_count"]
    cpu_s = sum(each["cpu_s"] for each in found)
    result.rows.append((label, len(arrivals), busiest, throttled, share, cpu_s))
    result.at_most(f"{label}: calls in one second", busiest, rate)
    result.at_most(f"{label}: throttled calls", throttled, 0)
    return float(share)
