"""Why?: what is known of one CRM contact on both sides, and why it is not on a list."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Form, HTTPException, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator

from constant_contact.errors import ConstantContactError
from constant_contact.redact import is_telling
from constant_contact.store import database
from constant_contact.store.listing import Row, keyset_page
from constant_contact.sync import objections
from constant_contact.sync.memberships.explain import explain
from constant_contact.web.calls.call_filter import CallFilter, begins_with
from constant_contact.web.frame.access import require_trigger
from constant_contact.web.frame.pages import go_to, or_404, page
from constant_contact.web.frame.tables import without_nul
from constant_contact.web.frame.visit import Reading, Visit
from constant_contact.web.people.timeline import SOURCES, timeline

_log = logging.getLogger("constant_contact.web")

router = APIRouter(prefix="/why")
_MOST_ROWS: Final = 20
_MOST_FOUND: Final = 50
_MOST_SUGGESTED: Final = 8
# Before that, nearly everybody is meant.
_LEAST_CHARS_TO_SUGGEST: Final = 2
# Of a name of two or more: where it may be split.
_MOST_WORDS: Final = 8
_MOST_INDEXED: Final = 50
_MOST_LISTS: Final = 1_000
_MOST_CHARS: Final = 300

_ANSWERS: Final = {
    "may": "May be emailed.",
    "must not be mailed": "Must not be emailed.",
    "must not exist": "Must not be at Constant Contact at all.",
}

# By the columns of consent/kept_out; the first that is so is shown.
_KEPT_OUT: Final = {
    "is_not_ours": "That opt-out is not ours: it ends at Constant Contact, or with the next "
    "cleared flag if a person lifted it.",
    "was_dismissed": "A person dismissed the opt-in: set Do Not Email and clear it if it is meant.",
    "was_restored": "The CRM was restored since our opt-out: set Do Not Email and clear it if "
    "it is meant.",
    "was_refused": "Constant Contact refused the opt-in: see the timeline below.",
    "may_be_another": "A person lifted an objection, and the addresses differ: it may be another "
    "person's. Set Do Not Email and clear it if it is meant.",
    "flag_is_unknown": "Do Not Email is not false but unknown, so nothing is taken back: set and "
    "clear it if it is meant.",
}

_Plain = Annotated[str, AfterValidator(lambda text: without_nul(text).strip())]
InUrl = Annotated[_Plain, Query(max_length=_MOST_CHARS)]
InForm = Annotated[_Plain, Form(max_length=_MOST_CHARS)]


@router.get("")
def why(visit: Reading, contact_id: InUrl = "", list_id: InUrl = "") -> HTMLResponse:
    """The form; with a contact, all about it; with a list too, how the two stand."""
    if is_telling(contact_id) or is_telling(list_id):
        raise HTTPException(
            status.HTTP_422_UNPROCESSABLE_CONTENT,
            "No email address may be in a URL: look for it by the field of this page.",
        )
    return _about(visit, contact_id, list_id)


@router.post("")
def find(
    visit: Reading, wanted: InForm = "", contact_id: InForm = "", list_id: InForm = ""
) -> HTMLResponse:
    """The contacts of a name, id or address, or all about the one that has this id.

    A form's body: no address is in a URL, and some CRMs have addresses for ids.
    """
    if contact_id:
        return _about(visit, contact_id, list_id)
    found, is_fresh = _called(visit, wanted), True
    if wanted and not found:
        # It may be the id of a contact that was added since the last look.
        is_fresh = _look(visit, wanted)
        found = _called(visit, wanted)
    if [row["contact_id"] for row in found] == [wanted]:
        return _about(visit, wanted, "")
    return _shown(visit, found=found, wanted=wanted, is_fresh=is_fresh)


def _about(visit: Visit, contact_id: str, list_id: str) -> HTMLResponse:
    is_fresh = not contact_id or _look(visit, contact_id)
    with visit.crm.transaction() as connection:
        known = _known(connection, contact_id, list_id) if contact_id else None
        lists = database.rows(connection, "web/lists", {"most": _MOST_LISTS})
    return _shown(visit, known=known, lists=lists, list_id=list_id, is_fresh=is_fresh)


def _shown(
    visit: Visit,
    *,
    known: Row | None = None,
    lists: Sequence[Row] = (),
    list_id: str = "",
    found: Sequence[Row] | None = None,
    wanted: str = "",
    is_fresh: bool,
) -> HTMLResponse:
    return page(
        visit.request,
        "why",
        known=known,
        lists=lists,
        list_id=list_id,
        found=found,
        wanted=wanted,
        most_found=_MOST_FOUND,
        is_fresh=is_fresh,
        may_lift=visit.may_trigger("opt_ins"),
        sources=SOURCES,
        shown_at=datetime.now(UTC),
    )


def _look(visit: Visit, contact_id: str) -> bool:
    """Look the contact up in the CRM; return whether that went well."""
    try:
        objections.look_and_hear(visit.crm, [contact_id])
    except ConstantContactError as error:
        # What was seen before is shown all the same.
        _log.warning("a contact could not be looked up for its page: %s", error)
        return False
    return True


@router.post("/suggestions")
def suggest(visit: Reading, wanted: InForm = "") -> HTMLResponse:
    """The contacts of a name, id or address that is half typed."""
    found = _called(visit, wanted) if len(wanted) >= _LEAST_CHARS_TO_SUGGEST else []
    return page(visit.request, "why_found", found=found[:_MOST_SUGGESTED])


def _called(visit: Visit, wanted: str) -> list[Row]:
    """The contacts of a name, id or address, each with the query of its page."""
    words = wanted.replace(",", " ").split()
    if not words:
        return []
    names = _names(wanted, words)
    indexed = {
        "whole": wanted,
        "begin": words[0],
        "two": " ".join(words[:2]),
        "second": words[1] if len(words) > 1 else words[0],
        "last": words[-1],
    }
    params = {
        "wanted": wanted,
        "one": [begins_with(one) for one, _ in names],
        "other": [begins_with(other) for _, other in names],
        "most": _MOST_FOUND,
        # no further than an index has them, whatever lower() makes of them
        **{
            name: begins_with(" ".join(text.split())[:_MOST_INDEXED])
            for name, text in indexed.items()
        },
    }
    rows = visit.crm.rows("links/contacts_called", params)
    return [row | {"query": _query(row["contact_id"])} for row in rows]


def _names(wanted: str, words: list[str]) -> list[tuple[str, str]]:
    """How one name and the other may begin; either may have blanks, and the other may be empty."""
    splits = range(1, min(len(words), _MOST_WORDS) + 1)
    return [
        (" ".join(wanted.split()), ""),
        *((" ".join(words[:split]), " ".join(words[split:])) for split in splits),
        # without the names between them
        (words[0], "" if len(words) == 1 else words[-1]),
    ]


@router.post("/lift", dependencies=[require_trigger("opt_ins")], response_model=None)
def lift(
    visit: Reading, objection_id: Annotated[int, Form()], contact_id: InForm, evidence: InForm
) -> HTMLResponse | RedirectResponse:
    """Lift one objection, for a reason; the register keeps who did it and why."""
    if not evidence:
        raise HTTPException(
            status.HTTP_422_UNPROCESSABLE_CONTENT, "An objection is lifted for a reason: say which."
        )
    _look(visit, contact_id)
    objections.lift(visit.crm, objection_id, evidence=evidence, by=visit.user.get_name())
    if query := _query(contact_id):
        return go_to(visit.request, f"/why?{query}")
    return _about(visit, contact_id, "")


def _query(contact_id: str) -> str:
    """Of the page about a contact; empty if its id may be in no URL."""
    return "" if is_telling(contact_id) else urlencode({"contact_id": contact_id})


def _known(connection: psycopg.Connection[Any], contact_id: str, list_id: str) -> Row:
    """All about a contact, as the page shows it."""
    one = {"contact_id": contact_id}
    some = one | {"most": _MOST_ROWS}
    contact = or_404(
        database.row(connection, "links/contact", one),
        f"The CRM has no contact with the id {contact_id}.",
    )
    linked_id = contact["constant_contact_id"]
    mirrored = database.row(connection, "web/mirrored_contact", {"contact_id": linked_id})
    keys = one | {"constant_contact_id": linked_id, "address": contact["preferred_email"]}
    gate = objections.ask_gate(connection, **keys)
    register = database.rows(connection, "web/objections", keys | {"most": _MOST_ROWS})
    calls = _calls(connection, linked_id)
    return {
        "contact": contact,
        "mirrored": mirrored,
        "gate": f"{_ANSWERS[gate.answer]} {gate.reason}",
        "objections": register,
        "addresses_differ": _differ(contact["email_key"], mirrored["email_key"])
        if mirrored
        else False,
        "difference": database.row(connection, "links/consent_difference", one),
        "kept_out": _kept_out(connection, contact_id, gate),
        "timeline": timeline(
            contact,
            objections=register,
            changes=database.rows(connection, "opt_outs/changes_of_contact", some),
            requests=database.rows(connection, "memberships/requests_of_contact", some),
            interactions=database.rows(connection, "interactions/interactions_of_contact", some),
            calls=calls["rows"],
        ),
        "most_of_a_kind": _MOST_ROWS,
        "calls_query": calls["query"],
        "query": _query(contact_id),
        "explanation": explain(connection, contact_id, list_id) if list_id else None,
    }


def _kept_out(connection: psycopg.Connection[Any], contact_id: str, gate: objections.Gate) -> str:
    """Why the comparison does not opt in a contact that is unsubscribed at Constant Contact."""
    if gate.answer != "may":
        return "The objections below hold it."
    found = database.row(connection, "consent/kept_out", {"contact_id": contact_id}) or {}
    reasons = (text for name, text in _KEPT_OUT.items() if found.get(name))
    return next(
        reasons,
        "The next comparison takes our opt-out back, or asks a person: see the timeline below.",
    )


def _differ(one: str | None, other: str | None) -> bool:
    """Whether two addresses are there and are not the same, by their keys."""
    return None not in (one, other) and one != other


def _calls(connection: psycopg.Connection[Any], linked_id: str | None) -> Row:
    """The last calls about a contact of the vendor's, and the query that finds them all."""
    if not linked_id:
        return {"rows": [], "query": ""}
    asked = CallFilter.model_validate({"path": f"/v3/contacts/{linked_id}", "span": "all"})
    wanted = asked.wanted(datetime.now(UTC))
    found = keyset_page(connection, "web/matching_calls", wanted, asked.keyset(), _MOST_ROWS)
    return {"rows": found.rows, "query": asked.query()}
