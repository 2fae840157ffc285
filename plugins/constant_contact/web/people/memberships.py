"""Memberships: what became of each request, the calls under way, and another try."""

from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from constant_contact.store import database
from constant_contact.sync.memberships import push
from constant_contact.web.frame.access import CurrentUser, MayRead, may_trigger, require_trigger
from constant_contact.web.frame.accounts import CurrentAccount
from constant_contact.web.frame.crm import PageHook
from constant_contact.web.frame.pages import MOST_COUNTED, go_to, page

router = APIRouter(prefix="/memberships")

_ROWS: Final = 50
_STATUSES: Final = ("pending", "held", "failed", "rejected", "done")
Status = Literal["", "pending", "held", "failed", "rejected", "done"]
Action = Literal["", "add", "remove"]


class Filter(NamedTuple):
    """Which requests are shown; empty: any."""

    status: Status = ""
    list_id: str = ""
    action: Action = ""

    def query(self, **more: str) -> str:
        """As the end of an address, without what is empty."""
        given = {name: value for name, value in (self._asdict() | more).items() if value}
        return f"?{urlencode(given)}" if given else ""


def _filter(status: Status = "", list_id: str = "", action: Action = "") -> Filter:
    return Filter(status, list_id, action)


@router.get("")
def list_memberships(
    request: Request,
    *,
    _may: MayRead,
    user: CurrentUser,
    account: CurrentAccount,
    hook: PageHook,
    chosen: Annotated[Filter, Depends(_filter)],
    before: datetime | None = None,
    before_contact: str = "",
    before_list: str = "",
    retried: Annotated[int | None, Query()] = None,
) -> HTMLResponse:
    """The requests, the newest first, and the calls that carry them."""
    params = chosen._asdict() | {
        "requested_at": before,
        "contact_id": before_contact,
        "after_list_id": before_list,
        "most": _ROWS + 1,
    }
    with hook.crm.transaction() as connection:
        found = database.rows(connection, "memberships/memberships", params)
        counts = database.rows(
            connection,
            "memberships/count_memberships",
            {"statuses": list(_STATUSES), "most": MOST_COUNTED + 1},
        )
        lists = database.rows(connection, "web/live_lists")
        holds = database.rows(connection, "web/holds", {"nouns": ["memberships"]})
        calls = database.rows(connection, "web/bulk_activities")
    shown = found[:_ROWS]
    return page(
        request,
        "memberships",
        memberships=shown,
        older=chosen.query(
            before=shown[-1]["requested_at"].isoformat(),
            before_contact=shown[-1]["contact_id"],
            before_list=shown[-1]["list_id"],
        )
        if len(found) > _ROWS
        else "",
        newest=chosen.query(),
        is_filtered=bool(before or any(chosen)),
        chosen=chosen,
        counts={row["status"]: row["requests"] for row in counts},
        lists=lists,
        holds=holds,
        calls=calls,
        retried=retried,
        may_retry=may_trigger(user, account.dag_id("list_memberships")),
        may_request=may_trigger(user, account.dag_id("bulk_memberships")),
    )


@router.post("/retry", dependencies=[require_trigger("list_memberships")])
def retry(
    request: Request,
    *,
    hook: PageHook,
    status: Annotated[Literal["", "failed", "rejected"], Form()] = "",
    list_id: Annotated[str, Form()] = "",
    action: Annotated[Action, Form()] = "",
    contact_id: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Put requests that were not met back into the outbox, which wakes the DAG."""
    retried = push.retry(
        hook.crm, status=status, list_id=list_id, action=action, contact_id=contact_id
    )
    here = Filter(status, list_id, action) if not contact_id else Filter()
    return go_to(request, f"/memberships{here._replace(status='').query(retried=str(retried))}")
