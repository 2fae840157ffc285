"""What happened, in tables, and the verdict, a line a check."""

from collections.abc import Iterable, Sequence

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
        _print_links(console, verdict.reports)
        _print_interactions(console, verdict.crm)
        _print_opt_outs(console, verdict)
        _print_memberships(console, verdict.reports)
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


def _print_links(console: Console, reports: Sequence[DagReport]) -> None:
    nights = [each for each in reports if each.dag_id.endswith("_contacts")]
    lists = [each for each in reports if each.dag_id.endswith("_lists")]
    table = _table(console, "Lists and contacts", "", *(f">{report.night}" for report in nights))
    for name, label in (("active", "lists"), ("deleted", "lists deleted")):
        table.add_row(label, *(_figure(each, "lists", name) for each in lists))
    for name, label in (("living", "vendor's contacts"), ("deleted", "vendor's contacts deleted")):
        table.add_row(label, *(_figure(each, "contacts", name) for each in nights))
    for name, label in _OF_LINKS:
        table.add_row(label, *(_figure(each, "links", name) for each in nights))
    console.print(table)


_OF_LINKS = (
    ("contacts", "CRM contacts"),
    ("with_link", "linked"),
    ("linked", "  newly linked"),
    ("relinked", "  moved to another contact"),
    ("unlinked", "  unlinked"),
    ("unmatched", "unmatched"),
    ("sharing", "sharing an address"),
    ("without_email", "without email"),
    ("malformed_email", "malformed email"),
)


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


def _print_opt_outs(console: Console, verdict: Verdict) -> None:
    pushed = [each for each in verdict.reports if each.dag_id.endswith("_opt_outs")]
    table = _table(console, "Opt-outs", "", *(f">{report.night}" for report in pushed))
    for name, label in _OF_OPT_OUTS:
        table.add_row(label, *(_figure(each, "opt_outs", name) for each in pushed))
    activities = [each for each in verdict.reports if each.dag_id.endswith("_activities")]
    came = (
        f"{each.tasks.get('engagement', {}).get('events', {}).get('opt_out', 0):,}"
        for each in activities
    )
    table.add_row("vendor to CRM: opt-out events", *came)
    console.print(table)


_OF_OPT_OUTS = (
    ("unsubscribed", "CRM to vendor: unsubscribed"),
    ("resubscribed", "CRM to vendor: may be mailed again"),
    ("held", "CRM to vendor: held for a person"),
    ("unchanged", "CRM to vendor: nothing to change"),
    ("superseded", "replaced by a newer change"),
)


def _print_memberships(console: Console, reports: Iterable[DagReport]) -> None:
    carried = [each for each in reports if each.dag_id.endswith("_list_memberships")]
    table = _table(console, "List memberships", "", *(f">{report.night}" for report in carried))
    for name, label in _OF_MEMBERSHIPS:
        table.add_row(label, *(_figure(each, "memberships", name) for each in carried))
    console.print(table)


_OF_MEMBERSHIPS = (
    ("added", "CRM to vendor: put on a list"),
    ("removed", "CRM to vendor: taken off a list"),
    ("created", "  new contacts"),
    ("unchanged", "CRM to vendor: nothing to change"),
    ("rejected", "refused, with a reason"),
)


def _print_repetition(console: Console, verdict: Verdict) -> None:
    if not verdict.after:
        return
    table = _table(console, "All read again from the beginning", "", ">before", ">after", ">new")
    for name, after in verdict.after.items():
        before = verdict.before[name]
        table.add_row(name, f"{before:,}", f"{after:,}", f"{after - before:+,}".replace("+0", "0"))
    console.print(table)


def _figure(report: DagReport, task: str, name: str) -> str:
    value = report.tasks.get(task, {}).get(name, 0)
    return f"{value:,}" if isinstance(value, int) else str(value)


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
