"""Probes of lists and contacts; none of them writes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from constant_contact.api import vendor
from constant_contact.api.records import ContactRecord, iso, number, parse_contact, text
from constant_contact.errors import BadRequest, NotFound, Rejected
from constant_contact.sync.check import contact_assumptions as says
from constant_contact.sync.check.account import Account, Row, rows_of
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.check.probes import NotTried, judge, judge_values, name_failure, probe

# How far before a change its filter is asked: no clock's fraction of a second is in the way.
_BEFORE: Final = timedelta(seconds=1)
_COUNTED: Final = ("total", "explicit", "implicit", "pending", "unsubscribed")
_CONTACTS: Final = {"status": "all", "include": "list_memberships", "include_count": "true"}


@probe(2, says.LISTS_PER_PAGE, says.LIST_COUNTS)
def _lists(account: Account) -> Iterator[Line]:
    params = {"include_membership_count": "all", "status": "all"}
    first = account.largest_page(
        "/contact_lists", params, "lists", vendor.LISTS_PER_PAGE, says.LISTS_PER_PAGE
    )
    yield first.size
    if not first.rows:
        raise NotTried("the account has no list: make one")
    uncounted = sum(not isinstance(row.get("membership_count"), int) for row in first.rows)
    problem = f"{uncounted} of {len(first.rows)} lists have no count" if uncounted else None
    yield judge(says.LIST_COUNTS, problem, f"of {len(first.rows)} lists")


@probe(
    2,
    says.CONTACTS_PER_PAGE,
    says.CONTACT_COUNT,
    says.LIST_MEMBERSHIPS,
    says.PERMISSIONS,
    says.TIMES,
)
def _contacts(account: Account) -> Iterator[Line]:
    first = account.largest_page(
        "/contacts", _CONTACTS, "contacts", vendor.CONTACTS_PER_PAGE, says.CONTACTS_PER_PAGE
    )
    account.contacts = rows = first.rows
    account.contact_limit = first.limit
    yield first.size
    count = number(first.page.payload.get("contacts_count"))
    problem = None
    if count is None:
        problem = "no contacts_count"
    elif count < len(rows) or (count > len(rows) and not first.page.next_href):
        problem = f"{count} are counted, {len(rows)} are on the only page"
    yield judge(says.CONTACT_COUNT, problem, f"{count} contacts")
    if not rows:
        raise NotTried("the account has no contact: add one")
    without = sum(not isinstance(row.get("list_memberships"), list) for row in rows)
    problem = f"{without} of {len(rows)} contacts have none" if without else None
    yield judge(says.LIST_MEMBERSHIPS, problem, f"of {len(rows)} contacts")
    permissions = (record.permission_to_send for record in _records(rows))
    yield judge_values(says.PERMISSIONS, permissions, vendor.PERMISSIONS)
    odd = {
        name
        for row in rows
        for name in ("created_at", "updated_at")
        if not _has_offset(row.get(name))
    }
    problem = f"{', '.join(sorted(odd))}: without an offset, or no time" if odd else None
    yield judge(says.TIMES, problem, f"of {len(rows)} contacts")


def _has_offset(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _records(rows: list[Row]) -> list[ContactRecord]:
    return [record for row in rows if (record := parse_contact(row))]


@probe(1, says.CONTACT_COUNTS)
def _counts(account: Account) -> Iterator[Line]:
    totals = account.client.get("/contacts/counts")
    missing = [name for name in _COUNTED if number(totals.get(name)) is None]
    problem = f"no {', '.join(missing)}" if missing else None
    yield judge(says.CONTACT_COUNTS, problem, f"{totals.get('total')} in total")


@probe(3, says.STATUS_ALL, says.DELETION_DATES, says.DELETED_BY_ID)
def _deleted(account: Account) -> Iterator[Line]:
    page = account.page("/contacts", {"status": "deleted", "limit": 1})
    rows = rows_of(page, "contacts")
    deleted = next(iter(_records(rows)), None)
    if deleted is None:
        raise NotTried("no contact is deleted: delete one that is not needed")
    problem = None if deleted.deleted_at else "a contact of status=deleted has none"
    yield judge(says.DELETION_DATES, problem, "one contact was looked at")
    yield _is_listed(account, deleted)
    try:
        shown = account.client.get(f"/contacts/{deleted.contact_id}")
    except NotFound as error:
        yield judge(says.DELETED_BY_ID, name_failure(account.client, error), "")
    else:
        is_it = text(shown.get("contact_id")) == deleted.contact_id
        yield judge(says.DELETED_BY_ID, None if is_it else "another contact is shown", "shown")


def _is_listed(account: Account, deleted: ContactRecord) -> Line:
    """Whether status=all lists a deleted contact, among those created in the same seconds."""
    if deleted.created_at is None:
        return Line(says.STATUS_ALL, Result.NOT_TRIED, "the deleted contact has no created_at")
    window = {
        "created_after": iso(deleted.created_at - _BEFORE),
        "created_before": iso(deleted.created_at + _BEFORE),
    }
    page = account.page("/contacts", {"status": "all", "limit": account.contact_limit, **window})
    if deleted.contact_id in _ids(rows_of(page, "contacts")):
        return judge(says.STATUS_ALL, None, "a deleted contact is listed")
    if page.next_href:
        seen = "more contacts than a page were created in the same second as the deleted one"
        return Line(says.STATUS_ALL, Result.NOT_TRIED, seen)
    return judge(says.STATUS_ALL, "a deleted contact is not listed", "")


def _ids(rows: list[Row]) -> set[str | None]:
    return {text(row.get("contact_id")) for row in rows}


@probe(3, says.OPT_OUT_FIELDS, says.OPTOUT_AFTER, says.OPT_OUTS_UNSEEN)
def _unsubscribed(account: Account) -> Iterator[Line]:
    params = {"status": "unsubscribed", "limit": account.contact_limit}
    found = _records(rows_of(account.page("/contacts", params), "contacts"))
    if not found:
        raise NotTried("no contact is unsubscribed: unsubscribe one that is not needed")
    odd = sum(
        each.opt_out_date is None or each.opt_out_source not in vendor.OPT_OUT_SOURCES
        for each in found
    )
    problem = f"{odd} of {len(found)} lack a known source or the date" if odd else None
    yield judge(says.OPT_OUT_FIELDS, problem, f"of {len(found)} contacts")
    dated = [each for each in found if each.opt_out_date]
    if not dated:
        raise NotTried("no unsubscribed contact shows when it opted out")
    newest = max(dated, key=lambda each: each.opt_out_date or _NEVER)
    yield _judge_filter(account, says.OPTOUT_AFTER, "optout_after", newest, newest.opt_out_date)
    silent = [each for each in dated if _is_later(each.opt_out_date, each.updated_at)]
    if not silent:
        raise NotTried("no contact's last change is its opt-out")
    last = max(silent, key=lambda each: each.opt_out_date or _NEVER)
    since = iso((last.opt_out_date or _NEVER) - _BEFORE)
    page = account.page(
        "/contacts", {"status": "all", "limit": account.contact_limit, "updated_after": since}
    )
    is_seen = last.contact_id in _ids(rows_of(page, "contacts"))
    yield judge(
        says.OPT_OUTS_UNSEEN,
        "updated_after brings a contact that only unsubscribed" if is_seen else None,
        "optout_after alone brings a contact that unsubscribed",
    )


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _is_later(opted_out: datetime | None, updated: datetime | None) -> bool:
    return bool(opted_out and updated and opted_out - updated > 2 * _BEFORE)


def _judge_filter(
    account: Account, assumption: Assumption, name: str, one: ContactRecord, at: datetime | None
) -> Line:
    """Whether the filter `name` brings a contact that changed right after its date, and no older.

    `one` is a contact that it must bring, and `at` is when that changed.
    """
    since = (at or _NEVER) - _BEFORE
    params = {"status": "all", "limit": account.contact_limit, name: iso(since)}
    page = account.page("/contacts", params)
    found = _records(rows_of(page, "contacts"))
    times = [each.opt_out_date if name == "optout_after" else each.updated_at for each in found]
    older = sum(time is None or time < since for time in times)
    if older:
        return judge(assumption, f"{older} of {len(found)} contacts changed before", "")
    if one.contact_id not in {each.contact_id for each in found} and not page.next_href:
        return judge(assumption, "a contact that changed after that date is not brought", "")
    return judge(assumption, None, f"contacts: {len(found)}, none that changed before")


@probe(2, says.UPDATED_AFTER)
def _updated(account: Account) -> Iterator[Line]:
    dated = [each for each in _records(account.contacts) if each.updated_at]
    if not dated:
        raise NotTried("no contact was listed with the time of its last change")
    newest = max(dated, key=lambda each: each.updated_at or _NEVER)
    line = _judge_filter(account, says.UPDATED_AFTER, "updated_after", newest, newest.updated_at)
    if line.result is not Result.OK:
        yield line
        return
    at = iso(newest.updated_at or _NEVER)
    params = {"status": "all", "limit": account.contact_limit, "updated_after": at}
    page = account.page("/contacts", params)
    bound = "a change at the bound counts"
    if newest.contact_id not in _ids(rows_of(page, "contacts")):
        is_open = "it is open whether a change at the bound counts"
        bound = is_open if page.next_href else "a change at the bound does not count"
    yield judge(says.UPDATED_AFTER, None, f"{line.seen}; {bound}")


@probe(1, says.MALFORMED_IDS)
def _ids_asked_for(account: Account) -> Iterator[Line]:
    try:
        account.client.get("/contacts/12")
    except (BadRequest, NotFound) as error:
        yield judge(says.MALFORMED_IDS, None, name_failure(account.client, error))
    else:
        yield judge(says.MALFORMED_IDS, "GET /contacts/12 is answered with a contact", "")


@probe(1, says.UNKNOWN_IDS)
def _unknown_id(account: Account) -> Iterator[Line]:
    unknown = str(uuid4())
    try:
        account.client.get(f"/contacts/{unknown}")
    except NotFound:
        yield judge(says.UNKNOWN_IDS, None, "404, with the vendor's words")
    except Rejected as error:
        yield judge(
            says.UNKNOWN_IDS, f"answered {error.status} {error.error_key or ''}".strip(), ""
        )
    else:
        yield judge(says.UNKNOWN_IDS, "an id that was made up is answered with a contact", "")


CONTACT_PROBES: Final = (
    _lists, _contacts, _counts, _deleted, _unsubscribed, _updated, _ids_asked_for, _unknown_id,
)  # fmt: skip
