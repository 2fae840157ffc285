"""The overview: what is left of the day's calls, and which tasks wait for more."""

from dataclasses import dataclass

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from constant_contact.errors import ConstantContactError
from constant_contact.store import budget
from constant_contact.web.access import MayRead
from constant_contact.web.crm import page_hook
from constant_contact.web.pages import page
from constant_contact.web.waiting import waiting_tasks

router = APIRouter()


@dataclass(frozen=True)
class Lane:
    """A lane of the budget as the page shows it."""

    name: str
    limit: int
    left: int


@router.get("/")
def overview(request: Request, session: SessionDep, _may: MayRead) -> HTMLResponse:
    """The page; a CRM or an account that cannot be asked is shown as that."""
    problem, day, lanes = "", None, []
    try:
        hook = page_hook()
        day = budget.day(hook.crm, hook.settings)
        lanes = [Lane(name, day.limit(name), day.left(name)) for name in budget.RESERVED_SHARE]
    except ConstantContactError as error:
        problem = str(error)
    return page(
        request,
        "overview",
        problem=problem,
        day=day,
        lanes=lanes,
        waiting=waiting_tasks(session),
    )
