"""Takes away what the writing check made, whatever ended it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from constant_contact.api.records import text
from constant_contact.errors import ConstantContactError, NotFound
from constant_contact.sync.check import write_assumptions as says
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.probes import ODD_ANSWERS, NotTried, judge, why_failed
from constant_contact.sync.check.trial import WAITS_S, Trial, email_of, is_own

# Unsubscribe; wait for two jobs; delete two contacts and a list; look for what has no name.
REMOVAL_CALLS: Final = 2 + 2 * len(WAITS_S) + 5 + 6


class _Problems(list[str]):
    """What could not be done."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    @contextmanager
    def kept(self, what: str) -> Iterator[None]:
        """Go on after a step that fails, and keep why."""
        try:
            yield
        except NotFound:
            pass
        except (ConstantContactError, psycopg.Error, NotTried, *ODD_ANSWERS) as error:
            self.append(f"{what}: {why_failed(self._trial.client, error)}")


def remove_made(trial: Trial) -> Line:
    """Unsubscribe and delete what a run made, each whatever becomes of the others.

    Returns:
        The line of `removal`, which names what is still there.
    """
    problems = _Problems(trial)
    if trial.was_opted_in:
        # First: what cannot be deleted is not emailed, and no import opts it in again.
        with problems.kept(f"contact {trial.contact_id} may still be emailed"):
            _unsubscribe(trial)
    if trial.open_jobs:
        with problems.kept("whether bulk jobs have ended is unknown"):
            trial.wait_for_open_jobs()
    is_made = bool(trial.contact_ids or trial.list_ids)
    _delete(trial, problems, trial.contact_ids, trial.list_ids)
    if trial.is_unnamed:
        contact_ids: list[str] = []
        list_ids: list[str] = []
        with problems.kept("what else was made is unknown"):
            list_ids, contact_ids = _find_unnamed(trial)
        is_made |= bool(contact_ids or list_ids)
        _delete(trial, problems, contact_ids, list_ids)
    problems += [
        f"bulk job {each} is still open, and may bring the contact back; run the check again"
        for each in trial.open_jobs
    ]
    if not is_made and not problems:
        return Line(says.REMOVAL, Result.NOT_TRIED, trial.refusal or "nothing was made")
    return judge(says.REMOVAL, "; ".join(problems) or None, "list and contact are deleted")


def _unsubscribe(trial: Trial) -> None:
    if email_of(trial.read_own_contact()).get("permission_to_send") != "unsubscribed":
        trial.client.put(f"/contacts/{trial.own_contact()}", trial.body("unsubscribed"))


def _delete(trial: Trial, problems: _Problems, contact_ids: list[str], list_ids: list[str]) -> None:
    for each in contact_ids:
        with problems.kept(f"contact {each} is still there"):
            trial.client.delete(f"/contacts/{each}")
            if not trial.is_gone(each):
                problems.append(f"contact {each} is still there")
    for each in list_ids:
        with problems.kept(f"list {each} is still there"):
            trial.client.delete(f"/contact_lists/{each}")


def _find_unnamed(trial: Trial) -> tuple[list[str], list[str]]:
    """The ids of lists and contacts that were asked for, and made although the answer was lost."""
    contact_ids = [
        contact_id
        for row in trial.at_address(trial.address)
        if trial.has_address(row)
        and is_own(row)
        and not row.get("deleted_at")
        and (contact_id := text(row.get("contact_id")))
    ]
    return list(trial.own_lists()), contact_ids
