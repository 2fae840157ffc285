"""Memberships: what became of each request, the calls under way, and another try."""

from typing import Annotated, ClassVar, Final, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AwareDatetime

from constant_contact.store import database
from constant_contact.sync.memberships import push
from constant_contact.web.frame.access import require_trigger
from constant_contact.web.frame.pages import MOST_COUNTED, go_to, page
from constant_contact.web.frame.tables import Key, NewestFilter, newest
from constant_contact.web.frame.visit import AnyVisit, Reading

router = APIRouter(prefix="/memberships")

_STATUSES: Final = ("pending", "held", "failed", "rejected", "done")
Action = Literal["", "add", "remove"]


class RequestFilter(NewestFilter):
    """Which requests are shown, and in which order.

    Attributes:
        retried: How many were put back into the outbox a moment ago.
    """

    columns: ClassVar = {
        "name": False, "list_name": False, "action": False, "requested_at": True, "status": False,
        "processed_at": True,
    }  # fmt: skip
    default: ClassVar = "-requested_at"
    keys: ClassVar = {"requested_at": AwareDatetime, "contact_id": Key, "list_id": Key}
    left_behind: ClassVar = NewestFilter.left_behind | {"retried"}

    status: Literal["", "pending", "held", "failed", "rejected", "done"] = ""
    list_id: Key = ""
    action: Action = ""
    retried: int | None = None


@router.get("")
def list_memberships(visit: Reading, asked: Annotated[RequestFilter, Query()]) -> HTMLResponse:
    """The requests, the newest first unless another order is asked for, and what carries them."""
    with visit.crm.transaction() as connection:
        requests, pager = newest(
            connection,
            "memberships/requests",
            {"status": asked.status, "list_id": asked.list_id, "action": asked.action},
            asked,
        )
        counts = database.rows(
            connection,
            "memberships/count_memberships",
            {"statuses": list(_STATUSES), "most": MOST_COUNTED + 1},
        )
        lists = database.rows(connection, "web/live_lists")
        holds = database.rows(connection, "web/holds", {"nouns": ["memberships"]})
        calls = database.rows(connection, "web/bulk_activities")
    return page(
        visit.request,
        "memberships",
        asked=asked,
        requests=requests,
        pager=pager,
        counts={row["status"]: row["requests"] for row in counts},
        lists={row["list_id"]: row["name"] for row in lists},
        holds=holds,
        calls=calls,
        may_retry=visit.may_trigger("list_memberships"),
        may_request=visit.may_trigger("bulk_memberships"),
    )


@router.post("/retry", dependencies=[require_trigger("list_memberships")])
def retry(
    visit: AnyVisit,
    status: Annotated[Literal["", "failed", "rejected"], Form()] = "",
    list_id: Annotated[str, Form()] = "",
    action: Annotated[Action, Form()] = "",
    contact_id: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Put requests that were not met back into the outbox, which wakes the DAG."""
    retried = push.retry(
        visit.crm, status=status, list_id=list_id, action=action, contact_id=contact_id
    )
    here = RequestFilter() if contact_id else RequestFilter(list_id=list_id, action=action)
    return go_to(visit.request, f"/memberships?{here.query(retried=retried)}")
