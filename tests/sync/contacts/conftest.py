"""An account whose contacts are read."""

import pytest

from simulator.server import Running


@pytest.fixture
def account(simulator: Running) -> Running:
    """1,200 contacts of last year, so that only what a test does is new."""
    simulator.control.generate(
        seed=5, contacts=1200, lists=1, campaigns=0, events=0,
        start="2024-01-01T00:00:00Z", end="2025-01-01T00:00:00Z",
    )  # fmt: skip
    return simulator
