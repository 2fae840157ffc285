"""A check as it is kept, read, and written into a file to be sent."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import psycopg

from constant_contact.redact import redact
from constant_contact.store import database
from constant_contact.sync.check.assumptions import Assumption, Line, Result, Side
from constant_contact.sync.check.crm_assumptions import ASSUMPTIONS
from constant_contact.sync.check.vendor_assumptions import READS, WRITES

#: By name; a check of another version may have others.
ASSUMED: Final[Mapping[str, Assumption]] = {
    each.name: each for each in (*ASSUMPTIONS, *READS, *WRITES)
}
#: What the parts of a check are called.
SIDES: Final[Mapping[str, str]] = {
    Side.CRM: "The CRM's database",
    Side.READS: "Constant Contact, reading",
    Side.WRITES: "Constant Contact, writing",
}
# What of a text from elsewhere a reader of Markdown would take for markup.
_MARKUP: Final = re.compile(r"[\\`<\[|]")
_FOUND: Final = frozenset({Result.DIFFERS, Result.REFUSED})


class CheckedLine(NamedTuple):
    """A line of a check, as `ctct_check_line` has it.

    Attributes:
        result_before: The result of the last check that tried it, if that was another one.
        remedy: What to do here; may name roles and tables.
        exported_remedy: The same without those names.
    """

    name: str
    side: str
    result: str
    result_before: str | None
    seen: str
    remedy: str | None
    exported_remedy: str | None

    @classmethod
    def from_line(cls, line: Line, last: Mapping[str, str]) -> "CheckedLine":
        """A line beside the results of the last check, by name."""
        assumption = line.assumption
        before = last.get(assumption.name)
        is_changed = line.result != Result.NOT_TRIED and before not in {None, line.result}
        return cls(
            name=assumption.name,
            side=assumption.side,
            result=line.result,
            result_before=before if is_changed else None,
            seen=redact(line.seen),
            remedy=redact(line.remedy) if line.remedy else None,
            exported_remedy=redact(line.exported_remedy) if line.exported_remedy else None,
        )

    @property
    def is_found(self) -> bool:
        """Whether the assumption does not hold, or was refused."""
        return self.result in _FOUND

    @property
    def assumption(self) -> Assumption | None:
        """What the line is about; None: this version has no such assumption."""
        return ASSUMED.get(self.name)

    @property
    def what_to_do(self) -> str:
        """For who may see names: what to do where it does not hold."""
        return self.remedy or (self.assumption.remedy if self.assumption else "")

    def __str__(self) -> str:
        """The line as a log has it; what it means and what to do, if it does not hold."""
        sentence = f"{self.result}: {self.name}: {self.seen}"
        if self.result_before:
            sentence += f" (was {self.result_before})"
        if self.is_found and self.assumption:
            sentence += f". {self.assumption.otherwise} To do: {self.what_to_do}"
        elif self.remedy:
            sentence += f". {self.remedy}"
        return sentence


@dataclass(frozen=True)
class Check:
    """A check with its lines."""

    checked_at: datetime
    duration_ms: int
    package_version: str
    lines: list[CheckedLine]

    def count(self, *results: str) -> int:
        """How many lines have one of these results."""
        return sum(line.result in results for line in self.lines)


def load_last(connection: psycopg.Connection[Any]) -> Check | None:
    """The last check that was kept; None before the first one."""
    found = database.row(connection, "check/last")
    if found is None:
        return None
    rows = database.rows(connection, "check/lines", {"check_id": found.pop("check_id")})
    return Check(**found, lines=[CheckedLine(**row) for row in rows])


def as_file(check: Check) -> str:
    """A check in Markdown, fit to be sent: no address, secret, host, role, table or person."""
    counts = ", ".join(f"{check.count(result)} {result}" for result in Result)
    blocks = [
        f"# Check of {check.checked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        f"constant_contact {check.package_version}; {counts}; {check.duration_ms / 1000:.1f} s.",
    ]
    for side, title in SIDES.items():
        lines = [line for line in check.lines if line.side == side]
        if lines:
            blocks += [f"## {title}", _table(lines), *_remedies(lines)]
    return "\n\n".join(blocks) + "\n"


def _table(lines: Sequence[CheckedLine]) -> str:
    rows = [("result", "what", "seen"), ("---", "---", "---")]
    rows += [
        (
            f"{line.result} (was {line.result_before})" if line.result_before else line.result,
            f"`{line.name}`",
            _MARKUP.sub(r"\\\g<0>", line.seen),
        )
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _remedies(lines: Iterable[CheckedLine]) -> Iterator[str]:
    """What each line that does not hold means, and what to do, without a name."""
    for line in lines:
        if line.is_found and line.assumption:
            its = line.assumption
            exact = f"\n\n```\n{line.exported_remedy}\n```" if line.exported_remedy else ""
            yield (
                f"`{line.name}`: {its.states} Where it does not hold: {its.otherwise} "
                f"To do: {its.remedy}{exact}"
            )
