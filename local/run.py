"""`make run DAG=… [DATE=…] [CONF='{}']`: one DAG run in the foreground.

Exit status: 0 it succeeded, 1 it failed, 2 it was asked for wrongly, 75 it goes on later.

A run that goes on later stays in Airflow's database as it is: `make up` carries on with it when
its time comes, unless the DAG is paused there. So does another `make run`, by its own means: what
was done is in the CRM's tables, and the rest is done then.
"""

import os
import signal
import sys

from local.asked import Asked, read_arguments
from local.paths import LOGS
from local.stack import Stack, local_stack, migrate_local_crm
from local.stop import FAILED, LATER, command


def main() -> int:
    """Reads what is asked, checks it, and only then starts anything."""
    asked = read_arguments(__doc__)
    # before Airflow catches it: a container's stop shall end us as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with local_stack(os.environ) as stack:
        os.environ.update(stack.environment)
        migrate_local_crm(stack)
        return _run(asked, stack)


def _run(asked: Asked, stack: Stack) -> int:
    # all of these import Airflow, which must find its environment set
    from airflow.utils.state import DagRunState  # noqa: PLC0415

    from constant_contact.web.overview.waiting import follow  # noqa: PLC0415
    from local.dag_files import load_dag  # noqa: PLC0415
    from local.dag_run import ForegroundRun, abandon_orphans  # noqa: PLC0415
    from local.metadata import prepare_metadata  # noqa: PLC0415
    from local.run_date import when  # noqa: PLC0415
    from local.terminal import Terminal  # noqa: PLC0415

    terminal = Terminal(LOGS / "run" / f"{asked.dag_id}.{os.getpid()}.log")
    terminal.attach()
    prepare_metadata(local=stack.local_metadata)
    abandon_orphans()
    # the tasks' api-server is in this process: notes are written here as there
    follow()
    dag = load_dag(asked.dag_id)
    outcome = ForegroundRun(dag, when(dag, asked.date), asked.conf, terminal).execute()
    if outcome.waits:
        print(f"{asked.dag_id} waits: {outcome.waits}", file=sys.stderr)
        return LATER
    if outcome.state != DagRunState.SUCCESS:
        print(f"{asked.dag_id} failed: {outcome.reason}", file=sys.stderr)
        print(f"stack trace and complete log: {terminal.file}", file=sys.stderr)
        return FAILED
    terminal.say(f"{asked.dag_id} succeeded")
    return 0


if __name__ == "__main__":
    command(main)
