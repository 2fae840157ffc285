"""The wizard: a list, who is to be put on it or taken off it, what would become of them, and then.

What is typed goes by POST, since it may be an address; the contacts found are kept as a choice, and
only its number is in an address or in a run's conf.
"""

from contextlib import suppress
from dataclasses import asdict, fields
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from constant_contact.errors import QueryTooSlow
from constant_contact.store import budget, database
from constant_contact.sync.memberships import choices, saved_searches
from constant_contact.sync.memberships.bulk_memberships import Wanted
from constant_contact.web.frame import dag_runs
from constant_contact.web.frame.access import require_trigger
from constant_contact.web.frame.pages import go_to, or_404, page
from constant_contact.web.frame.visit import AnyVisit, Reading, Visit

router = APIRouter(prefix="/memberships")

_ROWS: Final = 50
# By the page itself; about a tenth of a second a thousand.
_MOST_LOOKED_AT: Final = 5_000
_BULK: Final = "bulk_memberships"
MAY_REQUEST: Final = require_trigger(_BULK)


class Asked(BaseModel):
    """The first form, as it was filled in."""

    list_id: str
    action: Literal["add", "remove"]
    contact_ids: str = ""
    selection: str = ""
    search: str = ""
    on_list: str = ""
    not_on_list: str = ""
    is_mailable: bool = False

    def wanted(self) -> Wanted:
        """Which contacts to find; ids stand one a line."""
        ids = dict.fromkeys(filter(None, map(str.strip, self.contact_ids.splitlines())))
        rest = self.model_dump(include={field.name for field in fields(Wanted)} - {"contact_ids"})
        return Wanted(contact_ids=list(ids), **rest)


@router.get("/new", dependencies=[MAY_REQUEST])
def show_form(visit: Reading, choice: int | None = None, search: int | None = None) -> HTMLResponse:
    """The first form; filled in as a choice or a saved search was, to change it."""
    saved = _saved(visit, search) if search is not None else None
    made = _choice(visit, choice) if choice is not None else saved
    wanted = made["criteria"] if made else asdict(Wanted(is_mailable=True))
    lists = visit.crm.rows("web/live_lists")
    return page(
        visit.request,
        "wizard",
        lists=lists,
        selections=visit.crm.seam.selections(),
        searches=saved_searches.saved_searches(visit.crm),
        saved=saved,
        wanted=wanted,
        list_id=made["list_id"] if made else "",
        action=made["action"] if made else "add",
    )


@router.post("/new", dependencies=[MAY_REQUEST])
def find(visit: AnyVisit, asked: Annotated[Asked, Form()]) -> RedirectResponse:
    """Find the contacts, and show them."""
    choice_id = choices.choose(
        visit.crm, asked.list_id, asked.action, asked.wanted(), by=visit.user.get_name()
    )
    return go_to(visit.request, f"/memberships/choices/{choice_id}")


@router.get("/choices/{choice_id}")
def show_choice(visit: Reading, choice_id: int, after: str = "") -> HTMLResponse:
    """Who was found, each to be left out; once requested, how each request stands."""
    choice = _choice(visit, choice_id)
    if choice["submitted_at"] is not None:
        return _progress(visit, choice)
    with visit.crm.transaction() as connection:
        params = {"choice_id": choice_id, "after": after, "most": _ROWS + 1}
        found = database.rows(connection, "choices/chosen_contacts", params)
    return page(
        visit.request,
        "choice",
        choice=choice,
        contacts=found[:_ROWS],
        after=after,
        has_more=len(found) > _ROWS,
        may_request=visit.may_trigger(_BULK),
    )


@router.get("/choices/{choice_id}/forecast")
def show_forecast(visit: Reading, choice_id: int) -> HTMLResponse:
    """What would become of them, how many calls it takes, and the button.

    Many are looked at by a run: a page has seconds.
    """
    choice = _choice(visit, choice_id)
    if choice["contacts"] - choice["left_out"] <= _MOST_LOOKED_AT and not choice["submitted_at"]:
        with suppress(QueryTooSlow):
            choices.foretell(visit.crm, choice_id)
            choice = _choice(visit, choice_id)
    day = budget.day(visit.hook.budget_crm, visit.hook.settings)
    return page(
        visit.request,
        "forecast",
        choice=choice,
        run=dag_runs.find(visit, _BULK, _forecast_run_id(choice_id, choice["edits"])),
        left=day.left("memberships"),
        calls_per_second=day.plan.calls_per_second,
        may_request=visit.may_trigger(_BULK),
    )


@router.post("/choices/{choice_id}/forecast", dependencies=[MAY_REQUEST])
def foretell(visit: AnyVisit, choice_id: int) -> RedirectResponse:
    """Start the run that looks at many contacts."""
    run_id = _forecast_run_id(choice_id, _choice(visit, choice_id)["edits"])
    dag_runs.start(visit, _BULK, run_id, {"choice_id": choice_id, "dry_run": True})
    return go_to(visit.request, f"/memberships/choices/{choice_id}/forecast")


@router.post("/choices/{choice_id}/ticks", dependencies=[MAY_REQUEST])
def leave_out(
    visit: AnyVisit,
    *,
    choice_id: int,
    shown: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    ticked: Annotated[list[str], Form()] = [],  # noqa: B006
    everyone: Annotated[Literal["", "in", "out"], Form()] = "",
    after: Annotated[str, Form()] = "",
) -> Response:
    """Keep who is ticked of those that the page showed; or take in or leave out all."""
    if everyone:
        choices.leave_out_all(visit.crm, choice_id, is_left_out=everyone == "out")
    else:
        choices.leave_out(visit.crm, choice_id, shown=shown, ticked=ticked)
    if "HX-Request" in visit.request.headers:
        # The page stays; its forecast is made again.
        return Response(status_code=status.HTTP_204_NO_CONTENT, headers={"HX-Trigger": "ticked"})
    return go_to(visit.request, f"/memberships/choices/{choice_id}?{urlencode({'after': after})}")


@router.post("/choices/{choice_id}/request", dependencies=[MAY_REQUEST])
def request_choice(
    visit: AnyVisit, choice_id: int, edits: Annotated[int, Form()]
) -> RedirectResponse:
    """Start the run that writes the requests; a second press finds the first one's run."""
    choices.submit(visit.crm, choice_id, edits=edits, by=visit.user.get_name())
    dag_runs.start(visit, _BULK, _run_id(choice_id), {"choice_id": choice_id})
    return go_to(visit.request, f"/memberships/choices/{choice_id}")


def _progress(visit: Visit, choice: dict[str, Any]) -> HTMLResponse:
    with visit.crm.transaction() as connection:
        groups = database.rows(connection, "choices/choice_progress", choice)
        calls = database.rows(connection, "web/bulk_activities")
    run = dag_runs.find(visit, _BULK, _run_id(choice["choice_id"]))
    is_waiting = choice["requested_at"] is None and (run is None or run.goes_on)
    return page(
        visit.request,
        "choice_progress",
        choice=choice,
        groups=groups if choice["requested_at"] else [],
        calls=[call for call in calls if call["goes_on"]],
        run=run,
        goes_on=is_waiting or any(group["status"] == "pending" for group in groups),
    )


def _run_id(choice_id: int) -> str:
    return f"choice_{choice_id}"


def _forecast_run_id(choice_id: int, edits: int) -> str:
    return f"forecast_{choice_id}_{edits}"


def _choice(visit: Visit, choice_id: int) -> dict[str, Any]:
    return or_404(
        choices.find_choice(visit.crm, choice_id),
        f"There is no choice {choice_id} (any more): one that came to nothing is kept for a day.",
    )


def _saved(visit: Visit, search_id: int) -> dict[str, Any]:
    return or_404(
        saved_searches.saved_search(visit.crm, search_id),
        f"There is no saved search {search_id} (any more): choose another one in the wizard.",
    )
