"""What the tests of the check's writes ask of the account."""

from collections.abc import Callable, Generator
from typing import Any

from constant_contact.sync.check.assumptions import Line
from simulator.server import Running

ADDRESS = "check.me@example.com"
Write = Callable[[], Generator[Line, None, None]]


def ours(simulator: Running) -> list[dict[str, Any]]:
    return [each for each in simulator.control.truth_contacts() if each["email"] == ADDRESS]


def living_lists(simulator: Running) -> list[str]:
    simulator.control.finish_bulk()
    return [each["name"] for each in simulator.control.truth()["lists"] if not each["deleted"]]
