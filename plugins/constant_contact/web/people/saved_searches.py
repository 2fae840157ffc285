"""Searches of the wizard that are kept under a name, to be found again and changed."""

from typing import Annotated, Final, Self

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from constant_contact.redact import is_telling
from constant_contact.sync.memberships import saved_searches
from constant_contact.web.frame.pages import go_to
from constant_contact.web.frame.tables import without_nul
from constant_contact.web.frame.visit import AnyVisit
from constant_contact.web.people.wizard import MAY_REQUEST, Asked

router = APIRouter(prefix="/memberships/searches")
_MOST_CHARS: Final = 100


def _name(text: str) -> str:
    name = without_nul(text).strip()
    if not name:
        raise PydanticCustomError("name", "a saved search needs one: type it beside the button")
    return name


class Saved(Asked):
    """The wizard's form, with the name to keep it under.

    It is kept until a person deletes it, so nothing of it may name a contact.
    """

    name: Annotated[str, Field(max_length=_MOST_CHARS), AfterValidator(_name)]

    @model_validator(mode="after")
    def _names_no_contact(self) -> Self:
        if self.contact_ids.strip():
            raise PydanticCustomError(
                "contact_ids", "a saved search keeps no ids: remove them, or use a selection"
            )
        if is_telling(self.search) or is_telling(self.name):
            raise PydanticCustomError(
                "search", "a saved search keeps no email address: remove it, then save"
            )
        return self


@router.post("", dependencies=[MAY_REQUEST])
def save(visit: AnyVisit, asked: Annotated[Saved, Form()]) -> RedirectResponse:
    """Keep a search, and show it."""
    search_id = saved_searches.save_search(
        visit.crm,
        asked.name,
        asked.list_id,
        asked.action,
        asked.wanted(),
        by=visit.user.get_name(),
    )
    return go_to(visit.request, f"/memberships/new?search={search_id}")


@router.post("/{search_id}/deletion", dependencies=[MAY_REQUEST])
def delete(visit: AnyVisit, search_id: int) -> RedirectResponse:
    """Delete a saved search."""
    saved_searches.delete_search(visit.crm, search_id)
    return go_to(visit.request, "/memberships/new")
