"""Who did something with a campaign: each event with the CRM contacts that it belongs to."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

from constant_contact.redact import is_telling, redact
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.store.listing import Row, keyset_chunks
from constant_contact.web.campaigns.campaign import known_campaign
from constant_contact.web.campaigns.words import EVENTS
from constant_contact.web.frame import csv_file
from constant_contact.web.frame.pages import page
from constant_contact.web.frame.tables import Key, Number, PlacedFilter, placed
from constant_contact.web.frame.visit import Reading

Connection = psycopg.Connection[Any]
router = APIRouter(prefix="/campaigns")
_EVENTS: Final = "campaigns/events_of_streams"
_COLUMNS: Final = (
    "occurred_at", "contact_id", "name", "constant_contact_id", "activity_type", "description",
)  # fmt: skip


def _known_type(activity_type: str) -> str:
    if activity_type not in EVENTS:
        raise PydanticCustomError("activity_type", f"it must be one of {', '.join(EVENTS)}")
    return activity_type


class EventFilter(PlacedFilter):
    """Which events are shown: a contact's together, as their index has them."""

    columns: ClassVar = {"contact_id": False}
    default: ClassVar = "contact_id"
    keys: ClassVar = {
        "contact_id": Key, "stream_id": Number, "occurred_at": AwareDatetime, "event_id": Number,
    }  # fmt: skip

    activity_type: Annotated[str, AfterValidator(_known_type)] = "open"


EventQuery = Annotated[EventFilter, Query()]


@router.get("/{campaign_id}/contacts")
def contacts(visit: Reading, campaign_id: str, asked: EventQuery) -> HTMLResponse:
    """A page of events, by contact."""
    known = known_campaign(visit, campaign_id)
    with visit.crm.transaction() as connection:
        streams = _streams(connection, campaign_id, asked)
        found, pager = placed(connection, _EVENTS, _params(streams), asked)
        events = _with_contacts(connection, found)
    return page(
        visit.request,
        "campaign_contacts",
        campaign=known,
        events=EVENTS,
        asked=asked,
        shown=[row | {"contacts": _linkable(row["contacts"])} for row in events],
        total=sum(row["stored_count"] for row in streams),
        pager=pager,
    )


@router.get("/{campaign_id}/contacts/csv")
def contacts_csv(visit: Reading, campaign_id: str, asked: EventQuery) -> StreamingResponse:
    """All of them as a file: a row an event and CRM contact.

    With names for those who may choose contacts by their names: a file goes further than a page.
    """
    known_campaign(visit, campaign_id)
    name = f"campaign-{asked.activity_type}-events".replace("_", "-")
    may_have_names = visit.may_trigger("bulk_memberships")
    columns = [each for each in _COLUMNS if may_have_names or each != "name"]
    return csv_file.answer(visit.account, name, columns, _every(visit.crm, campaign_id, asked))


def _every(crm: Database, campaign_id: str, asked: EventFilter) -> Iterator[list[dict[str, Any]]]:
    with crm.transaction() as connection:
        params = _params(_streams(connection, campaign_id, asked))
    left = csv_file.MOST_ROWS
    for chunk in keyset_chunks(crm, _EVENTS, params, asked.keyset(), left):
        with crm.transaction() as connection:
            events = _with_contacts(connection, chunk)
        rows = [
            row | {"activity_type": asked.activity_type} | contact
            for row in events
            for contact in (row["contacts"] or [{"contact_id": None, "name": None}])
        ]
        yield rows[:left]
        left -= len(rows)
        if left <= 0:
            return


def _streams(connection: Connection, campaign_id: str, asked: EventFilter) -> list[Row]:
    """The reports of a campaign that have what is asked for."""
    streams = database.rows(
        connection, "campaigns/streams_of_campaign", {"campaign_id": campaign_id}
    )
    return [row for row in streams if row["activity_type"] == asked.activity_type]


def _params(streams: list[Row]) -> dict[str, Any]:
    return {"stream_ids": [row["stream_id"] for row in streams]}


def _with_contacts(connection: Connection, found: list[Row]) -> list[Row]:
    """What each event is, in words, and whose."""
    params = {key: [row[key] for row in found] for key in EventFilter.keys}
    rows = database.rows(connection, "campaigns/contacts_of_events", params)
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
