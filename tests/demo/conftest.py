"""The small demo, as its night left it."""

from collections.abc import Iterator

import psycopg
import pytest

from simulator.server import running
from tests.databases import Databases
from tests.demo.small_demo import Night, SmallDemo


@pytest.fixture(scope="session")
def night() -> Iterator[Night]:
    with running() as simulator:
        yield Night(simulator)


@pytest.fixture
def demo(night: Night, databases: Databases) -> Iterator[SmallDemo]:
    name = databases.create(night.play)
    with psycopg.connect(databases.url(name)) as connection:
        yield night.again(connection)
    databases.take_back(name)
