"""Parts of a page that fail each by itself: the others are shown all the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import psycopg

from constant_contact.errors import ConstantContactError
from constant_contact.web.frame.problems import describe

T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """What a part of a page shows: its value, or why there is none."""

    value: T | None
    problem: str = ""


def part(load: Callable[[], T]) -> Part[T]:
    """Load what a part shows; what goes wrong in the CRM, the account or Airflow is its problem."""
    try:
        return Part(load())
    except (ConstantContactError, psycopg.Error) as error:
        return Part(None, describe(error))
