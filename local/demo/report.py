"""What happened, in tables, and the verdict, a line a check."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demo.dag_report import DagReport
from local.demo.evidence import Crm
from local.demo.play import Verdict
from local.demo.stage import CALLS_PER_DAY, CALLS_PER_SECOND

_WIDTH_WITHOUT_TERMINAL = 110


def make_console() -> Console:
    """Standard output: with colours and lines on a terminal, plain text elsewhere."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def print_report(console: Console, verdict: Verdict) -> None:
    """All tables, then the checks."""
    _print_runs(console, verdict.reports)
    if verdict.crm is not None:
        _print_figures(console, "Lists and contacts", verdict.reports, _LISTS_AND_CONTACTS)
        _print_interactions(console, verdict.crm)
        _print_figures(console, "Opt-outs", verdict.reports, _OPT_OUTS)
        _print_figures(console, "List memberships", verdict.reports, _MEMBERSHIPS)
    _print_repetition(console, verdict)
    share = 100 * verdict.calls_today / CALLS_PER_DAY
    _say(
        console,
        f"API calls: {verdict.calls:,} in this demo; {verdict.calls_today:,} of the day's"
        f" {CALLS_PER_DAY:,} are used ({share:.1f} %), at up to {CALLS_PER_SECOND} a second",
    )
    console.print()
    for check in verdict.checks:
        word = Text("ok   ", "green") if check.is_right else Text("WRONG", "bold red")
        console.print(Text.assemble(word, "  ", check.name), soft_wrap=True)
        if check.difference:
            console.print(Text(f"         {check.difference}"), soft_wrap=True)


def _print_runs(console: Console, reports: Iterable[DagReport]) -> None:
    table = _table(console, "DAG runs", "", "DAG", "state", ">seconds", ">API calls", ">writes")
    for report in reports:
        table.add_row(
            report.night,
            report.dag_id,
            report.state,
            f"{report.seconds:.1f}",
            f"{report.calls:,}",
            f"{report.writes:,}",
        )
    console.print(table)


class _Row(NamedTuple):
    """A figure of each night; one that lies within another is named `outer.inner`."""

    label: str
    noun: str
    task: str
    figure: str


_LISTS_AND_CONTACTS = (
    _Row("lists", "lists", "lists", "active"),
    _Row("lists deleted", "lists", "lists", "deleted"),
    _Row("vendor's contacts", "contacts", "contacts", "living"),
    _Row("vendor's contacts deleted", "contacts", "contacts", "deleted"),
    _Row("CRM contacts", "contacts", "links", "contacts"),
    _Row("linked", "contacts", "links", "with_link"),
    _Row("  newly linked", "contacts", "links", "linked"),
    _Row("  moved to another contact", "contacts", "links", "relinked"),
    _Row("  unlinked", "contacts", "links", "unlinked"),
    _Row("unmatched", "contacts", "links", "unmatched"),
    _Row("sharing an address", "contacts", "links", "sharing"),
    _Row("without email", "contacts", "links", "without_email"),
    _Row("malformed email", "contacts", "links", "malformed_email"),
)
_OPT_OUTS = (
    _Row("CRM to vendor: unsubscribed", "opt_outs", "opt_outs", "unsubscribed"),
    _Row("CRM to vendor: may be mailed again", "opt_outs", "opt_outs", "resubscribed"),
    _Row("CRM to vendor: held for a person", "opt_outs", "opt_outs", "held"),
    _Row("CRM to vendor: nothing to change", "opt_outs", "opt_outs", "unchanged"),
    _Row("replaced by a newer change", "opt_outs", "opt_outs", "superseded"),
    _Row("vendor to CRM: opt-out events", "activities", "engagement", "events.opt_out"),
)
_MEMBERSHIPS = tuple(
    _Row(label, "list_memberships", "memberships", figure)
    for label, figure in (
        ("CRM to vendor: put on a list", "added"),
        ("CRM to vendor: taken off a list", "removed"),
        ("  new contacts", "created"),
        ("CRM to vendor: nothing to change", "unchanged"),
        ("refused, with a reason", "rejected"),
    )
)


def _print_figures(
    console: Console, title: str, reports: Sequence[DagReport], rows: Sequence[_Row]
) -> None:
    of_noun: dict[str, list[DagReport]] = {}
    for report in reports:
        of_noun.setdefault(report.dag_id.removeprefix("constant_contact_"), []).append(report)
    nights = (f">{report.night}" for report in of_noun[rows[0].noun])
    table = _table(console, title, "", *nights)
    for row in rows:
        table.add_row(row.label, *(_figure(report, row) for report in of_noun[row.noun]))
    console.print(table)


def _figure(report: DagReport, row: _Row) -> str:
    value: Any = report.tasks.get(row.task, {})
    for name in row.figure.split("."):
        value = value.get(name, {})
    return f"{value or 0:,}"


def _print_interactions(console: Console, crm: Crm) -> None:
    table = _table(console, "Interactions in the CRM", "type", ">rows", ">contacts", "such as")
    for kind, rows in crm.interactions.groupby("activity_type"):
        table.add_row(
            str(kind),
            f"{len(rows):,}",
            f"{rows['contact_id'].nunique():,}",
            str(rows["description"].iloc[0]),
        )
    table.add_row("all", f"{len(crm.interactions):,}", f"{crm.interactions.contact_id.nunique():,}")
    console.print(table)


def _print_repetition(console: Console, verdict: Verdict) -> None:
    if not verdict.after:
        return
    table = _table(console, "All read again from the beginning", "", ">before", ">after", ">new")
    for name, after in verdict.after.items():
        before = verdict.before[name]
        table.add_row(name, f"{before:,}", f"{after:,}", f"{after - before:+,}".replace("+0", "0"))
    console.print(table)


def _table(console: Console, title: str, *columns: str) -> Table:
    style = box.ROUNDED if console.is_terminal else None
    table = Table(title=title, title_justify="left", box=style, title_style="bold")
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left")
    console.print()
    return table


def _say(console: Console, text: str) -> None:
    console.print()
    console.print(text, highlight=False, markup=False, soft_wrap=True)
