"""The vendor's side of the check, writing: with a list and a contact of its own.

Nothing is written about a contact that the check did not make. What an interrupted run left is
found by the next one, by the list's name and the contact's address and company, and removed first;
but a contact that has come to another list, or is linked, is a subscriber and left alone.
"""

import logging
from collections.abc import Collection, Generator, Iterator, Sequence
from itertools import islice
from typing import Final

import psycopg

from constant_contact.api.client import Client
from constant_contact.api.records import text
from constant_contact.errors import BadRequest, Conflict, ConstantContactError, Rejected
from constant_contact.sync.check import write_assumptions as says
from constant_contact.sync.check.account import Row
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.probes import (
    RETRY,
    NotTried,
    Probe,
    calls_of,
    judge,
    name_failure,
    probe,
    run_probes,
)
from constant_contact.sync.check.removal import REMOVAL_CALLS, remove_made
from constant_contact.sync.check.trial import (
    NAMES,
    WAITS_S,
    Trial,
    email_of,
    has_opted_out,
    is_own,
)
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.write_probes import WRITE_PROBES
from constant_contact.sync.memberships.new_contacts import TAKEN_BY

_log = logging.getLogger("constant_contact.check")
_MOST_LEFT: Final = 5
_NOT_OURS: Final = (
    "the address is that of a contact of this account: give one that no contact has. Nothing was "
    "changed"
)
_IN_USE: Final = (
    "contact {} was made by an earlier run, and is on a list or linked now: it is left alone. Give "
    "an address that no contact has, or delete it at Constant Contact. Nothing was changed"
)
_OPTED_OUT: Final = "the person with this address has unsubscribed: give another address"


@probe(6 + 3 * _MOST_LEFT, says.OWN_LIST)
def _prepare(trial: Trial) -> Iterator[Line]:
    """Refuse a contact that is not ours; remove what an earlier run left; make the list."""
    left = trial.own_lists()
    for row in trial.at_address(trial.address):
        if trial.has_address(row):
            _adopt(trial, row, left)
    if trial.contact_id is not None:
        _remove_left(trial, trial.contact_id, left)
    lists = dict(islice(left.items(), _MOST_LEFT))
    kept = []
    for list_id, contact_id in lists.items():
        if contact_id is not None and not _remove_left(trial, contact_id, left):
            kept.append(contact_id)
        trial.client.delete(f"/contact_lists/{list_id}")
    trial.is_unnamed = True
    made = trial.client.post("/contact_lists", {"name": trial.list_name})
    trial.list_id = text(made.get("list_id"))
    trial.list_ids.append(trial.own_list())
    trial.is_unnamed = False
    others = f"; not a check's any more, and left: contact {', '.join(kept)}" if kept else ""
    removed = f"; an earlier run's lists that were removed: {', '.join(lists)}" if lists else ""
    yield judge(says.OWN_LIST, None, f"list {trial.list_id}{removed}{others}")


def _remove_left(trial: Trial, contact_id: str, left: Collection[str]) -> bool:
    """Delete a contact that an earlier run left; return whether it is a check's or gone."""
    try:
        contact = trial.look_at(contact_id)
    except Rejected:
        return True
    if contact.get("deleted_at"):
        return True
    if not is_own(contact) or has_opted_out(contact) or _is_in_use(trial, contact, left):
        return False
    trial.client.delete(f"/contacts/{contact_id}")
    return True


def _adopt(trial: Trial, contact: Row, left: Collection[str]) -> None:
    """Take a contact with the address for an earlier run's.

    Raises:
        NotTried: It is none, it is in use, or its person has unsubscribed.
    """
    if not is_own(contact):
        raise trial.refuse(_NOT_OURS)
    if has_opted_out(contact):
        raise trial.refuse(_OPTED_OUT)
    if _is_in_use(trial, contact, left):
        raise trial.refuse(_IN_USE.format(contact.get("contact_id")))
    trial.contact_id = text(contact.get("contact_id"))


def _is_in_use(trial: Trial, contact: Row, left: Collection[str]) -> bool:
    """Whether a contact that a check made has become a subscriber: on a list, or linked."""
    if contact.get("deleted_at"):
        return False
    lists = contact.get("list_memberships")
    is_on_none = isinstance(lists, list) and set(lists) <= set(left)
    return not is_on_none or trial.crm_contact.is_linked(str(contact.get("contact_id")))


@probe(6, says.UNSUBSCRIBED_CREATION)
def _create(trial: Trial) -> Iterator[Line]:
    list_id = trial.own_list()
    if trial.contact_id is not None:
        _revive(trial)
        seen = "the contact is an earlier run's: give another address to try it"
        yield Line(says.UNSUBSCRIBED_CREATION, Result.NOT_TRIED, seen)
        return
    body = trial.body("unsubscribed", list_memberships=[list_id], **NAMES)
    body["create_source"] = body.pop("update_source")
    problem = None
    trial.is_unnamed = True
    try:
        made = trial.client.post("/contacts", body)
    except BadRequest as error:
        problem = f"refused with lists ({name_failure(trial.client, error)}), not without"
        made = trial.client.post("/contacts", body | {"list_memberships": []})
    except Conflict as error:
        # The search did not find it.
        trial.is_unnamed = False
        named = TAKEN_BY.search(error.said)
        if not named:
            raise trial.refuse(_NOT_OURS) from None
        _adopt(trial, trial.look_at(named[1]), trial.own_lists())
        _revive(trial)
        raise NotTried("the contact is an earlier run's: give another address") from None
    trial.contact_id = text(made.get("contact_id"))
    trial.contact_ids.append(trial.own_contact())
    trial.is_unnamed = False
    _name_contact(trial)
    permission = email_of(made).get("permission_to_send")
    if permission != "unsubscribed":
        problem = f"it was created as {permission}"
    yield judge(says.UNSUBSCRIBED_CREATION, problem, f"contact {trial.contact_id}")


def _revive(trial: Trial) -> None:
    """Bring back the contact that an earlier run made and that is deleted."""
    contact_id = trial.own_contact()
    trial.contact_ids.append(contact_id)
    trial.client.put(f"/contacts/{contact_id}", trial.body("unsubscribed", **NAMES))
    _name_contact(trial)


def _name_contact(trial: Trial) -> None:
    """Have the list name the contact: a run that is given another address finds it so."""
    body = {"name": trial.list_name, "description": trial.own_contact()}
    trial.client.put(f"/contact_lists/{trial.own_list()}", body)


PROBES: Final[tuple[Probe[Trial], ...]] = (_prepare, _create, *WRITE_PROBES)
WRITE_CALLS: Final = calls_of(PROBES) + REMOVAL_CALLS


def write_vendor(
    client: Client, contact: TrialContact, *, waits_s: Sequence[float] = WAITS_S
) -> Generator[Line, None, None]:
    """Try each of `WRITES` with a contact of the check's own; yield one line for each.

    The contact and the list are deleted at the end, whatever brings it. An address that another
    contact has is refused, and nothing is written then.

    Args:
        client: Of the account; up to `WRITE_CALLS` of its calls are made, and the repeats of those
            that fail.
        contact: Whose address no contact of the account has, and whose owner agrees. No line, error
            or log holds it.
        waits_s: Between looks at a bulk job; together its time limit, in seconds.

    Raises:
        ConstantContactError: The CRM database, where tokens and budget are, cannot be used.
    """
    trial = Trial(client.repeating(RETRY), contact, waits_s)
    try:
        yield from run_probes(trial.client, trial, PROBES)
    except (ConstantContactError, psycopg.Error):
        yield remove_made(trial)
        raise
    except BaseException:
        # A signal or a time limit: no line is read any more, but the log is.
        _log.warning("the check was interrupted: removal: %s", remove_made(trial).seen)
        raise
    yield remove_made(trial)
