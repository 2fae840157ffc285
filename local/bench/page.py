"""docs/benchmarks: what was measured of accounts of all sizes, as tables, plots and plans."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pygal
from pygal.etree import etree
from pygal.style import Style

from local.bench.jobs import NIGHTLY, Measured
from local.bench.plans import LARGE_ROWS
from local.bench.result import shown
from local.bench.scale import READS_ALL, Scale
from local.paths import ROOT

FOLDER = ROOT / "docs" / "benchmarks"
_FIGURES = "figures.json"
# told apart by those who see no red or no green, too
_STYLE = Style(
    legend_font_size=12,
    background="white",
    plot_background="white",
    colors=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000", "#56b4e9"),
)
_GB = 1 << 30
_MB_PER_GB = 1 << 10
# of a plan's time in the day and night; the others are quick and many
_HOT = 12
_CALLS_PER_DAY, _CALLS_PER_SECOND = 10_000, 4
_SECONDS_PER_HOUR = 3_600


def keep(found: Scale, folder: Path = FOLDER) -> None:
    """Put the figures of one account among the others', and make the page anew."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _FIGURES
    known = json.loads(file.read_text()) if file.exists() else {}
    (folder / f"plans-{found.contacts}.md").write_text(_plans(found), encoding="utf-8")
    figures = asdict(found)
    for each in figures["statements"].values():
        del each["plan"]
    known[str(found.contacts)] = figures | {"machine": _machine()}
    ordered = dict(sorted(known.items(), key=lambda item: int(item[0])))
    file.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write(folder)


def write(folder: Path = FOLDER) -> None:
    """The page and its plots, from the figures kept."""
    figures = json.loads((folder / _FIGURES).read_text(encoding="utf-8"))
    machines = {each.pop("machine") for each in figures.values()}
    scales = [_read(each) for each in figures.values()]
    for name, title, jobs in (
        ("first-load", "The first load: seconds by contacts", lambda scale: scale.first),
        ("quiet-night", "A quiet night: seconds by contacts", lambda scale: scale.quiet),
    ):
        (folder / f"{name}.svg").write_bytes(_plot(title, scales, jobs))
    (folder / "README.md").write_text(_page(scales, sorted(machines)), encoding="utf-8")


def _read(figures: dict[str, Any]) -> Scale:
    for part in ("first", "quiet", "outboxes", "nothing"):
        figures[part] = [Measured(**each) for each in figures[part]]
    return Scale(**figures)


def _machine() -> str:
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / _GB
    return (
        f"{cores} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def _plot(title: str, scales: Sequence[Scale], jobs: Callable[[Scale], list[Measured]]) -> bytes:
    chart = pygal.Line(
        title=title, x_title="contacts", logarithmic=True, js=(), no_prefix=True,
        style=_STYLE, truncate_legend=-1, width=800, height=420, legend_at_bottom=True,
        legend_at_bottom_columns=len(NIGHTLY),
    )  # fmt: skip
    chart.x_labels = [f"{scale.contacts:,}" for scale in scales]
    for name in NIGHTLY:
        chart.add(name, [_seconds(jobs(scale), name) for scale in scales])
    drawn = chart.render_tree()
    # a picture beside a page: nothing in it runs
    for defs in drawn.iter("defs"):
        for script in defs.findall("script"):
            defs.remove(script)
    picture: bytes = etree.tostring(drawn)
    return picture


def _seconds(jobs: Sequence[Measured], name: str) -> float:
    return next(round(each.seconds, 3) for each in jobs if each.job == name)


def _page(scales: Sequence[Scale], machines: Sequence[str]) -> str:
    parts = [
        "<!-- Made by `make bench SCALE=…`; edit what it is made from. -->\n\n# Benchmarks\n\n"
        "Whole nights of accounts of all sizes. `make bench SCALE=1000000` measures one of so many "
        "contacts with ten times the events and 500 campaigns, and writes this page anew; "
        "`SCALE='10000 100000'` measures two. The vendor is the simulator without limits, over "
        "HTTP; PostgreSQL is the local one; every job has a process to itself.\n\n"
        f"Machine: {'; '.join(machines)}. Figures: [{_FIGURES}]({_FIGURES}).",
        _quiet_nights(scales),
        _first_loads(scales),
        *(_one(scale) for scale in scales),
    ]
    return "\n\n".join(parts) + "\n"


def _quiet_nights(scales: Sequence[Scale]) -> str:
    rows = [
        (
            scale.contacts, scale.events,
            sum(each.seconds for each in scale.quiet), sum(each.calls for each in scale.quiet),
            max(each.peak_mb for each in scale.quiet),
            max(each["peak_mb"] for each in scale.airflow),
            sum(each.grown_mb for each in scale.quiet),
            sum(each.calls for each in scale.nothing),
        )
        for scale in scales
    ]  # fmt: skip
    headings = (
        "contacts", "events stored", "seconds", "calls", "peak MB of a job",
        "peak MB in Airflow", "database grew MB", "calls when nothing moved",
    )  # fmt: skip
    return (
        "## A quiet night\n\n"
        "5,000 new events on three campaigns of the last month; one contact in 500 was edited, one "
        "in 10,000 unsubscribed; 20 CRM contacts got an address that the vendor knows. All jobs of "
        "the night, one after the other, the vendor's replies included. What changed within the "
        "hour before a night is read by the next one, too. *In Airflow* is a night by `make run`, "
        "which holds Airflow's scheduler and the task in one process.\n\n"
        + _table(headings, rows)
        + "\n\n![seconds of each job of a quiet night](quiet-night.svg)"
    )


def _first_loads(scales: Sequence[Scale]) -> str:
    rows = []
    for scale in scales:
        calls = sum(each.calls for each in scale.first)
        rows.append(
            (
                scale.contacts, scale.events, sum(each.seconds for each in scale.first), calls,
                calls / _CALLS_PER_SECOND / _SECONDS_PER_HOUR, calls / _CALLS_PER_DAY,
                max(each.peak_mb for each in scale.first),
                sum(each.grown_mb for each in scale.first) / _MB_PER_GB,
            )
        )  # fmt: skip
    headings = (
        "contacts", "events", "seconds", "calls", f"hours at {_CALLS_PER_SECOND} calls/s",
        f"days of {_CALLS_PER_DAY:,} calls", "peak MB of a job", "database GB",
    )  # fmt: skip
    return (
        "## The first load\n\n"
        "Everything there is: contacts, links, the whole history of engagement, its interactions. "
        "With a real account the plan's calls decide, not this machine.\n\n"
        + _table(headings, rows)
        + "\n\n![seconds of each job of the first load](first-load.svg)"
    )


def _one(scale: Scale) -> str:
    tables = _table(("table with its indexes", "MB"), list(scale.tables.items()))
    airflow = _table(
        ("DAG, by `make run`", "seconds, with Airflow's start", "peak MB"),
        [tuple(each.values()) for each in scale.airflow],
    )
    return (
        f"## {scale.contacts:,} contacts, {scale.events:,} events, {scale.campaigns} campaigns\n\n"
        f"The first load:\n\n{_jobs(scale.first)}\n\n{tables}\n\n"
        f"A quiet night:\n\n{_jobs(scale.quiet)}\n\n{airflow}\n\n"
        f"The CRM's wishes of that day:\n\n{_jobs(scale.outboxes)}\n\n"
        f"A night without news:\n\n{_jobs(scale.nothing)}\n\n"
        f"The statements that took longest, with their plans: "
        f"[plans-{scale.contacts}.md](plans-{scale.contacts}.md)."
    )


def _jobs(jobs: Sequence[Measured]) -> str:
    headings = ("job", "rows", "seconds", "calls", "peak MB", "database grew MB")
    return _table(
        headings,
        [
            (each.job, each.did, each.seconds, each.calls, each.peak_mb, each.grown_mb)
            for each in jobs
        ],
    )


def _plans(found: Scale) -> str:
    by_time = sorted(found.statements.items(), key=lambda item: -item[1]["seconds"])
    parts = [
        "<!-- Made by `make bench SCALE=…`. -->\n\n"
        f"# Plans on {found.contacts:,} contacts and {found.events:,} events\n\n"
        "Of a quiet night and a day, the statements that took longest together. *Reads whole*: "
        f"tables of more than {LARGE_ROWS:,} rows that some plan reads from end to end.",
        _table(
            ("statement", "times", "seconds", "slowest s", "reads whole", "why"),
            [
                (
                    f"`{name}`",
                    each["times"],
                    each["seconds"],
                    each["slowest_s"],
                    ", ".join(each["whole"]),
                    READS_ALL.get(name, "") if each["whole"] else "",
                )
                for name, each in by_time[:_HOT]
            ],
        ),
        *(f"## {name}\n\n```\n{each['plan']}\n```" for name, each in by_time[:_HOT]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [
        "| " + " | ".join(headings) + " |",
        "|---" * len(headings) + "|",
        *("| " + " | ".join(map(shown, row)) + " |" for row in rows),
    ]
    return "\n".join(lines)
