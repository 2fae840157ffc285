"""The tests of `tests/airflow` on each Airflow, with this repository's files as they are."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.install.user import VERSIONS, Environment, pins_beside

pytestmark = [pytest.mark.versions, pytest.mark.timeout(5400)]

# What Airflow does not bring along, and the tests and the simulator import.
TOOLS = ("httptools", "numpy", "pytest", "pytest-timeout", "pytest-xdist")


@pytest.fixture(params=VERSIONS)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Environment]:
    """An environment with the Airflow of a version, this repository and what its tests need."""
    version = str(request.param)
    made = Environment(tmp_path / "environment")
    made.install(version, "--editable", ROOT, *TOOLS, pins=pins_beside(version))
    yield made
    shutil.rmtree(tmp_path / "environment")


def test_the_tests_of_airflow_pass(there: Environment, postgres_url: str) -> None:
    # our server: one of its own would go with the environment, and another run may use it by then
    ended = there.with_settings({"TEST_POSTGRES_URL": postgres_url}).run_in_repository(
        "python", "-m", "pytest", "tests/airflow",
        # what our lock says, of packages that are not here
        "--deselect", "tests/airflow/test_reference.py::test_the_reference_says_what_the_code_says",
        "--numprocesses", "logical", "--maxprocesses", "8",
        "-p", "no:cacheprovider", "--quiet", "--tb", "short", "--show-capture", "no",
    )  # fmt: skip
    assert ended.status == 0, ended.said
