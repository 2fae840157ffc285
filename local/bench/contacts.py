"""The contacts mirror, beside a bare loop and the vendor's SDK."""

import sysconfig
from collections.abc import Callable
from typing import Any

from constant_contact.sync.contacts.mirror import sync_contacts
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.measure import Figures, measured, middle
from local.bench.result import Result
from local.bench.rivals import SDK_PYTHON
from local.bench.stage import Stage, Vendor

_SIZE, _LARGE = 100_000, 1_000_000
_LEAST_SHARE_OF_BARE = 0.5
_LEAST_TIMES_RIVAL = 3.0
_MOST_MB = 300
_Rival = Callable[[Stage, Vendor, str], Figures]


def mirror(gauge: Gauge, *, crm_url: str, account: dict[str, Any], logged: bool = True) -> Figures:
    """A full pass of ours, with budget, bookkeeping and, if it is `logged`, the call log."""
    with gauge, connected(crm_url, logged=logged, **account) as (client, crm):
        report = sync_contacts(client, crm, full=True)
    return {"rows": report.read}


def run(stage: Stage) -> list[Result]:
    """Rounds of all in turn, so that what disturbs the machine disturbs all alike."""
    results = [_measure(stage, _SIZE, stage.rounds)]
    if stage.large:
        results.append(_measure(stage, _LARGE, 1))
    return results


def _measure(stage: Stage, size: int, rounds: int) -> Result:
    result = Result(
        "contacts",
        f"a full pass of {size:,} contacts, median of {rounds}",
        ("who", "rows/s", "seconds", "calls", "CPU s", "peak MB"),
    )
    found: dict[str, list[Figures]] = {name: [] for name in _RIVALS}
    with stage.vendor(contacts=size, lists=20) as vendor:
        for number in range(rounds):
            for name, rival in _RIVALS.items():
                with stage.database() as crm_url:
                    vendor.control.clear_calls()
                    figures = rival(stage, vendor, crm_url)
                figures |= {"calls": vendor.calls(), "speed": figures["rows"] / figures["seconds"]}
                found[name].append(figures)
                stage.say(
                    f"contacts {size:,}, round {number + 1} of {rounds}: {name} "
                    f"{figures['speed']:,.0f} rows/s"
                )
    for name, figures_of in found.items():
        shown = [middle(figures_of, each) for each in ("speed", "seconds", "calls", "cpu_s")]
        result.rows.append((name, *shown, max(each["peak_mb"] for each in figures_of)))
        if name != "ours":
            pairs = zip(found["ours"], figures_of, strict=True)
            ratio = middle([{"of": a["speed"] / b["speed"]} for a, b in pairs], "of")
            bound = _LEAST_SHARE_OF_BARE if name == "bare loop" else _LEAST_TIMES_RIVAL
            result.at_least(f"rows/s, ours / {name}", ratio, bound)
    result.at_most("peak memory of ours", max(e["peak_mb"] for e in found["ours"]), _MOST_MB, " MB")
    result.notes.append("CPU and memory are those of the loading process, without PostgreSQL's.")
    return result


def _ours(_stage: Stage, vendor: Vendor, crm_url: str) -> Figures:
    return measured("local.bench.contacts:mirror", crm_url=crm_url, account=vendor.account())


def _bare(_stage: Stage, vendor: Vendor, crm_url: str) -> Figures:
    return measured(
        "local.bench.rivals.bare:contacts",
        url=vendor.url,
        token=vendor.access_token(),
        crm_url=crm_url,
    )


def _sdk(_stage: Stage, vendor: Vendor, crm_url: str) -> Figures:
    return measured(
        "local.bench.rivals.sdk:contacts",
        python=SDK_PYTHON,
        url=vendor.url,
        token=vendor.access_token(),
        crm_url=crm_url,
        site_packages=sysconfig.get_path("platlib"),
    )


_RIVALS: dict[str, _Rival] = {"ours": _ours, "bare loop": _bare, "vendor's SDK": _sdk}
