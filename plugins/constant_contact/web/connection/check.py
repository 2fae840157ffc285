"""The last check of what the jobs rely on: its lines, a file of them, and the start of another."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from constant_contact.accounts import DEFAULT
from constant_contact.errors import SettingError
from constant_contact.sync.check.assumptions import Result
from constant_contact.sync.check.results import SIDES, Check, as_file, load_last
from constant_contact.sync.check.run import Writes
from constant_contact.sync.check.vendor_reads import READ_CALLS
from constant_contact.sync.check.vendor_writes import WRITE_CALLS
from constant_contact.web.frame import dag_runs
from constant_contact.web.frame.access import require_trigger
from constant_contact.web.frame.pages import go_to, or_404, page
from constant_contact.web.frame.parts import part
from constant_contact.web.frame.visit import AnyVisit, Reading, Visit

router = APIRouter(prefix="/connection/check")
_NOUN: Final = "check"
# Of the runs that the page starts.
_RUN: Final = "check_"


@router.get("")
def check(visit: Reading) -> HTMLResponse:
    """The page; a run that was started here is followed until it ends."""
    return page(
        visit.request,
        "check",
        last=part(lambda: _last(visit)),
        sides=SIDES,
        results=list(Result),
        run=next(iter(dag_runs.named(visit, _NOUN, _RUN)), None),
        may_start=visit.may_trigger(_NOUN),
        read_calls=READ_CALLS,
        write_calls=WRITE_CALLS,
        once=dag_runs.once(),
    )


@router.get("/file")
def file(visit: Reading) -> Response:
    """The last check without a name or an address, to be sent."""
    last = or_404(_last(visit), "No check was kept yet: start one.")
    whose = "" if visit.account == DEFAULT else f"{visit.account.name}-"
    name = f"constant-contact-check-{whose}{last.checked_at:%Y-%m-%d-%H%M}.md"
    return Response(
        as_file(last),
        media_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("", dependencies=[require_trigger(_NOUN)])
def start(
    visit: AnyVisit,
    once: dag_runs.Once,
    write: Annotated[bool, Form()] = False,
    test_contact_id: Annotated[str, Form(max_length=2000)] = "",
) -> RedirectResponse:
    """Start a check.

    Raises:
        HTTPException: 422; a yes to writes without a contact.
    """
    try:
        writes = Writes(test_contact_id.strip(), write)
    except SettingError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
    conf = {
        "write": writes.are_allowed,
        "test_contact_id": writes.contact_id if writes.are_allowed else "",
    }
    dag_runs.start(visit, _NOUN, f"{_RUN}{once}", conf)
    return go_to(visit.request, "/connection/check")


def _last(visit: Visit) -> Check | None:
    with visit.crm.transaction() as connection:
        return load_last(connection)
