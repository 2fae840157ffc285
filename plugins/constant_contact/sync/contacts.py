"""Contacts: those that changed and those that opted out; now and then all of them.

`updated_after` does not see unsubscribes, `optout_after` sees nothing else, and neither sees a
contact that was purged: so two readings a night, and a full pass each week.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Literal

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client, Page
from constant_contact.api.records import ContactRecord, parse_contact, parse_rows
from constant_contact.errors import DeadCursor, NotFound, Rejected
from constant_contact.store import contacts, database, state
from constant_contact.store.database import Database
from constant_contact.store.state import SyncState
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import ahead
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.contacts")

FULL_PASS_EVERY = timedelta(days=7)
# The listing's cursor is positional and rows commit late: each reading overlaps the one before.
_OVERLAP = timedelta(hours=1)
# One call each, once a week.
_MOST_ASKED_AFTER = 500
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Reading = Literal["full", "changed"]


@dataclass
class ContactsReport(Report):
    """What one run read, and what the mirror has after it.

    Attributes:
        purged: Contacts that a full pass did not see and the vendor no longer knows.
        unseen: Contacts that it did not see and that are there all the same.
    """

    full_pass: bool = False
    read: int = 0
    opted_out_read: int = 0
    malformed: int = 0
    purged: int = 0
    unseen: int = 0
    living: int = 0
    deleted: int = 0
    unsubscribed: int = 0
    without_email: int = 0


def sync_contacts(
    client: Client, crm: Database, *, full: bool = False, since: datetime | None = None
) -> ContactsReport:
    """Bring the mirror of contacts up to date.

    Args:
        client: Of the account.
        crm: Where the mirror is.
        full: Read all contacts, whatever changed.
        since: Read what changed after this instead of what changed since the last run.

    A run that was killed goes on at its page.
    """
    report = ContactsReport()
    with crm.transaction() as connection:
        known = state.load(connection, "contacts")
        now = state.database_now(connection)
    is_due = known.full_pass_at is None or now - known.full_pass_at >= FULL_PASS_EVERY
    reading: Reading = "full" if full or is_due else "changed"
    if known.reading == "full":
        reading = "full"
    changed = _Listing(crm, "contacts", reading, since, report)
    changed.read(client)
    if reading == "full" and changed.is_short():
        _log.warning("rows shifted while all contacts were read; they are read once more")
        changed.read(client, again=True)
    report.full_pass, report.read = reading == "full", changed.rows_read
    if reading == "full":
        changed.find_purged(client)
    changed.end()
    if reading == "changed":
        opted_out = _Listing(crm, "opted_out_contacts", "changed", since, report)
        opted_out.read(client)
        opted_out.end()
        report.opted_out_read = opted_out.rows_read
    with crm.transaction() as connection:
        counts = database.row(connection, "contacts/count") or {}
    report.living, report.deleted = counts["living"], counts["deleted"]
    report.unsubscribed, report.without_email = counts["unsubscribed"], counts["without_email"]
    return report


class _Listing:
    """One reading of getContacts, page by page, each committed with the place it leads to."""

    def __init__(
        self,
        crm: Database,
        noun: str,
        reading: Reading,
        since: datetime | None,
        report: ContactsReport,
    ) -> None:
        self._crm = crm
        self._noun = noun
        self._reading = reading
        self._since = since
        self._report = report
        self._total: int | None = None
        self._state = SyncState()

    @property
    def rows_read(self) -> int:
        return self._state.rows_read

    @property
    def began_at(self) -> datetime:
        return self._state.reading_since or datetime.now(UTC)

    def read(self, client: Client, *, again: bool = False) -> None:
        """Read the last page; go on where a killed run was, or again where its link is dead."""
        self._begin(again=again)
        cursor = self._state.cursor
        if self._state.rows_read and not cursor:
            _log.info("the %s pass of %s was read before", self._reading, self._noun)
            return
        if cursor:
            _log.info("going on with the %s pass of %s at its page", self._reading, self._noun)
            try:
                self._store_pages(client.pages("/contacts", cursor=cursor))
            except DeadCursor as error:
                _log.warning("%s; the pass starts again", error)
                self._restart()
                cursor = None
        if not cursor:
            params = self._params()
            self._store_pages(restarting(lambda: client.pages("/contacts", params)))

    def _params(self) -> dict[str, Any]:
        params: dict[str, Any] = {
            "status": "all",
            "limit": vendor.CONTACTS_PER_PAGE,
            "include_count": "true",
        }
        if (after := self._state.reading_from) is not None:
            name = "updated_after" if self._noun == "contacts" else "optout_after"
            params[name] = after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return params

    def _begin(self, *, again: bool) -> None:
        with self._crm.transaction() as connection:
            known = state.load(connection, self._noun)
            is_same = known.reading == self._reading and self._since is None
            is_begun = is_same and not again and (known.cursor or known.rows_read)
            self._state = known if is_begun else self._fresh(connection, known)
            state.save(connection, self._noun, self._state)

    def _restart(self) -> None:
        """Begin the listing again; the pass began when it began."""
        self._state = self._state._replace(cursor=None, rows_read=0, newest=None)
        with self._crm.transaction() as connection:
            state.save(connection, self._noun, self._state)

    def _fresh(self, connection: psycopg.Connection[Any], known: SyncState) -> SyncState:
        reading_from = self._since
        if self._reading == "changed" and reading_from is None:
            # Nobody has opted out yet: everyone who ever did is new.
            reading_from = known.covered_to - _OVERLAP if known.covered_to else _EVER
        return known._replace(
            reading=self._reading,
            reading_since=state.database_now(connection),
            reading_from=None if self._reading == "full" else reading_from,
            cursor=None,
            rows_read=0,
            newest=None,
        )

    def _store_pages(self, pages: Iterator[Page]) -> None:
        """Store each page while the next is fetched."""
        first_href: str | None = None
        for mirrored_at, page in ahead(self._stamped(pages)):
            if page.href == first_href:
                # The listing started again.
                self._restart()
            first_href = first_href or page.href
            self._store(page, mirrored_at)

    def _stamped(self, pages: Iterator[Page]) -> Iterator[tuple[datetime, Page]]:
        """Each page with the time before it was asked for: what is newer than that is kept."""
        with self._crm.transaction() as connection:
            began_at, began = state.database_now(connection), monotonic()
        while True:
            mirrored_at = began_at + timedelta(seconds=monotonic() - began)
            page = next(pages, None)
            if page is None:
                return
            yield mirrored_at, page

    def _store(self, page: Page, mirrored_at: datetime) -> None:
        rows = page.rows("contacts")
        records, malformed = parse_rows(rows, parse_contact)
        self._report.malformed += malformed
        total = page.payload.get("contacts_count")
        self._total = total if isinstance(total, int) else self._total
        self._state = self._state._replace(
            cursor=page.next_href,
            rows_read=self._state.rows_read + len(rows),
            newest=_newest(self._state.newest, records, self._noun),
        )
        with self._crm.transaction() as connection:
            contacts.upsert_page(connection, records, mirrored_at)
            state.save(connection, self._noun, self._state)

    def end(self) -> None:
        """The pass is whole: the next begins where it ended. Until here, a killed one goes on."""
        is_full = self._reading == "full"
        with self._crm.transaction() as connection:
            state.save(
                connection,
                self._noun,
                self._state._replace(
                    covered_to=_covered(self._state),
                    full_pass_at=self.began_at if is_full else self._state.full_pass_at,
                    reading=None,
                    cursor=None,
                ),
            )
            if is_full:
                _cover_opt_outs(connection, self.began_at)

    def is_short(self) -> bool:
        """Whether fewer contacts were seen than the vendor counts."""
        with self._crm.transaction() as connection:
            seen = database.row(connection, "contacts/count_seen", {"since": self.began_at})
        return self._total is not None and (seen or {})["seen"] < self._total

    def find_purged(self, client: Client) -> None:
        """Ask after each contact that a full pass did not see: rows that shift hide some.

        Only the vendor's own "not found" makes one gone; so no living contact loses its link.
        """
        with self._crm.transaction() as connection:
            unseen = database.rows(
                connection, "contacts/unseen", {"since": self.began_at, "most": _MOST_ASKED_AFTER}
            )
        gone = [id_ for row in unseen if not self._is_there(client, id_ := row["contact_id"])]
        with self._crm.transaction() as connection:
            params = {"contact_id": gone, "deleted_at": self.began_at}
            self._report.purged = database.run(connection, "contacts/mark_purged", params)
        self._report.unseen = len(unseen) - len(gone)
        if len(unseen) == _MOST_ASKED_AFTER:
            _log.warning("more than %d contacts were not seen; the others next time", len(unseen))

    def _is_there(self, client: Client, contact_id: str) -> bool:
        with self._crm.transaction() as connection:
            mirrored_at = state.database_now(connection)
        try:
            current = client.get(f"/contacts/{contact_id}")
        except NotFound as error:
            return error.error_key is None
        except Rejected as error:
            _log.warning("contact %s was not seen and is refused: %s", contact_id, error)
            return True
        if record := parse_contact(current):
            with self._crm.transaction() as connection:
                contacts.upsert_page(connection, [record], mirrored_at)
        return True


def _newest(newest: datetime | None, records: list[ContactRecord], noun: str) -> datetime | None:
    times = [
        time
        for record in records
        if (time := record.updated_at if noun == "contacts" else record.opt_out_date)
    ]
    return max([*times, newest] if newest else times, default=None)


def _covered(reading: SyncState) -> datetime | None:
    """Up to when the vendor's changes are mirrored now, by the vendor's own times.

    Neither clock has to agree with the other: the newest change seen bounds it, and our clock
    bounds a date in the future.
    """
    if reading.newest is None:
        return reading.covered_to
    newest = min(reading.newest, reading.reading_since or reading.newest)
    return max(newest, reading.covered_to) if reading.covered_to else newest


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
