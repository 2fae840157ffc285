"""Commands of `local/`, run as a user runs them but apart from what runs on this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.paths import ROOT

#: as a user would have it; nothing of the caller's Airflow
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """Runs `python -m …` with a local folder and a DAGs folder of the tests' own."""

    local: Path
    dags: Path

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={
                **CLEAN,
                "LOCAL_FOLDER": str(self.local),
                "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **environment: str) -> Ended:
        return finish(self.start(*command, **environment))

    def run_at_once(self, commands: Sequence[Sequence[str]]) -> list[Ended]:
        return [finish(child) for child in [self.start(*command) for command in commands]]


def finish(child: subprocess.Popen[str]) -> Ended:
    out, err = child.communicate(timeout=600)
    return Ended(child.returncode, out, err)
