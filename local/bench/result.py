"""What a bench found: tables to read, and figures held against targets."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass
class Check:
    """One figure and the target the project set itself."""

    what: str
    value: float
    unit: str
    target: str
    met: bool


@dataclass
class Result:
    """All of one bench.

    Attributes:
        notes: What one must know to read the figures; plans.
    """

    name: str
    title: str
    headings: Sequence[str] = ()
    rows: list[Sequence[Any]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def at_least(self, what: str, value: float, bound: float, unit: str = "") -> None:
        """Check that a figure reaches `bound`."""
        target = f"≥ {shown(bound)}{unit}"
        self.checks.append(Check(what, value, unit, target, value >= bound))

    def at_most(self, what: str, value: float, bound: float, unit: str = "") -> None:
        """Check that a figure stays within `bound`."""
        target = f"≤ {shown(bound)}{unit}"
        self.checks.append(Check(what, value, unit, target, value <= bound))

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self) | {
            "rows": [dict(zip(self.headings, row, strict=True)) for row in self.rows]
        }

    def print(self, console: Console) -> None:
        """Print it; without a terminal the tables are plain."""
        console.print()
        console.print(f"[bold]{self.name}[/]: {self.title}", highlight=False, soft_wrap=True)
        if self.rows:
            console.print(_table(console, self.headings, self.rows))
        if self.checks:
            met = {True: "[green]yes[/]", False: "[red]no[/]"}
            rows = [
                (check.what, f"{shown(check.value)}{check.unit}", check.target, met[check.met])
                for check in self.checks
            ]
            console.print(_table(console, ("figure", "measured", "target", "met"), rows))
        for note in self.notes:
            console.print(note, markup=False, highlight=False, soft_wrap=True)


def shown(value: Any) -> str:
    """A figure as a person reads it: no more digits than it can mean."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    for least, digits in ((100, 0), (10, 1)):
        if abs(value) >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.2f}"


def _table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    # without a terminal it is read as text, or pasted into a page
    table = Table(box=box.ROUNDED if console.is_terminal else box.MARKDOWN)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=number == 0)
    for row in rows:
        table.add_row(*map(shown, row))
    return table
