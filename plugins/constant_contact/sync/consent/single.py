"""One of the vendor's contacts, read and written; nothing is believed that was not seen."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import cut, parse_contact
from constant_contact.errors import BadRequest, WriteUncertain
from constant_contact.store import contacts, state
from constant_contact.sync.consent import rules

_log = logging.getLogger("constant_contact.opt_outs")

_REASON: Final = "opt_out_reason"
_TEXTS: Final = ("first_name", "last_name", "job_title", "company_name")
# ContactPutRequest: the two come together.
_BIRTHDAY: Final = {"birthday_month": 12, "birthday_day": 31}


def matching_contact(contact_id: str, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer, if it is about this contact: the same UUID in capitals is the same.

    The mirror learns the vendor's spelling, and the next linking gives it to the CRM.
    """
    answered_id = answer.get("contact_id")
    is_it = isinstance(answered_id, str) and answered_id.casefold() == contact_id.casefold()
    return dict(answer) if is_it else None


def read_contact(client: Client, contact_id: str) -> dict[str, Any]:
    """The contact as it is now.

    Raises:
        WriteUncertain: The answer is about no such contact, or about another.
    """
    current = matching_contact(contact_id, client.get(f"/contacts/{contact_id}"))
    if current is None:
        raise WriteUncertain(f"GET /contacts/{contact_id} answered with no such contact")
    return current


class Written(NamedTuple):
    """A contact as it is after a PUT, and the body that the vendor took."""

    after: dict[str, Any]
    sent: Mapping[str, Any]


def put(
    client: Client,
    contact_id: str,
    body: Mapping[str, Any],
    confirm: Callable[[], None] | None = None,
) -> Written:
    """PUT; return the contact as it is then, asked for where the answer does not show it.

    An opt-out that the vendor refuses is sent again with less of what may be the cause.

    Args:
        client: Of the account.
        contact_id: The vendor's.
        body: A ContactPutRequest.
        confirm: Called when the call has its slot; raises `Withdrawn` if it is not to be sent.

    Raises:
        Withdrawn: As `confirm` says.
        BadRequest: The vendor refuses the barest of them, too.
        WriteUncertain: The vendor says that it is done, and the contact shows otherwise.
    """
    path = f"/contacts/{contact_id}"
    wanted = body["email_address"]["permission_to_send"]
    *richer, last = _ever_plainer(body) if wanted == "unsubscribed" else [body]
    for sent in richer:
        try:
            answer = client.put(path, partial(_confirmed, sent, confirm))
            break
        except BadRequest as error:
            _log.warning("%s; sent again with less", error)
    else:
        sent = last
        answer = client.put(path, partial(_confirmed, sent, confirm))
    after = matching_contact(contact_id, answer)
    if after is None or rules.permission(after) != wanted:
        after = read_contact(client, contact_id)
    if wanted == "unsubscribed":
        is_done = not rules.is_not_out(after)
    else:
        is_done = rules.permission(after) != "unsubscribed"
    if not is_done:
        raise WriteUncertain(f"PUT {path} was answered as done, and nothing has changed")
    return Written(after, sent)


def _ever_plainer(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The bodies of an opt-out, each without something that the one before may be refused for."""
    fitting = _fitting(body)
    bodies = [body, fitting, without_reason(body), without_reason(fitting), bare(body)]
    return [each for n, each in enumerate(bodies) if each not in bodies[:n]]


def without_reason(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an opt-out without the words of a person why."""
    email = {name: value for name, value in body["email_address"].items() if name != _REASON}
    return {**body, "email_address": email}


def bare(body: Mapping[str, Any]) -> dict[str, Any]:
    """The opt-out and nothing else: the vendor forgets names and birthday, and sends no mail."""
    kept = without_reason(body)
    return {name: kept[name] for name in ("email_address", "update_source")}


def _confirmed(body: Mapping[str, Any], confirm: Callable[[], None] | None) -> Mapping[str, Any]:
    if confirm is not None:
        confirm()
    return body


def _fitting(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what a PUT may not hold, though a GET has shown it.

    A name that is too long, or half a birthday, must not keep a contact on the mailing list.
    """
    kept = {
        name: cut(value, vendor.NAME_CHARS) if name in _TEXTS and isinstance(value, str) else value
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
