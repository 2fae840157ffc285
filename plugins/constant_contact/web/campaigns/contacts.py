"""Who did something with a campaign: each event with the CRM contacts that it belongs to."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.redact import is_telling, redact
from constant_contact.store import database
from constant_contact.web.campaigns.campaign import known_campaign
from constant_contact.web.campaigns.words import EVENTS
from constant_contact.web.frame import csv_file
from constant_contact.web.frame.access import CurrentUser, MayRead, may_trigger
from constant_contact.web.frame.accounts import CurrentAccount
from constant_contact.web.frame.crm import PageHook
from constant_contact.web.frame.pages import page
from constant_contact.web.frame.tables import PAGE_ROWS

router = APIRouter(prefix="/campaigns")
# Rows that one transaction reads of a file.
_CHUNK: Final = 5_000
_COLUMNS: Final = (
    "occurred_at", "contact_id", "name", "constant_contact_id", "activity_type", "description",
)  # fmt: skip


def _known_type(activity_type: str) -> str:
    if activity_type not in EVENTS:
        raise PydanticCustomError("activity_type", f"it must be one of {', '.join(EVENTS)}")
    return activity_type


class EventFilter(BaseModel):
    """Which events, and where the page begins: behind the last one of the page before."""

    activity_type: Annotated[str, AfterValidator(_known_type)] = "open"
    before_at: datetime | None = None
    before_event: Annotated[int, Query(ge=0, lt=2**63)] = 0


EventQuery = Annotated[EventFilter, Query()]


@router.get("/{campaign_id}/contacts")
def contacts(
    request: Request, _may: MayRead, hook: PageHook, campaign_id: str, asked: EventQuery
) -> HTMLResponse:
    """A page of events, the newest first.

    Raises:
        HTTPException: 404; there is no such campaign.
    """
    known = known_campaign(hook, campaign_id)
    found = _found(hook, campaign_id, asked, PAGE_ROWS + 1)
    shown = [row | {"contacts": _linkable(row["contacts"])} for row in found[:PAGE_ROWS]]
    with hook.crm.transaction() as connection:
        streams = database.rows(
            connection, "campaigns/streams_of_campaign", {"campaign_id": campaign_id}
        )
    return page(
        request,
        "campaign_contacts",
        campaign=known,
        events=EVENTS,
        asked=asked,
        shown=shown,
        total=sum(
            row["stored_count"] for row in streams if row["activity_type"] == asked.activity_type
        ),
        older=_after(asked, shown[-1]) if len(found) > PAGE_ROWS else "",
    )


@router.get("/{campaign_id}/contacts/csv")
def contacts_csv(
    *,
    user: CurrentUser,
    account: CurrentAccount,
    _may: MayRead,
    hook: PageHook,
    campaign_id: str,
    asked: EventQuery,
) -> StreamingResponse:
    """All of them as a file: a row an event and CRM contact.

    With names for those who may choose contacts by their names: a file goes further than a page.

    Raises:
        HTTPException: 404; there is no such campaign.
    """
    known_campaign(hook, campaign_id)
    name = f"campaign-{asked.activity_type}-events".replace("_", "-")
    may_have_names = may_trigger(user, account.dag_id("bulk_memberships"))
    columns = [each for each in _COLUMNS if may_have_names or each != "name"]
    return csv_file.answer(account, name, columns, _every(hook, campaign_id, asked))


def _every(
    hook: ConstantContactHook, campaign_id: str, asked: EventFilter
) -> Iterator[list[dict[str, Any]]]:
    left = csv_file.MOST_ROWS
    place = asked.model_copy(update={"before_at": None})
    while left > 0:
        chunk = _found(hook, campaign_id, place, min(left, _CHUNK))
        rows = [
            row | {"activity_type": asked.activity_type} | contact
            for row in chunk
            for contact in (row["contacts"] or [{"contact_id": None, "name": None}])
        ]
        yield rows[:left]
        left -= len(rows)
        if len(chunk) < _CHUNK:
            return
        place = place.model_copy(
            update={"before_at": chunk[-1]["occurred_at"], "before_event": chunk[-1]["event_id"]}
        )


def _found(
    hook: ConstantContactHook, campaign_id: str, asked: EventFilter, most: int
) -> list[dict[str, Any]]:
    params = asked.model_dump() | {"campaign_id": campaign_id, "most": most}
    with hook.crm.transaction() as connection:
        rows = database.rows(connection, "campaigns/contacts_of_campaign", params)
    # Links and reasons hold what people were sent or wrote.
    return [row | {"description": redact(row["description"])} for row in rows]


def _linkable(contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With `query`, of the page about a contact; empty if its id may be in no URL."""
    return [
        contact
        | {
            "query": ""
            if is_telling(contact["contact_id"])
            else urlencode({"contact_id": contact["contact_id"]})
        }
        for contact in contacts
    ]


def _after(asked: EventFilter, row: dict[str, Any]) -> str:
    return urlencode(
        {
            "activity_type": asked.activity_type,
            "before_at": row["occurred_at"].isoformat(),
            "before_event": row["event_id"],
        }
    )
