"""How the tests are spread over processes."""

from xdist.scheduler import LoadScopeScheduling

# What their tests look at takes long to make: one process makes it.
_IN_ONE_PROCESS = (
    "tests/demo/test_demo_checks.py",
    "tests/local/test_bench_scale.py",
    "tests/local/test_run.py",
)


class Spread(LoadScopeScheduling):
    """Each test goes where there is room, but for those of a file that stays together.

    Not by xdist's marks of groups: they are part of a test's id, which pytest 9 no longer lets
    them change.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in _IN_ONE_PROCESS else nodeid
