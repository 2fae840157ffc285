"""Shorthands for the jobs' tests."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running


@pytest.fixture
def calls(simulator: Running) -> Callable[..., int]:
    """Counts the API calls since the last time it was asked, by a part of their path."""
    seen = 0

    def count(part: str = "/v3/") -> int:
        nonlocal seen
        made: list[dict[str, Any]] = simulator.control.calls(since=seen)
        seen = made[-1]["number"] if made else seen
        return sum(part in call["path"] for call in made if call["path"].startswith("/v3/"))

    return count
