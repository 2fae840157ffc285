"""One of the vendor's contacts, read and written; nothing is believed that was not seen."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import parse_contact
from constant_contact.errors import BadRequest, WriteUncertain
from constant_contact.store import contacts, state
from constant_contact.sync import consent

_log = logging.getLogger("constant_contact.opt_outs")

_TEXTS: Final = ("first_name", "last_name", "job_title", "company_name")
# ContactPutRequest: the two come together.
_BIRTHDAY: Final = {"birthday_month": 12, "birthday_day": 31}


def of(contact_id: str, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer, if it is about this contact: the same UUID in capitals is the same.

    The mirror learns the vendor's spelling, and the next linking gives it to the CRM.
    """
    told = answer.get("contact_id")
    is_it = isinstance(told, str) and told.casefold() == contact_id.casefold()
    return dict(answer) if is_it else None


def get(client: Client, contact_id: str) -> dict[str, Any]:
    """The contact as it is now.

    Raises:
        WriteUncertain: The answer is about no such contact, or about another.
    """
    current = of(contact_id, client.get(f"/contacts/{contact_id}"))
    if current is None:
        raise WriteUncertain(f"GET /contacts/{contact_id} answered with no such contact")
    return current


def put(
    client: Client,
    contact_id: str,
    body: Mapping[str, Any],
    confirm: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """PUT; return the contact as it is then, asked for where the answer does not show it.

    Args:
        client: Of the account.
        contact_id: The vendor's.
        body: A ContactPutRequest.
        confirm: Called when the call has its slot; raises `Withdrawn` if it is not to be sent.

    Raises:
        Withdrawn: As `confirm` says.
        WriteUncertain: The vendor says that it is done, and the contact may still be mailed.
    """
    path = f"/contacts/{contact_id}"
    wanted = body["email_address"]["permission_to_send"]
    try:
        answer = client.put(path, partial(_confirmed, body, confirm))
    except BadRequest as error:
        fitting = _fitting(body)
        if wanted != "unsubscribed" or fitting == body:
            raise
        _log.warning("%s; sent again with what the contract allows of the contact", error)
        answer = client.put(path, fitting)
    after = of(contact_id, answer)
    if after is None or consent.permission(after) != wanted:
        after = get(client, contact_id)
    if wanted == "unsubscribed" and consent.is_not_out(after):
        raise WriteUncertain(f"PUT {path} was answered as done, and nothing has changed")
    return after


def _confirmed(body: Mapping[str, Any], confirm: Callable[[], None] | None) -> Mapping[str, Any]:
    if confirm is not None:
        confirm()
    return body


def _fitting(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what a PUT may not hold, though a GET has shown it.

    A name that is too long, or half a birthday, keeps nobody on the mailing list.
    """
    kept = {
        name: value[: vendor.NAME_CHARS] if name in _TEXTS and isinstance(value, str) else value
        for name, value in body.items()
    }
    if any(kept.get(name) not in range(1, most + 1) for name, most in _BIRTHDAY.items()):
        kept = {name: value for name, value in kept.items() if name not in _BIRTHDAY}
    if isinstance(kept.get("anniversary"), str):
        # A time of day is what is too much.
        kept["anniversary"] = kept["anniversary"][: vendor.ANNIVERSARY_CHARS]
    return kept


def mirror(connection: psycopg.Connection[Any], contact: Mapping[str, Any]) -> None:
    """Keep what the vendor has just shown."""
    if record := parse_contact(dict(contact)):
        contacts.upsert_page(connection, [record], state.database_now(connection))
