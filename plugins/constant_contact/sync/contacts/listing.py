"""One reading of getContacts, page by page; each is committed with the place it leads to."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Literal

import psycopg

from constant_contact.api import vendor
from constant_contact.api.client import Client, Page
from constant_contact.api.records import ContactRecord, iso, number, parse_contact
from constant_contact.errors import DeadCursor, Rejected, other_account
from constant_contact.store import contacts, state
from constant_contact.store.database import Database
from constant_contact.store.state import SyncState
from constant_contact.sync.paging import restarting
from constant_contact.sync.parallel import ahead
from constant_contact.sync.set_aside import SetAside

_log = logging.getLogger("constant_contact.contacts")

# The listing's cursor is positional and rows commit late: each reading overlaps the one before.
OVERLAP = timedelta(hours=1)
# How far the vendor's clock may be behind ours.
_CLOCKS = timedelta(seconds=1)
# How much earlier than what was asked for a change may be dated: some dates have no time.
_DATES = timedelta(days=1)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# So many mirrored contacts say whose the mirror is.
_TELLING = 10

Reading = Literal["full", "changed"]


class Listing:
    """One reading of getContacts; a killed one goes on at its page.

    Args:
        crm: Where the mirror is.
        noun: Under which its state is kept.
        reading: All contacts, or those that changed since the last reading of `noun`.
        since: Read what changed after this, too.
        by: Which changes are asked for: `updated_after` sees no unsubscribes, `optout_after`
            nothing else.
        overlap: How much of what was read before is read again.

    Attributes:
        total: How many contacts the vendor counts; None: it did not say.
        malformed: Rows without an id.
        seen: Hashes of the ids that this run has seen, since a million ids are many.
    """

    def __init__(
        self,
        crm: Database,
        noun: str,
        reading: Reading = "changed",
        since: datetime | None = None,
        *,
        by: Literal["updated", "optout"] = "updated",
        overlap: timedelta = OVERLAP,
    ) -> None:
        self._crm = crm
        self.noun = noun
        self._reading = reading
        self._since = since
        self._by = by
        self._overlap = overlap
        self.total: int | None = None
        self.malformed = 0
        self._aside = SetAside(crm, "contact")
        self._has_shrunk = False
        self.seen: set[int] = set()
        self._created = 0
        self._rows_of_this_run = 0
        self._state = SyncState()

    @property
    def rows_read(self) -> int:
        """Rows stored, of a killed run too that this one went on with."""
        return self._state.rows_read

    @property
    def began_at(self) -> datetime:
        """When the reading began, by the database's clock."""
        return self._state.reading_since or datetime.now(UTC)

    def is_short(self) -> bool:
        """Whether fewer contacts were seen than the vendor counts, or it counts fewer now.

        A contact that is purged while pages are read, or between two runs that read them, moves
        those behind it one place forward: one is on no page.
        """
        seen, _ = self._count_seen()
        is_fewer = self.total is not None and seen + self.malformed < self.total
        return self._has_shrunk or is_fewer

    def counts_others(self, seen_before: set[int]) -> bool:
        """Whether the count is of more than is asked for: read twice, the same ones are there.

        Of a reading of changes; what one misses, the next full pass finds. Not where a page showed
        others than were asked for, or where a full page is the last one, which may have lost its
        link.
        """
        rows = self._state.rows_read
        return (
            self._reading == "changed"
            and self.seen == seen_before
            and len(self.seen) == rows
            and rows % vendor.CONTACTS_PER_PAGE > 0
            and not self._has_shrunk
        )

    def may_be_short(self) -> bool:
        """Whether one purged contact and one that was created meanwhile could hide each other.

        Of a full pass; what one of changes misses, the next full pass finds. More new contacts than
        a page has are an import of before: the clocks do not agree to the minute.
        """
        first_total = self._state.first_total
        is_one_page = self._state.rows_read <= vendor.CONTACTS_PER_PAGE
        if self._reading != "full" or is_one_page or first_total is None:
            return False
        seen, created = self._count_seen()
        if created > vendor.CONTACTS_PER_PAGE:
            return False
        return seen + self.malformed - created < first_total

    def _count_seen(self) -> tuple[int, int]:
        """Count the contacts that the pass has seen, and those of them that are new.

        The mirror knows what a killed run of the pass saw.
        """
        if self._is_of_this_run():
            return len(self.seen), self._created
        times = {"since": self.began_at, "created_since": self.began_at - _CLOCKS}
        mirrored = self._crm.row("contacts/count_seen", times) or {}
        return mirrored["seen"], mirrored["created"]

    def _is_of_this_run(self) -> bool:
        return self._state.rows_read <= self._rows_of_this_run

    def read(self, client: Client, *, again: bool = False) -> None:
        """Read the last page; go on where a killed run was, or again where its link is dead."""
        self._forget_seen()
        self._begin(again=again)
        cursor = self._state.cursor
        if self._state.rows_read and not cursor:
            _log.info("the %s pass of %s was read before", self._reading, self.noun)
            return
        if cursor:
            _log.info("going on with the %s pass of %s at its page", self._reading, self.noun)
            try:
                self._store_pages(client, client.pages("/contacts", cursor=cursor))
            except DeadCursor as error:
                _log.warning("%s; the pass starts again", error)
                self._restart()
                cursor = None
        if not cursor:
            params = self._params()
            self._store_pages(client, restarting(lambda: client.pages("/contacts", params)))

    def _forget_seen(self) -> None:
        self.total, self._has_shrunk = None, False
        self.seen, self._created, self._rows_of_this_run = set(), 0, 0

    def _params(self) -> dict[str, Any]:
        params: dict[str, Any] = {
            "status": "all",
            "limit": vendor.CONTACTS_PER_PAGE,
            "include": "list_memberships",
            "include_count": "true",
        }
        if (after := self._state.reading_from) is not None:
            params[f"{self._by}_after"] = iso(after)
        return params

    def _begin(self, *, again: bool) -> None:
        with self._crm.transaction() as connection:
            known = state.load(connection, self.noun)
            is_same = known.reading == self._reading and self._since is None
            is_begun = is_same and not again and (known.cursor or known.rows_read)
            self._state = known if is_begun else self._fresh(connection, known)
            state.save(connection, self.noun, self._state)

    def _restart(self) -> None:
        """Begin the listing again; the pass began when it began."""
        self._forget_seen()
        self._state = self._state._replace(
            cursor=None, rows_read=0, newest=None, first_total=None, most_total=None
        )
        with self._crm.transaction() as connection:
            state.save(connection, self.noun, self._state)

    def _fresh(self, connection: psycopg.Connection[Any], known: SyncState) -> SyncState:
        # No opt-out was read yet: all of them are new.
        reading_from = known.covered_to - self._overlap if known.covered_to else _EVER
        if self._since is not None:
            # A later one would leave a gap that the next run takes for read.
            reading_from = min(self._since, reading_from)
        return known._replace(
            reading=self._reading,
            reading_since=state.database_now(connection),
            reading_from=None if self._reading == "full" else reading_from,
            cursor=None,
            rows_read=0,
            newest=None,
            first_total=None,
            most_total=None,
        )

    def _store_pages(self, client: Client, pages: Iterator[Page]) -> None:
        """Store each page while the next is fetched."""
        first_href: str | None = None
        for mirrored_at, page in ahead(self._stamped(pages)):
            if page.href == first_href:
                # The listing started again.
                self._restart()
            first_href = first_href or page.href
            self._store(client, page, mirrored_at)

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

    def _store(self, client: Client, page: Page, mirrored_at: datetime) -> None:
        rows = page.rows("contacts")
        records, malformed = self._aside.parse(rows, parse_contact)
        self.malformed += malformed
        if any(record.list_ids is not None for record in records):
            # Lists are shown here: a contact without any is on none.
            records = [record._replace(list_ids=record.list_ids or "{}") for record in records]
        if self._reading == "full" and self._state.rows_read == 0 and records:
            self._refuse_other_account(client, records)
        self._note_total(page, len(rows))
        self._note(records, len(rows))
        self._state = self._state._replace(
            cursor=page.next_href,
            rows_read=self._state.rows_read + len(rows),
            newest=_newest(self._state.newest, records, self._by),
        )
        with self._crm.transaction() as connection:
            self._aside.store(
                connection,
                records,
                lambda some: contacts.upsert_page(connection, some, mirrored_at),
            )
            state.save(connection, self.noun, self._state)

    def _note_total(self, page: Page, rows: int) -> None:
        """Take note of how many contacts the vendor counts, unless it counts something else.

        The contract says "that meet all search criteria", and "in the response". The first page
        tells: one that leads on is not all; one of changes that does not, and is not full, is.
        """
        total, first = number(page.payload.get("contacts_count")), self._state.first_total
        if total is None or (self._state.rows_read and first is None):
            return
        is_all = self._reading == "changed" and rows < vendor.CONTACTS_PER_PAGE
        is_other = total <= rows if page.next_href else is_all and total != rows
        if first is None and is_other:
            _log.info(
                "contacts_count is %d where a first page of %s has %d: it counts something else, "
                "and nothing is held against it",
                total,
                self.noun,
                rows,
            )
            return
        most = self._state.most_total or 0
        self._has_shrunk |= total < most
        self.total = total
        self._state = self._state._replace(
            first_total=total if first is None else first, most_total=max(total, most)
        )

    def _refuse_other_account(self, client: Client, records: list[ContactRecord]) -> None:
        """Raise if the account is not the mirror's: it has none of ten that are mirrored.

        Asked where a first page shows none: as many may be new since the last pass. Of fewer than
        ten all may have been purged.
        """
        ids = [record.contact_id for record in records]
        params = {"contact_ids": ids, "most": _TELLING}
        found = self._crm.row("contacts/known", params) or {}
        if found["known"] or len(found["mirrored"]) < _TELLING:
            return
        for contact_id in found["mirrored"]:
            try:
                client.get(f"/contacts/{contact_id}")
            except Rejected:
                continue
            return
        raise other_account(client.conn_id, "contacts")

    def _note(self, records: list[ContactRecord], rows: int) -> None:
        """Take note of what a page shows."""
        self._rows_of_this_run += rows
        began_at = self.began_at - _CLOCKS
        self.seen |= {hash(contact_id) for contact_id in self._aside.unread}
        for record in records:
            if not self._is_asked_for(record):
                # A page link lost the filter: what was asked for is elsewhere.
                continue
            key = hash(record.contact_id)
            if key not in self.seen and record.created_at and record.created_at >= began_at:
                self._created += 1
            self.seen.add(key)

    def _is_asked_for(self, record: ContactRecord) -> bool:
        """Whether the reading asks for such a contact; so does one that does not say."""
        after, changed_at = self._state.reading_from, _changed_at(record, self._by)
        if after is None:
            return True
        if changed_at is None:
            return self._by == "updated" or record.permission_to_send == "unsubscribed"
        return changed_at >= after - _DATES

    def end(self, connection: psycopg.Connection[Any], *, is_whole: bool) -> None:
        """The next reading begins where this one ended. Until here, a killed one goes on.

        Args:
            connection: Of the transaction that ends the pass.
            is_whole: Whether all were seen: only then a full pass proves who is gone, and only
                then the next reading of changes asks for later ones. After a full pass that was
                not whole, a full one follows.
        """
        is_full = self._reading == "full" and is_whole
        is_covered = self._reading == "full" or is_whole
        state.save(
            connection,
            self.noun,
            self._state._replace(
                covered_to=_covered(self._state) if is_covered else self._state.covered_to,
                full_pass_at=self.began_at if is_full else self._state.full_pass_at,
                reading=None,
                cursor=None,
                first_total=None,
                most_total=None,
            ),
        )


def _newest(newest: datetime | None, records: list[ContactRecord], by: str) -> datetime | None:
    times = [time for record in records if (time := _changed_at(record, by))]
    return max([*times, newest] if newest else times, default=None)


def _changed_at(record: ContactRecord, by: str) -> datetime | None:
    return record.updated_at if by == "updated" else record.opt_out_date


def _covered(reading: SyncState) -> datetime | None:
    """Up to when the vendor's changes are mirrored now, by the vendor's own times.

    Neither clock has to agree with the other: the newest change seen bounds it, and our clock
    bounds a date in the future.
    """
    if reading.newest is None:
        return reading.covered_to
    newest = min(reading.newest, reading.reading_since or reading.newest)
    return max(newest, reading.covered_to) if reading.covered_to else newest
