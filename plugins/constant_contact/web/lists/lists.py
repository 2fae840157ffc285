"""Lists: members at the vendor beside the mirror's, requests that wait, refusals by reason."""

from typing import Annotated, ClassVar, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from constant_contact.store import database
from constant_contact.store.listing import keyset_page, listing
from constant_contact.sync.upkeep import findings
from constant_contact.web.frame.pages import MOST_COUNTED, or_404, page
from constant_contact.web.frame.tables import PAGE_ROWS, TableFilter, Text, numbered
from constant_contact.web.frame.visit import Reading
from constant_contact.web.people.memberships import RequestFilter

router = APIRouter(prefix="/lists")
_SUMMED: Final = (
    "vendor_members", "members", "adds_waiting", "removals_waiting", "held", "refused",
)  # fmt: skip
_MOST_REASONS: Final = 20
_DAYS: Final = 7
_MOST_REQUESTS: Final = 10


class ListFilter(TableFilter):
    """Which lists are shown, and in which order."""

    columns: ClassVar = {
        "name": False, "vendor_members": True, "members": True, "difference": True,
        "adds_waiting": True, "removals_waiting": True, "refused": True, "updated_at": True,
    }  # fmt: skip
    default: ClassVar = "name"
    ties: ClassVar = "list_id"

    search: Text = ""
    state: Literal["", "agree", "differ", "incomplete", "not compared"] = ""


ListQuery = Annotated[ListFilter, Query()]


@router.get("")
def lists(visit: Reading, asked: ListQuery) -> HTMLResponse:
    """A page of lists, by name unless another order is asked for."""
    counted = {"list_id": "", "most_counted": MOST_COUNTED}
    params = counted | {"search": asked.search, "state": asked.state}
    with visit.crm.transaction() as connection:
        found = listing(
            connection,
            "lists/shown_lists",
            params,
            order=asked.order,
            most=PAGE_ROWS,
            skip=asked.skip,
            summed=_SUMMED,
        )
        refusals = database.rows(connection, "lists/refusals", counted | {"most": _MOST_REASONS})
    return page(
        visit.request,
        "lists",
        asked=asked,
        found=found,
        pager=numbered(asked, found),
        refusals=refusals,
        most_reasons=_MOST_REASONS,
        most_counted=MOST_COUNTED,
    )


@router.get("/{list_id}")
def one_list(visit: Reading, list_id: str) -> HTMLResponse:
    """One list: its members on both sides, what changed lately, which requests are refused."""
    one = {"list_id": list_id}
    counted = one | {"most_counted": MOST_COUNTED}
    with visit.crm.transaction() as connection:
        known = or_404(
            database.row(connection, "lists/shown_lists", counted | {"search": "", "state": ""}),
            f"There is no list {list_id} at Constant Contact, or not any more: the next run of "
            "lists reads new ones.",
        )
        changes = database.rows(connection, "lists/changes_of_list", one | {"days": _DAYS})
        refusals = database.rows(connection, "lists/refusals", counted | {"most": _MOST_REASONS})
        requests = keyset_page(
            connection,
            "memberships/requests",
            {"status": "", "action": "", **one},
            RequestFilter.keyset(),
            _MOST_REQUESTS,
        )
    _, what_to_do = findings.reason({"noun": "list"})
    return page(
        visit.request,
        "list",
        list=known,
        what_to_do=what_to_do,
        days=_DAYS,
        changes=changes,
        refusals=refusals,
        most_reasons=_MOST_REASONS,
        most_counted=MOST_COUNTED,
        requests=requests.rows,
    )
