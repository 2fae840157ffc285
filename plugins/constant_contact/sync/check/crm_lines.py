"""Lines of the CRM's side: each by its assumption's name."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import psycopg

from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.store.seam_rights import Relation
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.check.crm_assumptions import ASSUMPTIONS, MOST_SECONDS

# So that no write of the CRM's queues behind a look of ours.
_LOCK_TIMEOUT: Final = "5s"
_BY_NAME: Final[dict[str, Assumption]] = {each.name: each for each in ASSUMPTIONS}
Look = Callable[[psycopg.Connection[Any], Database], Iterator[Line]]


@dataclass(frozen=True)
class Probe:
    """One look at the CRM.

    Attributes:
        names: The assumptions that it tries.
        look: Gives a line for each of them, or raises; its transaction is rolled back.
        needs_schema: Whether it reads tables or functions of ours.
        is_read_only: Whether its transaction is; else it makes temporary tables, or asks whether a
            transaction of ours is.
    """

    names: tuple[str, ...]
    look: Look
    needs_schema: bool = False
    is_read_only: bool = True


def probe(
    *names: str, needs_schema: bool = False, is_read_only: bool = True
) -> Callable[[Look], Probe]:
    """Make the function below a `Probe`."""
    return partial(Probe, names, needs_schema=needs_schema, is_read_only=is_read_only)


def limit(connection: psycopg.Connection[Any], *, is_read_only: bool) -> None:
    """Let no statement of the transaction take long, and none write if it is to read only."""
    if is_read_only:
        connection.execute("SET TRANSACTION READ ONLY")
    limits = {"statement_timeout": f"{MOST_SECONDS}s", "lock_timeout": _LOCK_TIMEOUT}
    for name, longest in limits.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, longest])


def holds(name: str, seen: str) -> Line:
    """The assumption holds."""
    return Line(_BY_NAME[name], Result.OK, seen)


def differs(name: str, seen: str, remedy: str | None = None, exported: str = "") -> Line:
    """It does not hold; `exported` is the remedy without names."""
    return Line(_BY_NAME[name], Result.DIFFERS, seen, remedy, exported)


def refused(name: str, seen: str, remedy: str | None = None, exported: str = "") -> Line:
    """What was asked was not allowed, or failed."""
    return Line(_BY_NAME[name], Result.REFUSED, seen, remedy, exported)


def not_tried(name: str, why: str, remedy: str | None = None) -> Line:
    """It could not be tried, or there is nothing to try."""
    return Line(_BY_NAME[name], Result.NOT_TRIED, why, remedy)


def said(problems: Iterable[SettingError]) -> str:
    """What to do about some problems, in one line."""
    return "; ".join(each.problem for each in problems)


def placeholders(relations: Iterable[Relation]) -> dict[str, str]:
    """What stands in an export for the names in a GRANT."""
    found: dict[str, str] = {}
    for each in relations:
        found |= {
            each.relation: "{table}",
            each.schema_name: "{schema}",
            each.owner: "{owner}",
            each.role: "{role}",
        }
    return found


def without_names(text: str, names: dict[str, str]) -> str:
    """A text with placeholders for some names, whole words only, the longest name first."""
    known = sorted(filter(None, names), key=len, reverse=True)
    if not known:
        return text
    any_name = "|".join(map(re.escape, known))
    return re.sub(rf"(?<![\w.])(?:{any_name})(?![\w.])", lambda found: names[found[0]], text)
