"""A local stack apart from the one that a developer may have running."""

from pathlib import Path

import pytest

from tests.local.local_commands import Commands


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    folder = tmp_path_factory.mktemp("local")
    return Commands(folder / "data", Path(__file__).parent / "dags")


@pytest.fixture
def deep_folder(tmp_path: Path) -> Path:
    """A folder whose path is too long for a Unix socket, with a space in it."""
    folder = tmp_path / ("deep folder " * 12).strip()
    folder.mkdir()
    return folder
