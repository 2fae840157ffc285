"""`make demo`: the nightly jobs end to end, on local parts, held against what is true.

Exit status: 0 all is right, 1 something is wrong, 130 it was interrupted.
"""

import signal
import time

import psycopg

from local.demo.stage import CALLS_PER_SECOND, CRM_DATABASE, Stage, stage
from local.paths import LOGS
from local.stop import FAILED, command


def main() -> int:
    """Start, play, report, stop."""
    # Before Airflow catches it: a container's stop shall end us as Ctrl-C does.
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    started = time.monotonic()
    print(
        "A CRM in PostgreSQL and a simulated Constant Contact, brought together by Airflow.\n"
        f"The simulator allows this demo {CALLS_PER_SECOND} calls a second (a standard key has 4),"
        " so that it takes a minute.",
        flush=True,
    )
    with stage() as parts:
        return _play(parts, started)


def _play(parts: Stage, started: float) -> int:
    # All of these import Airflow, which must find its environment set.
    from local.demo import crm, evidence  # noqa: PLC0415
    from local.demo.nights import Nights  # noqa: PLC0415
    from local.demo.play import Play, can_go_on  # noqa: PLC0415
    from local.demo.progress import Progress  # noqa: PLC0415
    from local.demo.report import make_console, print_report  # noqa: PLC0415
    from local.metadata import prepare_metadata  # noqa: PLC0415
    from local.terminal import Terminal  # noqa: PLC0415

    console = make_console()
    with Progress(console) as progress:
        progress.begin("preparing Airflow's database")
        log = LOGS / "demo" / "demo.log"
        # It is checked for what it must not hold: only what this demo says counts.
        log.unlink(missing_ok=True)
        terminal = Terminal(log, progress.show)
        terminal.attach()
        prepare_metadata(local=True)
        with psycopg.connect(parts.crm_url) as connection:
            memory = crm.recall(connection)
            goes_on = can_go_on(memory, evidence.calls_today(connection) if memory else 0)
        if not goes_on:
            parts.postgres.drop_database(CRM_DATABASE)
            parts.postgres.create_database(CRM_DATABASE)
        with psycopg.connect(parts.crm_url) as connection:
            play = Play(parts, connection, Nights(terminal, progress), progress, terminal.file)
            verdict = play.from_memory(memory) if memory and goes_on else play.from_nothing()
    print_report(console, verdict)
    wrong = sum(not check.is_right for check in verdict.checks)
    seconds = time.monotonic() - started
    console.print()
    if wrong:
        console.print(
            f"{wrong} of {len(verdict.checks)} checks are WRONG after {seconds:.0f} s."
            f" The complete log: {terminal.file}",
            highlight=False,
            soft_wrap=True,
        )
        return FAILED
    console.print(
        f"all {len(verdict.checks)} checks are right, nothing is doubled; {seconds:.0f} s",
        highlight=False,
    )
    return 0


if __name__ == "__main__":
    command(main)
