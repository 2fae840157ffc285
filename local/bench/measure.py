"""The outside of a measuring process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from local.paths import ROOT
from local.processes import die_with_parent
from local.stop import Stop

Figures = dict[str, Any]

OURS = Path(sys.executable)
_LAST_LINES = 20


class Measuring:
    """A measurement under way in a process of its own.

    Args:
        work: `module:function`, see `local.bench.child`.
        arguments: The function's, as JSON can carry them.
        python: Of another environment, for a rival that is not in ours.
    """

    def __init__(self, work: str, arguments: Figures, python: Path = OURS) -> None:
        self._work = work
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the child has ended
        self._process = subprocess.Popen(
            [str(python), "-m", "local.bench.child", work, json.dumps(arguments)],
            cwd=ROOT,
            # a rival's habits: no look at our proxies, no word to its maker
            env=os.environ | {"NO_PROXY": "*", "RUNTIME__DLTHUB_TELEMETRY": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs here
        )

    def await_ready(self) -> None:
        """Return when the child has printed its first line: it is prepared and waits."""
        if self._process.stdout is not None and not self._process.stdout.readline():
            self.figures()

    def go(self) -> None:
        """Let a child that waits begin."""
        if self._process.stdin is not None:
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def figures(self) -> Figures:
        """Wait for the end.

        Raises:
            Stop: It failed; says the end of what it complained of.
        """
        output, _ = self._process.communicate()
        with self._errors:
            if self._process.returncode:
                self._errors.seek(0)
                said = self._errors.read().decode(errors="replace").splitlines()
                raise Stop("\n".join([f"{self._work} failed:", *said[-_LAST_LINES:]]))
        found: Figures = json.loads(output.splitlines()[-1])
        return found


def measured(work: str, *, python: Path = OURS, **arguments: Any) -> Figures:
    """The figures of one measurement."""
    return Measuring(work, arguments, python).figures()


def middle(rounds: Sequence[Figures], figure: str | Callable[[Figures], float]) -> float:
    """The median of a figure over rounds: one disturbed round does not count."""
    take = figure if callable(figure) else lambda each: each[figure]
    return float(median(map(take, rounds)))
