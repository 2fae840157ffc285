"""What needs a person: each line says what to do, and links to where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import select
from sqlalchemy.orm import Session

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.airflow_versions import ASKING
from constant_contact.api.vendor import REFRESH_IDLE_DAYS, REFRESH_WARN_DAYS, REPORTED_ROLES
from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.options import OPTIONS, SECTION
from constant_contact.store import database
from constant_contact.sync.check.results import load_last
from constant_contact.sync.upkeep import findings
from constant_contact.web.frame.metadata import short

_REJECTED_WITHIN: Final = timedelta(days=7)
_CHECKED_WITHIN: Final = timedelta(days=7)
_MOST_QUESTIONS: Final = 20


@dataclass(frozen=True)
class Line:
    """One thing to do.

    Attributes:
        text: What is so, and what to do about it.
        path: Where: below our root, or below Airflow's.
        link: What the button to it is called: what one does there.
        is_form: The button does it, by a form of one's own that is sent to `path`.
    """

    text: str
    path: str
    link: str
    is_airflows: bool = False
    is_form: bool = False


def of_crm(hook: ConstantContactHook) -> list[Line]:
    """What waits in the outboxes, and the reports that could not be read whole."""
    since = {"since": datetime.now(UTC) - _REJECTED_WITHIN}
    with hook.crm.transaction() as connection:
        unmet = database.row(connection, "web/count_unmet", since) or {}
        roles = {"reported_roles": sorted(REPORTED_ROLES)}
        troubled = database.rows(connection, "engagement/troubled_streams", roles)
        aside = database.rows(connection, "set_aside/standing", {"noun": None})
    activities_dag = Account.of_crm(hook.crm_conn_id).dag_id("activities")
    return [
        *_of_outboxes(unmet),
        *_of_streams(troubled, activities_dag),
        *_of_set_aside(troubled, aside),
    ]


# By `ctct_finding.noun`: what of it differs.
_FOUND: Final = {
    "campaign": "The ledger lacks contacts that Constant Contact counts",
    "contacts": "The mirror has another number of contacts than Constant Contact counts",
    "list": "The mirror has another number of members of lists than Constant Contact counts",
}
_MOST_NAMED: Final = 3

# By column of web/count_unmet: what one of it is called, several of it, and what to do.
_UNMET: Final = {
    "failed_opt_outs": (
        "change of Do Not Email was",
        "changes of Do Not Email were",
        "refused by Constant Contact, so these contacts may still be emailed: see why, correct the "
        "contact, and try again.",
        "/opt-outs",
    ),
    "held_opt_outs": (
        "opt-out is",
        "opt-outs are",
        "held by the circuit breaker: see whether so many are meant, and approve or reject them.",
        "/opt-outs",
    ),
    "held_opt_ins": (
        "opt-in is",
        "opt-ins are",
        "held, because these contacts opted out themselves: ask them for confirmation, or dismiss.",
        "/opt-outs",
    ),
    "held_memberships": (
        "removal from a list is",
        "removals from lists are",
        "held by the circuit breaker: see whether so many are meant, and approve or reject them.",
        "/memberships",
    ),
    "failed_memberships": (
        "list membership has",
        "list memberships have",
        "failed several times: see why, and request them again.",
        "/memberships",
    ),
    "rejected_memberships": (
        "list membership was",
        "list memberships were",
        "rejected in the last 7 days, because it cannot be met: see why.",
        "/memberships",
    ),
}
_PAGES: Final = {"/opt-outs": "Review opt-outs", "/memberships": "Review memberships"}


def _of_outboxes(unmet: dict[str, int]) -> list[Line]:
    return [
        Line(f"{_counted(unmet[column], one, several)} {what}", path, _PAGES[path])
        for column, (one, several, what, path) in _UNMET.items()
        if unmet[column]
    ]


def _of_streams(troubled: Sequence[dict[str, Any]], activities_dag: str) -> list[Line]:
    refused = sum(row["failure"] is not None and not row["is_unexpected"] for row in troubled)
    short_ones = [row["shortfall"] for row in troubled if row["shortfall"] > 0]
    lines = []
    if refused:
        lines.append(
            Line(
                f"{_counted(refused, 'engagement report is', 'engagement reports are')} refused by "
                "Constant Contact, and asked for again from time to time: if that goes on, show "
                "its answer to Constant Contact's support.",
                "/calls",
                "See API calls",
            )
        )
    if short_ones:
        lines.append(
            Line(
                f"{_counted(len(short_ones), 'engagement report lists', 'engagement reports list')}"
                f" {sum(short_ones):,} events fewer than Constant Contact counts: if it stays so, "
                "trigger activities with reread, which reads all reports whole.",
                f"/dags/{activities_dag}",
                "Open activities",
                is_airflows=True,
            )
        )
    return lines


def _of_set_aside(
    troubled: Sequence[dict[str, Any]], aside: Sequence[dict[str, Any]]
) -> list[Line]:
    """What met an unexpected error while it was read, with the first reason."""
    reasons = [row["reason"] for row in aside]
    reasons += [row["failure"] for row in troubled if row["is_unexpected"]]
    if not reasons:
        return []
    what = _counted(len(reasons), "row of Constant Contact was", "rows of Constant Contact were")
    return [
        Line(
            f"{what} set aside, and the others are read without: {reasons[0]}.",
            "/calls",
            "See API calls",
        )
    ]


def of_findings(hook: ConstantContactHook) -> list[Line]:
    """Where what is stored is not what Constant Contact counts: one line a reason."""
    rows = hook.crm.rows("completeness/findings", {"noun": None})
    by_reason: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        by_reason.setdefault((row["noun"], row["reason"]), []).append(row)
    account = Account.of_crm(hook.crm_conn_id)
    return [_of_finding(noun, found, account) for (noun, _), found in by_reason.items()]


def _of_finding(noun: str, rows: Sequence[dict[str, Any]], account: Account) -> Line:
    why, what_to_do = findings.reason(rows[0])
    named = "; ".join(_counts(row) for row in rows[:_MOST_NAMED])
    others = len(rows) - _MOST_NAMED
    noun_of_dag = "activities" if noun == "campaign" else "contacts"
    dag_id = account.dag_id(noun_of_dag)
    return Line(
        f"{_FOUND[noun]}: {named}{f', and {others:,} more' if others > 0 else ''}. "
        f"{why[0].upper()}{why[1:]}: {what_to_do}.",
        f"/dags/{dag_id}",
        f"Open {noun_of_dag}",
        is_airflows=True,
    )


def _counts(row: dict[str, Any]) -> str:
    name = f"“{row['name'] or row['subject_id']}” " if row["subject_id"] else ""
    kind = f"{row['kind'].replace('_', '-')} " if row["kind"] else ""
    return f"{name}{kind}{row['our_count']:,} of {row['vendor_count']:,}"


def of_check(hook: ConstantContactHook) -> list[Line]:
    """What the last check found, if that is news still."""
    with hook.crm.transaction() as connection:
        last = load_last(connection)
    if last is None or datetime.now(UTC) - last.checked_at > _CHECKED_WITHIN:
        return []
    found = [line.name.replace("_", " ") for line in last.lines if line.is_found]
    if not found:
        return []
    named = ", ".join(found[:_MOST_NAMED])
    others = len(found) - _MOST_NAMED
    return [
        Line(
            f"The check of {last.checked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC found "
            f"{_counted(len(found), 'thing that does not', 'things that do not')} hold: {named}"
            f"{f', and {others:,} more' if others > 0 else ''}. See what each means for the jobs.",
            "/connection/check",
            "Check",
        )
    ]


def of_settings() -> list[Line]:
    """What is set under a name that no option has: a misspelt one leaves the default as it is."""
    return [
        Line(
            f"Airflow's configuration has [{SECTION}] {option}, which is no option of this package "
            f"and changes nothing{_meant(option)}.",
            "/configs",
            "Open Config",
            is_airflows=True,
        )
        for option in config.unknown_options()
    ]


def _meant(option: str) -> str:
    alike = get_close_matches(option, OPTIONS, n=1)
    return f": {alike[0]} may be meant" if alike else ""


def of_authorization(hook: ConstantContactHook) -> list[Line]:
    """Whether the account can be used, as far as it shows without asking Constant Contact."""
    try:
        said = _of_tokens(hook)
    except SettingError as error:
        said = str(error)
    return [Line(said, "/connection", "Open Connection")] if said else []


def _of_tokens(hook: ConstantContactHook) -> str:
    settings, pair = hook.settings, hook.stored_tokens()
    if pair is None and not settings.refresh_token:
        return f"Connection {settings.conn_id} is not authorized: authorize it."
    call = hook.crm.row("web/last_token_call", {"token_url": settings.token_url})
    if call and _is_refusal(call) and (pair is None or pair.obtained_at_utc < call["called_at"]):
        return (
            f"Constant Contact refused to renew the tokens of connection {settings.conn_id} at "
            f"{call['called_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC "
            f"({call['error_key'] or call['status']}): authorize it again, unless that is done."
        )
    idle = datetime.now(UTC) - pair.obtained_at_utc if pair else timedelta()
    if idle.days >= REFRESH_WARN_DAYS:
        retention_dag = Account.of_crm(hook.crm_conn_id).dag_id("retention")
        return (
            f"The refresh token of connection {settings.conn_id} was last used {idle.days} days "
            f"ago; Constant Contact forgets it after {REFRESH_IDLE_DAYS}: switch on "
            f"{retention_dag}, which uses it every night."
        )
    return ""


def _is_refusal(call: dict[str, Any]) -> bool:
    status = call["status"] or 0
    return status // 100 == HTTPStatus.BAD_REQUEST // 100 and status != HTTPStatus.TOO_MANY_REQUESTS


def of_questions(session: Session, dag_ids: Sequence[str]) -> list[Line]:
    """What our runs ask a person, under Required Actions.

    Raises:
        QueryTooSlow: Airflow's database takes too long.
    """
    asking = (
        select(HITLDetail.subject, TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id)
        .select_from(TaskInstance)
        .join(HITLDetail, HITLDetail.ti_id == TaskInstance.id)
        .where(
            TaskInstance.dag_id.in_(dag_ids),
            TaskInstance.state.in_(ASKING),
            HITLDetail.responded_at.is_(None),
        )
        .order_by(HITLDetail.created_at)
        .limit(_MOST_QUESTIONS)
    )
    with short(session):
        questions = session.execute(asking).all()
    return [
        Line(
            f"{each.subject} Answer the question.",
            f"/dags/{each.dag_id}/runs/{quote(each.run_id)}/tasks/{each.task_id}/required_actions",
            "Answer",
            is_airflows=True,
        )
        for each in questions
    ]


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
