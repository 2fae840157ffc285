"""`make bench`: how fast ours is, beside others and against the project's own targets."""

import argparse
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from local.bench import (
    budget,
    call_log,
    calls_page,
    comparison,
    contacts,
    engagement,
    latency,
    links,
    opt_outs,
    pages,
    projection,
    scale,
)
from local.bench.result import Result
from local.bench.stage import Stage
from local.postgres import LocalPostgres
from local.stop import command

BENCHES: dict[str, Callable[[Stage], list[Result]]] = {
    "contacts": contacts.run,
    "links": links.run,
    "comparison": comparison.run,
    "engagement": engagement.run,
    "projection": projection.run,
    "scale": scale.run,
    "budget": budget.run,
    "call_log": call_log.run,
    "calls_page": calls_page.run,
    "pages": pages.run,
    "opt_outs": opt_outs.run,
    "latency": latency.run,
}
# a file has no width; the widest table fits
_PLAIN_WIDTH = 140
EPILOG = """\
examples:
  make bench
  make bench ARGS='contacts links --json figures.json'
  make bench ARGS='--large'
  make bench SCALE=1000000

The vendor is the simulator without limits, PostgreSQL the local one. A figure that misses its
target is shown as such and is no error.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m local.bench",
        description="Measures what the project promises.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all, or some of {', '.join(BENCHES)}"
    )
    made.add_argument("--large", action="store_true", help="millions of rows too: half an hour")
    made.add_argument("--rounds", type=int, default=3, help="median of so many (%(default)s)")
    made.add_argument(
        "--seconds", type=int, default=15, help="for each setting of the budget (%(default)s)"
    )
    made.add_argument(
        "--scale",
        type=int,
        action="append",
        default=[],
        metavar="CONTACTS",
        help="whole nights of an account of so many; again for another",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    return made


def main() -> int:
    """Run what was asked for; 0 unless something crashed."""
    arguments = parser()
    given = arguments.parse_args()
    if unknown := sorted(set(given.names) - BENCHES.keys()):
        arguments.error(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    # the simulator's and the jobs' own talk
    logging.disable(logging.WARNING)
    results: list[Result] = []
    with LocalPostgres() as postgres:
        stage = Stage(
            postgres,
            Console(stderr=True),
            large=given.large,
            rounds=max(1, given.rounds),
            seconds=max(1, given.seconds),
        )
        for found in _measured(stage, given):
            for result in found:
                result.print(console)
            results.extend(found)
            if given.json:
                # after each: a later one that crashes takes nothing away
                figures = [result.as_dict() for result in results]
                given.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return 0


def _measured(stage: Stage, given: argparse.Namespace) -> Iterator[list[Result]]:
    for size in given.scale:
        yield scale.shown(scale.measure_scale(stage, size))
    # who asks for a scale asks for nothing else, unless by name
    for name in given.names or ([] if given.scale else BENCHES):
        yield BENCHES[name](stage)


if __name__ == "__main__":
    command(main)
