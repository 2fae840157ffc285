"""How the tests are spread over processes."""

import os

from xdist.scheduler import LoadScopeScheduling

# What their tests look at takes long to make: one process makes it.
_IN_ONE_PROCESS = (
    "tests/demo/test_demo_checks.py",
    "tests/local/test_bench_scale.py",
    "tests/local/test_run.py",
)


def process_count() -> int:
    """Half more than there are processors: a test waits for the server, or the server for it."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


class Spread(LoadScopeScheduling):
    """Each test goes where there is room, but for those of a file that stays together.

    Not by xdist's marks of groups: they are part of a test's id, which pytest 9 no longer lets
    them change.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in _IN_ONE_PROCESS else nodeid
