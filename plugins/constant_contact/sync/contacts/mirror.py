"""Contacts: those that changed and those that opted out; now and then all of them.

`updated_after` does not see unsubscribes, `optout_after` sees nothing else, and neither sees a
contact that was purged: so two readings a night, and a full pass each week.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import parse_contact
from constant_contact.errors import ConnectionFault, NotFound, Rejected, ServerFault
from constant_contact.store import contacts, database, state
from constant_contact.store.database import Database
from constant_contact.sync.contacts.listing import OVERLAP, Listing, Reading
from constant_contact.sync.report import Report, by_value
from constant_contact.sync.set_aside import SetAside

_log = logging.getLogger("constant_contact.contacts")

FULL_PASS_EVERY = timedelta(days=7)
# Of a look right before a write: what was read then is not read again.
_MOMENT = timedelta(seconds=10)
# One call each, once a week.
_MOST_ASKED_AFTER = 500
# Which changes each reading but the full one asks for.
_CHANGES: tuple[tuple[str, Literal["updated", "optout"]], ...] = (
    ("contacts", "updated"),
    ("opted_out_contacts", "optout"),
)


@dataclass
class ContactsReport(Report):
    """What one run read, and what the mirror has after it.

    Attributes:
        purged: Contacts that a full pass did not see and the vendor no longer knows.
        unseen: Contacts that it did not see and that are there all the same.
        set_aside: Contacts that met an unexpected error, this time or before; each is asked for
            by the next run.
        unknown_values: Living contacts by a permission or source of opt-out that the contract does
            not name; they are mirrored and linked all the same.
    """

    full_pass: bool = False
    read: int = 0
    opted_out_read: int = 0
    malformed: int = 0
    purged: int = 0
    unseen: int = 0
    set_aside: int = 0
    living: int = 0
    deleted: int = 0
    unsubscribed: int = 0
    without_email: int = 0
    unknown_values: dict[str, int] = field(default_factory=dict)


def sync_contacts(
    client: Client, crm: Database, *, full: bool = False, since: datetime | None = None
) -> ContactsReport:
    """Bring the mirror of contacts up to date.

    What changed after `since` is read, too, if that is longer ago than the last run.

    A run that was killed goes on at its page.
    """
    report = ContactsReport()
    with crm.transaction() as connection:
        known = state.load(connection, "contacts")
        now = state.database_now(connection)
        since_full = {"full_pass_at": known.full_pass_at}
        found = database.row(connection, "completeness/contacts_differ", since_full) or {}
    is_due = (
        known.full_pass_at is None or now - known.full_pass_at >= FULL_PASS_EVERY or found["differ"]
    )
    reading: Reading = "full" if full or is_due else "changed"
    if known.reading == "full":
        reading = "full"
    changed = Listing(crm, "contacts", reading, since)
    is_whole = _read(client, changed)
    report.full_pass, report.read = reading == "full", changed.rows_read
    report.malformed += changed.malformed
    if reading == "full":
        _find_purged(client, crm, changed.began_at, report)
    with crm.transaction() as connection:
        changed.end(connection, is_whole=is_whole)
        if reading == "full":
            # All contacts, unsubscribed ones included, were read just now.
            _cover_opt_outs(connection, changed.began_at)
    if reading == "changed":
        opted_out = Listing(crm, "opted_out_contacts", since=since, by="optout")
        is_whole = _read(client, opted_out)
        with crm.transaction() as connection:
            opted_out.end(connection, is_whole=is_whole)
        report.opted_out_read = opted_out.rows_read
        report.malformed += opted_out.malformed
    aside = SetAside(crm, "contact")
    report.purged += _look_at_each(client, crm, aside.to_try(now)[:_MOST_ASKED_AFTER], now)
    report.set_aside = aside.log_standing()
    with crm.transaction() as connection:
        counts = database.row(connection, "contacts/count") or {}
        names = {
            "permissions": sorted(vendor.PERMISSIONS),
            "opt_out_sources": sorted(vendor.OPT_OUT_SOURCES),
        }
        unknown = database.rows(connection, "contacts/count_unknown", names)
    report.unknown_values = by_value(unknown)
    report.living, report.deleted = counts["living"], counts["deleted"]
    report.unsubscribed, report.without_email = counts["unsubscribed"], counts["without_email"]
    return report


def refresh_contacts(client: Client, crm: Database) -> None:
    """Bring the mirror up to this moment before something is decided by it: two calls or more.

    The nightly readings keep their own place, with the overlap that they need. An account that
    was never read whole is.
    """
    with crm.transaction() as connection:
        known = state.load(connection, "contacts")
    # Where fewer were seen than the vendor counts, the night reads all again.
    if known.full_pass_at is None and known.covered_to is None:
        sync_contacts(client, crm)
        if known.reading is None:
            return
        # What a killed pass has read, it may have read long ago.
    for noun, by in _CHANGES:
        _catch_up(crm, noun)
        recent = Listing(crm, f"recent_{noun}", by=by, overlap=_MOMENT)
        # From the start: where a killed look went on, it would know nothing of what it read before.
        is_whole = _read(client, recent, again=True)
        with crm.transaction() as connection:
            recent.end(connection, is_whole=is_whole)


def renew(client: Client, crm: Database, contact_ids: Sequence[str]) -> None:
    """Mirror these contacts as they are now, one by one or with all others: by the fewer calls.

    All are read, too, where the vendor fails at one: no single contact is in everybody's way.
    A contact that the vendor does not show either way stays as mirrored.
    """
    counts = crm.row("contacts/count") or {}
    if len(contact_ids) <= ceil(counts["living"] / vendor.CONTACTS_PER_PAGE):
        try:
            for contact_id in contact_ids:
                look_at(client, crm, contact_id)
        except (ServerFault, ConnectionFault) as error:
            _log.warning("%s; all contacts are read instead", error)
        else:
            return
    everyone = Listing(crm, "recent_contacts", "full")
    # From the start: what a killed reading has seen may be older than what is to be decided.
    is_whole = _read(client, everyone, again=True)
    with crm.transaction() as connection:
        everyone.end(connection, is_whole=is_whole)


def _catch_up(crm: Database, noun: str) -> None:
    """What the nightly reading of `noun` has read is not read again."""
    with crm.transaction() as connection:
        nightly, recent = (state.load(connection, each) for each in (noun, f"recent_{noun}"))
        if nightly.covered_to is None or recent.cursor:
            return
        covered_to = nightly.covered_to - OVERLAP + _MOMENT
        if recent.covered_to is None or recent.covered_to < covered_to:
            state.save(connection, f"recent_{noun}", recent._replace(covered_to=covered_to))


def _read(client: Client, listing: Listing, *, again: bool = False) -> bool:
    """Read the listing; once more, where rows may have shifted to a page that was read before.

    Returns:
        Whether all were seen.
    """
    listing.read(client, again=again)
    if not (listing.is_short() or listing.may_be_short()):
        return True
    _log.warning("some %s may have been on no page; they are read once more", listing.noun)
    seen_before = listing.seen
    listing.read(client, again=True)
    if not listing.is_short() or listing.counts_others(seen_before):
        return True
    _log.warning(
        "fewer %s were seen than the %s that Constant Contact counts: those that were not seen "
        "count as there",
        listing.noun,
        listing.total,
    )
    return False


def _find_purged(client: Client, crm: Database, since: datetime, report: ContactsReport) -> None:
    """Ask after each contact that a full pass did not see: rows that shift hide some.

    Only the vendor's own "not found" makes one gone; so no living contact loses its link.
    """
    unseen = crm.rows("contacts/unseen", {"since": since, "most": _MOST_ASKED_AFTER})
    report.purged = _look_at_each(client, crm, [row["contact_id"] for row in unseen], since)
    report.unseen = len(unseen) - report.purged
    if len(unseen) == _MOST_ASKED_AFTER:
        _log.warning("more than %d contacts were not seen; the others next time", len(unseen))


def _look_at_each(
    client: Client, crm: Database, contact_ids: Sequence[str], deleted_at: datetime
) -> int:
    """Mirror contacts as they are now; return how many the vendor no longer has.

    One that the vendor fails at is set aside: its listing was read, so it is not out as a whole.
    Where three fail one after the other, the rest waits for the next run.
    """
    aside, gone = SetAside(crm, "contact"), []
    for contact_id in aside.put_last(contact_ids):
        if aside.is_vendor_out:
            _log.warning("GET /contacts/… fails for one after the other; the rest waits")
            break
        if not look_at(client, crm, contact_id, aside):
            gone.append(contact_id)
    params = {"contact_id": gone, "deleted_at": deleted_at}
    return crm.run("contacts/mark_purged", params)


def look_at(client: Client, crm: Database, contact_id: str, others: SetAside | None = None) -> bool:
    """Mirror one contact as it is now; return whether the vendor has it.

    Args:
        client: Of the account.
        crm: Where the mirror is.
        contact_id: The vendor's.
        others: Of several that are looked at: one that the vendor fails at is set aside there.
    """
    aside = others or SetAside(crm, "contact")
    with crm.transaction() as connection:
        mirrored_at = state.database_now(connection)
    try:
        with aside.watch(contact_id, is_call=others is not None):
            current = client.get(f"/contacts/{contact_id}", {"include": "list_memberships"})
            if record := parse_contact(current):
                with crm.transaction() as connection:
                    contacts.upsert_page(connection, [record], mirrored_at)
    except NotFound:
        aside.forget(contact_id)
        return False
    except Rejected as error:
        _log.warning("contact %s was not seen and is refused: %s", contact_id, error)
    return True


def _cover_opt_outs(connection: psycopg.Connection[Any], began_at: datetime) -> None:
    """A full pass has read the opt-outs too: their own reading begins where it began."""
    newest = (database.row(connection, "contacts/newest_opt_out") or {}).get("opt_out_date")
    known = state.load(connection, "opted_out_contacts")
    covered_to = min(newest, began_at) if newest else known.covered_to
    state.save(
        connection,
        "opted_out_contacts",
        known._replace(covered_to=covered_to, reading=None, cursor=None),
    )
