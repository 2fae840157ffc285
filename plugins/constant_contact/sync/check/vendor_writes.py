"""The vendor's side of the check, writing: with a list and a contact of its own.

Nothing is written about a contact that the check did not make. What an interrupted run left is
found by the next one, by the list's name and the contact's address and company, and removed first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from constant_contact.api.client import Client
from constant_contact.api.records import text
from constant_contact.errors import BadRequest, Conflict, NotFound, Rejected
from constant_contact.sync.check import write_assumptions as says
from constant_contact.sync.check.account import Row
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.probes import (
    REFUSALS,
    RETRY,
    NotTried,
    Probe,
    calls_of,
    judge,
    name_failure,
    run_probes,
)
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

_MOST_LEFT: Final = 5
_NOT_OURS: Final = (
    "the address is that of a contact of this account: give one that no contact has. Nothing was "
    "changed"
)
_OPTED_OUT: Final = "the person with this address has unsubscribed: give another address"


def _prepare(trial: Trial) -> Iterator[Line]:
    """Refuse a contact that is not ours; remove what an earlier run left; make the list."""
    for row in trial.at_address(trial.address):
        if trial.has_address(row):
            _adopt(trial, row)
    if trial.contact_id is not None:
        _remove_left(trial, trial.contact_id)
    lists = dict(islice(trial.own_lists().items(), _MOST_LEFT))
    for list_id, contact_id in lists.items():
        if contact_id is not None:
            _remove_left(trial, contact_id)
        trial.client.delete(f"/contact_lists/{list_id}")
    trial.is_unnamed = True
    made = trial.client.post("/contact_lists", {"name": trial.list_name})
    trial.list_id = text(made.get("list_id"))
    trial.list_ids.append(trial.own_list())
    trial.is_unnamed = False
    removed = f"; an earlier run's lists that were removed: {', '.join(lists)}" if lists else ""
    yield judge(says.OWN_LIST, None, f"list {trial.list_id}{removed}")


def _remove_left(trial: Trial, contact_id: str) -> None:
    """Delete a contact that an earlier run left, unless its person has unsubscribed since."""
    try:
        contact = trial.client.get(f"/contacts/{contact_id}")
    except Rejected:
        return
    if is_own(contact) and not contact.get("deleted_at") and not has_opted_out(contact):
        trial.client.delete(f"/contacts/{contact_id}")


def _adopt(trial: Trial, contact: Row) -> None:
    """Take a contact with the address for an earlier run's.

    Raises:
        NotTried: It is none, or its person has unsubscribed.
    """
    if not is_own(contact):
        raise trial.refuse(_NOT_OURS)
    if has_opted_out(contact):
        raise trial.refuse(_OPTED_OUT)
    trial.contact_id = text(contact.get("contact_id"))


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
        _adopt(trial, trial.client.get(f"/contacts/{named[1]}"))
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


def _clean(trial: Trial) -> Iterator[Line]:
    """Delete what was made, each whatever became of the others."""
    if trial.is_unnamed:
        _find_unnamed(trial)
    if not _made(trial):
        raise NotTried(trial.refusal or "nothing was made")
    failures = []
    for what, path in _made(trial):
        try:
            trial.client.delete(path)
            if what.startswith("contact") and not trial.is_gone(what.split()[1]):
                failures.append(f"{what} is still there")
        except NotFound:
            pass
        except REFUSALS as error:
            failures.append(f"{what} is still there: {name_failure(trial.client, error)}")
    yield judge(says.REMOVAL, "; ".join(failures) or None, "list and contact are deleted")


def _find_unnamed(trial: Trial) -> None:
    """What was asked for, and made although the answer was lost."""
    trial.list_ids = list(trial.own_lists())
    trial.contact_ids = [
        contact_id
        for row in trial.at_address(trial.address)
        if trial.has_address(row)
        and is_own(row)
        and not row.get("deleted_at")
        and (contact_id := text(row.get("contact_id")))
    ]


def _made(trial: Trial) -> list[tuple[str, str]]:
    """What was made, as a line names it, and its path."""
    contacts = [(f"contact {each}", f"/contacts/{each}") for each in trial.contact_ids]
    return contacts + [(f"list {each}", f"/contact_lists/{each}") for each in trial.list_ids]


PROBES: Final[tuple[Probe[Trial], ...]] = (
    Probe(6 + 3 * _MOST_LEFT, (says.OWN_LIST,), _prepare),
    Probe(4, (says.UNSUBSCRIBED_CREATION,), _create),
    *WRITE_PROBES,
    Probe(9, (says.REMOVAL,), _clean),
)
WRITE_CALLS: Final = calls_of(PROBES)


def write_vendor(
    client: Client, contact: TrialContact, *, waits_s: Sequence[float] = WAITS_S
) -> Iterator[Line]:
    """Try each of `WRITES` with a contact of the check's own; yield one line for each.

    The contact and the list are deleted at the end. An address that another contact has is
    refused, and nothing is written then.

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
    for line in run_probes(trial.client, trial, PROBES):
        is_left = line.result in {Result.NOT_TRIED, Result.REFUSED} and _made(trial)
        if line.assumption == says.REMOVAL and is_left:
            left = ", ".join(what for what, _ in _made(trial))
            yield replace(line, seen=f"{line.seen}; made by this check: {left}")
        else:
            yield line
