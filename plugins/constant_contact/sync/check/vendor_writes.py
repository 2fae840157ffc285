"""Tries writes at the account."""

from collections.abc import Iterator
from typing import Final

from constant_contact.api.client import Client
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.vendor_assumptions import WRITES

WRITE_CALLS: Final = 0


def write_vendor(client: Client, address: str) -> Iterator[Line]:
    """Give a line for each of `WRITES`."""
    yield Line(WRITES[0], Result.NOT_TRIED, "not made yet")
