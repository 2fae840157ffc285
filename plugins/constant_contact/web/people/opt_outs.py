"""Opt-outs: what became of each change of Do Not Email, and what a person may do about it."""

from typing import Annotated, Any, ClassVar, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse

from constant_contact.operators.opt_ins import CONFIRM, DISMISS
from constant_contact.store import database
from constant_contact.sync.consent import opt_ins, opt_outs
from constant_contact.sync.holds import NOUNS
from constant_contact.web.frame import dag_runs
from constant_contact.web.frame.access import require_trigger
from constant_contact.web.frame.pages import MOST_COUNTED, go_to, or_404, page
from constant_contact.web.frame.tables import NewestFilter, Number, newest
from constant_contact.web.frame.visit import AnyVisit, Reading, Visit

router = APIRouter(prefix="/opt-outs")

_MAY_DECIDE: Final = require_trigger("opt_ins")
_STATUSES: Final = ("pending", "held", "failed", "done", "superseded")
# A choice as the address has it, as SQL has it.
_DO_NOT_EMAIL: Final = {"": None, "set": True, "clear": False}
_REQUESTED_BY_CONTACT: Final = {"": None, "contact": True, "account": False}


class ChangeFilter(NewestFilter):
    """Which changes of Do Not Email are shown, and in which order."""

    columns: ClassVar = {
        "change_id": True, "name": False, "changed_by": False, "status": False,
        "processed_at": True,
    }  # fmt: skip
    default: ClassVar = "-change_id"
    keys: ClassVar = {"change_id": Number}

    # What the looks at the CRM and the linking hold stands here too: there is no page of contacts.
    status: Literal["", "pending", "held", "failed", "done", "superseded"] = ""
    flag: Literal["", "set", "clear"] = ""
    wish: Literal["", "contact", "account"] = ""


@router.get("")
def list_changes(visit: Reading, asked: Annotated[ChangeFilter, Query()]) -> HTMLResponse:
    """The outbox, the newest change first unless another order is asked for.

    What the circuit breaker holds stands above it.
    """
    with visit.crm.transaction() as connection:
        changes, pager = newest(
            connection,
            "opt_outs/opt_out_changes",
            {
                "status": asked.status,
                "do_not_email": _DO_NOT_EMAIL[asked.flag],
                "requested_by_contact": _REQUESTED_BY_CONTACT[asked.wish],
            },
            asked,
        )
        counts = database.rows(
            connection,
            "opt_outs/count_opt_outs",
            {"statuses": list(_STATUSES), "most": MOST_COUNTED + 1},
        )
        holds = database.rows(connection, "web/holds", {"nouns": list(NOUNS["opt_outs"])})
    return page(
        visit.request,
        "opt_outs",
        asked=asked,
        changes=changes,
        pager=pager,
        counts={row["status"]: row["changes"] for row in counts},
        holds=holds,
    )


@router.get("/{change_id}")
def show_change(visit: Reading, change_id: int) -> HTMLResponse:
    """One change: what was asked and by whom, every decision about it, what can be done now."""
    change = _change(visit, change_id)
    with visit.crm.transaction() as connection:
        decisions = database.rows(connection, "web/decisions", {"change_id": change_id})
        confirmation = database.row(connection, "web/confirmation", change)
    return page(
        visit.request,
        "opt_out",
        change=change,
        decisions=decisions,
        confirmation=confirmation,
        runs=dag_runs.named(visit, "opt_ins", _run_id(change_id)),
        may_decide=visit.may_trigger("opt_ins"),
        may_retry=visit.may_trigger("opt_outs"),
        once=dag_runs.once(),
    )


@router.get("/{change_id}/confirmation", dependencies=[_MAY_DECIDE])
def show_confirmation(visit: Reading, change_id: int) -> HTMLResponse:
    """The step before the mail: what is sent to whom, and that it is sent once ever."""
    change = _change(visit, change_id)
    opt_ins.check_askable(visit.crm, change_id=change_id)
    lists = visit.crm.rows("web/live_lists")
    return page(visit.request, "confirmation", change=change, lists=lists, once=dag_runs.once())


@router.post("/{change_id}/confirmation", dependencies=[_MAY_DECIDE])
def ask_confirmation(
    visit: AnyVisit, change_id: int, once: dag_runs.Once, list_id: Annotated[list[str], Form()]
) -> RedirectResponse:
    """Start the run that has the vendor ask the contact."""
    opt_ins.check_askable(visit.crm, change_id=change_id)
    if visit.crm.rows("memberships/dead_lists", {"list_ids": list_id}):
        raise HTTPException(
            status.HTTP_409_CONFLICT, "One of these lists is no longer at Constant Contact."
        )
    conf = {"change_id": change_id, "action": CONFIRM, "list_ids": list_id}
    dag_runs.start(visit, "opt_ins", _run_id(change_id, once), conf)
    return go_to(visit.request, f"/opt-outs/{change_id}")


@router.post("/{change_id}/dismissal", dependencies=[_MAY_DECIDE])
def dismiss(visit: AnyVisit, change_id: int, once: dag_runs.Once) -> RedirectResponse:
    """Start the run that leaves the contact unsubscribed."""
    conf = {"change_id": change_id, "action": DISMISS}
    dag_runs.start(visit, "opt_ins", _run_id(change_id, once), conf)
    return go_to(visit.request, f"/opt-outs/{change_id}")


@router.post("/{change_id}/retry", dependencies=[require_trigger("opt_outs")])
def retry(visit: AnyVisit, change_id: int) -> RedirectResponse:
    """Put a failed change back into the outbox, which wakes the DAG."""
    opt_outs.retry(visit.crm, change_id=change_id, by=visit.user.get_name())
    return go_to(visit.request, f"/opt-outs/{change_id}")


def _run_id(change_id: int, once: str = "") -> str:
    return f"change_{change_id}_{once}"


def _change(visit: Visit, change_id: int) -> dict[str, Any]:
    change = visit.crm.row("opt_outs/opt_out_change", {"change_id": change_id})
    return or_404(change, f"There is no change {change_id}.")
