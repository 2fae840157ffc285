"""Why?: what is known of one CRM contact on both sides, and why it is not on a list."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Form, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse

from constant_contact.store import call_search, database
from constant_contact.sync.explanations import explain
from constant_contact.web.access import MayRead
from constant_contact.web.call_filter import CallFilter
from constant_contact.web.crm import PageHook
from constant_contact.web.pages import page

router = APIRouter(prefix="/why")
_MOST_ROWS: Final = 20
_MOST_FOUND: Final = 50
_MOST_LISTS: Final = 1_000
_MOST_CHARS: Final = 300

Id = Annotated[str, Query(max_length=_MOST_CHARS)]


@router.get("")
def why(
    request: Request, _may: MayRead, hook: PageHook, contact_id: Id = "", list_id: Id = ""
) -> HTMLResponse:
    """The form; with a contact, all about it; with a list too, how the two stand.

    Raises:
        HTTPException: 404; the CRM has no such contact.
    """
    contact_id, list_id = _plain(contact_id), _plain(list_id)
    with hook.crm.transaction() as connection:
        known = _known(connection, contact_id, list_id) if contact_id else None
        lists = database.rows(connection, "web/lists", {"most": _MOST_LISTS})
    return page(request, "why", known=known, lists=lists, list_id=list_id, found=None)


@router.post("")
def find(
    request: Request,
    _may: MayRead,
    hook: PageHook,
    email: Annotated[str, Form(max_length=_MOST_CHARS)] = "",
) -> HTMLResponse:
    """The contacts with an address; a form's body, since no address may be in a URL."""
    params = {"email": _plain(email), "most": _MOST_FOUND}
    with hook.crm.transaction() as connection:
        found = database.rows(connection, "links/contacts_with_email", params)
    links = [row | {"query": urlencode({"contact_id": row["contact_id"]})} for row in found]
    return page(request, "why", known=None, lists=[], list_id="", found=links)


def _known(connection: psycopg.Connection[Any], contact_id: str, list_id: str) -> dict[str, Any]:
    """All about a contact, as the page shows it."""
    one = {"contact_id": contact_id}
    some = one | {"most": _MOST_ROWS}
    contact = database.row(connection, "links/contact", one)
    if contact is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"The CRM has no contact with the id {contact_id}."
        )
    linked_id = contact["constant_contact_id"]
    mirrored = database.row(connection, "web/mirrored_contact", {"contact_id": linked_id})
    return {
        "contact": contact,
        "mirrored": mirrored,
        "addresses_differ": _differ(contact["email_key"], mirrored["email_key"])
        if mirrored
        else False,
        "difference": database.row(connection, "links/consent_difference", one),
        "changes": database.rows(connection, "opt_outs/changes_of_contact", some),
        "requests": database.rows(connection, "memberships/requests_of_contact", some),
        "interactions": database.rows(connection, "interactions/interactions_of_contact", some),
        "calls": _calls(connection, linked_id),
        "explanation": explain(connection, contact_id, list_id) if list_id else None,
    }


def _differ(one: str | None, other: str | None) -> bool:
    """Whether two addresses are there and are not the same, told by their keys."""
    return None not in (one, other) and one != other


def _calls(connection: psycopg.Connection[Any], linked_id: str | None) -> dict[str, Any]:
    """The last calls about a contact of the vendor's, and the query that finds them all."""
    if not linked_id:
        return {"rows": [], "query": ""}
    asked = CallFilter.model_validate({"path": f"/v3/contacts/{linked_id}", "span": "all"})
    wanted = asked.wanted(datetime.now(UTC))
    found = call_search.page(connection, wanted, _MOST_ROWS)
    return {"rows": found.rows, "query": asked.query()}


def _plain(text: str) -> str:
    # PostgreSQL's texts know no NUL
    return text.replace("\0", "").strip()
