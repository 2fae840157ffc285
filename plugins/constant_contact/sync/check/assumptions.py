"""What the jobs rely on, as data, and the line that a check writes for each.

A probe tries one or more assumptions and gives a `Line` for each of them. It is given what it
needs (the CRM's session, the vendor's client) and raises nothing for an answer that differs.
"""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Where an assumption is tried."""

    CRM = "crm"
    """Reads of the CRM's database."""
    READS = "reads"
    """GET requests to the vendor."""
    WRITES = "writes"
    """Writes at the vendor, only with a test address and an explicit yes."""


class Result(StrEnum):
    """What a check says of an assumption."""

    OK = "ok"
    DIFFERS = "differs"
    REFUSED = "refused"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Assumption:
    """One thing that the jobs rely on."""

    name: str
    """A word or two with underscores, unique: the key in the table, in exports and in tests."""
    side: Side
    states: str
    """What holds, one sentence in the present tense."""
    source: str
    """Where it is written: the contract's operationId, a page of a manual, or "not documented"."""
    otherwise: str
    """What the jobs do where it does not hold."""
    remedy: str = "Nothing for now; send the exported check to the maintainers."
    """What a person does then."""


@dataclass(frozen=True)
class Line:
    """What a check saw of one assumption; without addresses, secrets or names of people."""

    assumption: Assumption
    result: Result
    seen: str
    remedy: str | None = None
    """More exact than the assumption's own, with the statement to run where there is one."""
    exported_remedy: str = ""
    """The same without names of roles, tables and hosts; an export never has `remedy`."""
