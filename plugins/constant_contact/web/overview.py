"""The overview: what is left of the day's calls, and which tasks wait for more."""

from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from constant_contact.errors import ConstantContactError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.store import budget
from constant_contact.web.pages import page
from constant_contact.web.waiting import waiting_tasks

router = APIRouter()
# By one of our DAGs: without its name, a request could name any.
_MAY_READ = requires_access_dag("GET", DagAccessEntity.RUN, "constant_contact_opt_outs")
_MayRead = Annotated[Any, Depends(_MAY_READ)]


@dataclass(frozen=True)
class Lane:
    """A lane of the budget as the page shows it."""

    name: str
    limit: int
    left: int


@router.get("/")
def overview(request: Request, session: SessionDep, _may: _MayRead) -> HTMLResponse:
    """The page; a CRM or an account that cannot be asked is shown as that."""
    problem, day, lanes = "", None, []
    try:
        day = _day()
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


def _day() -> budget.Day:
    hook = ConstantContactHook()
    try:
        return budget.day(hook.crm, hook.settings)
    finally:
        hook.crm.close()
