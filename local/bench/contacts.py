"""The contacts mirror, beside a bare loop and the vendor's SDK."""

from collections.abc import Callable
from functools import partial
from typing import Any

from constant_contact.sync.contacts.mirror import sync_contacts
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.measure import Figures, measured, middle, middle_ratio
from local.bench.others import bare_loop, vendors_sdk
from local.bench.result import Result
from local.bench.stage import Stage, Vendor

_SIZE = 100_000
_LEAST_TIMES = {"bare loop": 0.5, "vendor's SDK": 3.0}
_UNLOGGED = "ours, without the call log"
_MOST_TIMES_UNLOGGED = 1.05
_MOST_MB = 300


def mirror(gauge: Gauge, *, crm_url: str, account: dict[str, Any], logged: bool = True) -> Figures:
    """A full pass of ours, with budget, bookkeeping and, if it is `logged`, the call log."""
    with gauge, connected(crm_url, logged=logged, **account) as (client, crm):
        report = sync_contacts(client, crm, full=True)
    return {"rows": report.read}


def _ours(vendor: Vendor, crm_url: str, *, logged: bool = True) -> Figures:
    account = vendor.account()
    return measured("local.bench.contacts:mirror", crm_url=crm_url, account=account, logged=logged)


_WHO: dict[str, Callable[[Vendor, str], Figures]] = {
    "ours": _ours,
    _UNLOGGED: partial(_ours, logged=False),
    "bare loop": partial(bare_loop, "contacts"),
    "vendor's SDK": partial(vendors_sdk, "contacts"),
}


def run(stage: Stage) -> list[Result]:
    """Rounds of all in turn, so that what disturbs the machine disturbs all alike."""
    result = Result(
        "contacts",
        f"a full pass of {_SIZE:,} contacts, median of {stage.rounds}",
        ("who", "rows/s", "seconds", "calls", "CPU s", "peak MB"),
    )
    found: dict[str, list[Figures]] = {name: [] for name in _WHO}
    with stage.vendor(contacts=_SIZE, lists=20) as vendor:
        for number in range(1, stage.rounds + 1):
            for name, pass_all in _WHO.items():
                with stage.database() as crm_url:
                    vendor.control.clear_calls()
                    figures = pass_all(vendor, crm_url)
                figures |= {"calls": vendor.calls(), "speed": figures["rows"] / figures["seconds"]}
                found[name].append(figures)
                stage.say(f"contacts, round {number}: {name} {figures['speed']:,.0f} rows/s")
    for name, rounds in found.items():
        shown = (middle(rounds, each) for each in ("speed", "seconds", "calls", "cpu_s"))
        result.rows.append((name, *shown, max(each["peak_mb"] for each in rounds)))
    ours = found["ours"]
    for name, bound in _LEAST_TIMES.items():
        ratio = middle_ratio(ours, found[name], "speed")
        result.at_least(f"rows/s, ours / {name}", ratio, bound)
    times = middle_ratio(ours, found[_UNLOGGED], "seconds")
    result.at_most("time with the call log / without", times, _MOST_TIMES_UNLOGGED)
    result.at_most("peak memory of ours", max(e["peak_mb"] for e in ours), _MOST_MB, " MB")
    result.notes.append("CPU and memory are those of the loading process, without PostgreSQL's.")
    return [result]
