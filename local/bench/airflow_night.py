"""A night as Airflow runs it: each DAG with its tasks, its database, its logs."""

import os
import subprocess
import sys
import tempfile
import time

from local import environment
from local.bench.measure import Figures
from local.bench.stage import Stage, Vendor
from local.paths import LOGS, ROOT
from local.processes import last_lines
from local.stop import Stop

_DAGS = ("lists", "contacts", "activities")
_KB_PER_MB = 1 << 10


def measure(stage: Stage, crm_url: str, vendor: Vendor) -> list[Figures]:
    """Seconds and peak memory of each DAG's run, Airflow's own start with them.

    Raises:
        Stop: One failed; with the end of what it said.
    """
    found = []
    # a metadata database of its own: what runs here is no run of `make up`
    with tempfile.TemporaryDirectory() as folder:
        caller = os.environ | {
            "LOCAL_FOLDER": folder,
            environment.CRM: stage.airflow_connection(crm_url),
            environment.CONSTANT_CONTACT: vendor.airflow_connection(),
        }
        for name in _DAGS:
            dag_id = f"constant_contact_{name}"
            seconds, peak_mb = _run(dag_id, caller)
            stage.say(f"scale: {dag_id} in Airflow {seconds:.1f} s, {peak_mb:.0f} MB")
            found.append({"dag": dag_id, "seconds": seconds, "peak_mb": peak_mb})
    return found


def _run(dag_id: str, caller: dict[str, str]) -> tuple[float, float]:
    log = LOGS / f"bench-{dag_id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "local.run", dag_id],
            cwd=ROOT, env=caller, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        # its own memory, and that of the largest process that it has waited for
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Stop(f"{dag_id} failed; {log} ends with:\n{last_lines(log)}")
    return time.perf_counter() - started, usage.ru_maxrss / _KB_PER_MB
