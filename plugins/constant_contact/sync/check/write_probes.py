"""Probes that write about a contact of the check's own, on a list of its own."""

from collections.abc import Iterator
from typing import Final

from constant_contact.api.records import number, text
from constant_contact.errors import BadRequest, Conflict
from constant_contact.sync.check import write_assumptions as says
from constant_contact.sync.check.account import Row
from constant_contact.sync.check.assumptions import Assumption, Line
from constant_contact.sync.check.probes import NotTried, Probe, judge, name_failure, probe
from constant_contact.sync.check.trial import (
    LOOKS,
    NAMES,
    WAITS_S,
    Trial,
    email_of,
    is_out,
)
from constant_contact.sync.memberships import bulk_counters
from constant_contact.sync.memberships.new_contacts import TAKEN_BY

_STILL_IN: Final = "the contact is not unsubscribed"
_JOB_CALLS: Final = 1 + len(WAITS_S)
# What the counters of a job about one contact and one list are held against.
_ADDED: Final = {"kind": "add", "contacts": 1, "list_ids": [""]}


@probe(1, says.TAKEN_ADDRESS)
def _take(trial: Trial) -> Iterator[Line]:
    contact_id = trial.own_contact()
    body = trial.body("unsubscribed")
    body["create_source"] = body.pop("update_source")
    trial.is_unnamed = True
    try:
        made = trial.client.post("/contacts", body)
    except Conflict as error:
        trial.is_unnamed = False
        named = TAKEN_BY.search(error.said)
        is_named = named is not None and named[1].lower() == contact_id.lower()
        problem = None if is_named else "409 does not name the contact"
        yield judge(says.TAKEN_ADDRESS, problem, "409 names the contact")
        return
    second = text(made.get("contact_id"))
    trial.is_unnamed = second is None
    if second and second != contact_id:
        trial.contact_ids.append(second)
    yield judge(says.TAKEN_ADDRESS, f"contact {second} was created, too", "")


@probe(1, says.EMAIL_SEARCH)
def _search(trial: Trial) -> Iterator[Line]:
    contact_id = trial.own_contact()
    found = trial.at_address(trial.address.upper())
    others = sum(not trial.has_address(row) for row in found)
    problem = None
    if contact_id not in [text(row.get("contact_id")) for row in found]:
        problem = "the contact is not found by its address in capitals"
    elif others:
        problem = f"{others} contacts with another address come, too"
    yield judge(says.EMAIL_SEARCH, problem, "found by its address in capitals")


@probe(1 + LOOKS, says.OPT_IN)
def _opt_in(trial: Trial) -> Iterator[Line]:
    trial.opt_in(job_title="Check", list_memberships=[], **NAMES)
    row = trial.shown(lambda row: not is_out(row))
    trial.is_opted_in = not is_out(row)
    problem = None if trial.is_opted_in else "the contact is still unsubscribed"
    yield judge(says.OPT_IN, problem, f"shown as {email_of(row).get('permission_to_send')}")


def _change(trial: Trial, kind: str, assumption: Assumption, *, on: bool) -> Iterator[Line]:
    """Put the contact on the list, or take it off, by a bulk job."""
    source = {"contact_ids": [trial.opted_in_contact()]}
    if trial.is_on_list(trial.shown()) is on:
        raise NotTried(f"the contact is {'on the list already' if on else 'not on the list'}")
    job = trial.run_job(kind, {"source": source, "list_ids": [trial.own_list()]})
    if job.get("state") == "completed":
        trial.counters[kind] = job.get("status")
    row = trial.shown(lambda row: trial.is_on_list(row) is on)
    yield _judge_job(assumption, job, is_right=trial.is_on_list(row) is on)


def _judge_job(assumption: Assumption, job: Row, *, is_right: bool) -> Line:
    state = text(job.get("state"))
    if state != "completed":
        return judge(assumption, f"the job ended as {state}", "")
    problem = None if is_right else "the job ended as completed, and the contact does not show it"
    return judge(assumption, problem, "completed, and the contact shows it")


@probe(1 + _JOB_CALLS + LOOKS, says.BULK_ADD)
def _add(trial: Trial) -> Iterator[Line]:
    yield from _change(trial, "add", says.BULK_ADD, on=True)


@probe(1 + _JOB_CALLS + LOOKS, says.BULK_REMOVE)
def _remove(trial: Trial) -> Iterator[Line]:
    yield from _change(trial, "remove", says.BULK_REMOVE, on=False)


@probe(0, says.MEMBERSHIP_COUNTERS)
def _counters(trial: Trial) -> Iterator[Line]:
    if not trial.counters:
        raise NotTried(trial.refusal or "no such job came through")
    odd = [k for k, counts in trial.counters.items() if not bulk_counters.add_up(_ADDED, counts)]
    problem = f"they do not add up for {', '.join(odd)}" if odd else None
    yield judge(says.MEMBERSHIP_COUNTERS, problem, f"1 of 1, for {', '.join(trial.counters)}")


@probe(1 + 2 * LOOKS, says.PUT_NULLS, says.PUT_KEEPS_LISTS)
def _put_less(trial: Trial) -> Iterator[Line]:
    """PUT without job_title and lists."""
    trial.opted_in_contact()
    before = trial.shown(trial.is_on_list)
    if is_out(before):
        raise NotTried("the contact is unsubscribed: it is not opted in again")
    trial.opt_in(**NAMES)
    after = trial.shown(lambda row: not row.get("job_title"))
    if before.get("job_title"):
        kept = "job_title was left out, and kept" if after.get("job_title") else None
        yield judge(says.PUT_NULLS, kept, "job_title was left out, and is null")
    if trial.is_on_list(before):
        lost = None if trial.is_on_list(after) else "the contact is on no list any more"
        yield judge(says.PUT_KEEPS_LISTS, lost, "the contact is still on the list")


@probe(_JOB_CALLS + LOOKS, says.IMPORT, says.IMPORT_COUNTERS, says.IMPORT_OVERWRITES)
def _import(trial: Trial) -> Iterator[Line]:
    trial.opted_in_contact()
    job = trial.import_contact("Imported")
    row = trial.shown(trial.is_on_list)
    yield _judge_job(says.IMPORT, job, is_right=trial.is_on_list(row))
    if job.get("state") != "completed":
        raise NotTried("the import did not come through")
    adds_up = bulk_counters.add_up({"kind": "import", "contacts": 1}, job.get("status"))
    yield judge(says.IMPORT_COUNTERS, None if adds_up else "they do not add up", "1 of 1")
    if not row.get("first_name"):
        raise NotTried("the contact shows no first name")
    is_renamed = row.get("first_name") == "Imported"
    kept = None if is_renamed else "the first name was kept"
    yield judge(says.IMPORT_OVERWRITES, kept, "the first name was overwritten")


@probe(2 + LOOKS, says.OPT_OUT, says.OPT_OUT_REASON, says.OPT_OUT_SOURCE)
def _opt_out(trial: Trial) -> Iterator[Line]:
    path = f"/contacts/{trial.opted_in_contact()}"
    reason = "tried by constant_contact_check"
    refused = None
    try:
        trial.client.put(path, trial.body("unsubscribed", reason=reason, **NAMES))
    except BadRequest as error:
        refused = name_failure(trial.client, error)
        trial.client.put(path, trial.body("unsubscribed", **NAMES))
    row = trial.shown(is_out)
    if not is_out(row):
        yield judge(says.OPT_OUT, _STILL_IN, "")
        raise NotTried(_STILL_IN)
    yield judge(says.OPT_OUT, None, "unsubscribed")
    email = email_of(row)
    hidden = None if email.get("opt_out_reason") == reason else "another reason is shown, or none"
    yield judge(says.OPT_OUT_REASON, refused or hidden, "shown as it was sent")
    source = email.get("opt_out_source")
    odd = None if source == "Account" else f"shown as {text(source)}"
    yield judge(says.OPT_OUT_SOURCE, odd, "shown as Account")


@probe(_JOB_CALLS + 2, says.IMPORT_KEEPS_OPT_OUTS)
def _import_again(trial: Trial) -> Iterator[Line]:
    if not is_out(trial.shown()):
        raise NotTried(_STILL_IN)
    job = trial.import_contact("Again")
    if job.get("state") != "completed":
        raise NotTried("the import did not come through")
    counts = job.get("status")
    refused = number(counts.get("cannot_add_to_list_count")) if isinstance(counts, dict) else None
    problem = None if is_out(trial.shown()) else "the import has opted it in"
    seen = f"still unsubscribed; counted as not added: {refused}"
    yield judge(says.IMPORT_KEEPS_OPT_OUTS, problem, seen)


@probe(0, says.BULK_TIME)
def _time(trial: Trial) -> Iterator[Line]:
    if trial.slow_jobs:
        limit_s = sum(trial.waits_s)
        slow = f"{trial.slow_jobs} did not end within {limit_s:.0f} s"
        yield judge(says.BULK_TIME, slow, "")
    elif not trial.job_seconds:
        raise NotTried(trial.refusal or "no bulk job was begun")
    else:
        slowest_s = max(trial.job_seconds)
        seen = f"{len(trial.job_seconds)} jobs, {slowest_s:.0f} s at most"
        yield judge(says.BULK_TIME, None, seen)


WRITE_PROBES: Final[tuple[Probe[Trial], ...]] = (
    _take, _search, _opt_in, _add, _put_less, _remove, _counters, _import, _opt_out, _import_again,
    _time,
)  # fmt: skip
