"""Links: which of the vendor's contacts each CRM contact is, by address."""

import logging
from dataclasses import dataclass

from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync.reports import Report

_log = logging.getLogger("constant_contact.links")


@dataclass
class LinksReport(Report):
    """What a run changed, and how the CRM's contacts stand after it.

    Attributes:
        shared_addresses: Addresses that several CRM contacts have; all of those are linked.
        sharing: CRM contacts with such an address.
        opt_outs_queued: Contacts that the CRM flags and the vendor may still mail.
    """

    linked: int = 0
    relinked: int = 0
    unlinked: int = 0
    contacts: int = 0
    with_link: int = 0
    unmatched: int = 0
    without_email: int = 0
    malformed_email: int = 0
    shared_addresses: int = 0
    sharing: int = 0
    opt_outs_queued: int = 0


def link_contacts(crm: Database, *, dry_run: bool = False) -> LinksReport:
    """Link, relink and unlink in one statement; no API call.

    Args:
        crm: Where the contacts and the mirror are.
        dry_run: Tell what would change and change nothing.

    Whoever the CRM flags as Do Not Email and the vendor may still mail is queued as an opt-out in
    the same transaction: a link never exists without it.
    """
    with crm.transaction() as connection:
        # An id that the mirror lacks means something once every contact was read.
        is_whole = state.load(connection, "contacts").full_pass_at is not None
        changed = database.row(connection, "crm/link_contacts", {"mirror_is_whole": is_whole})
        queued = database.run(connection, "crm/queue_opt_outs")
        standing = database.row(connection, "crm/count_links")
        if dry_run:
            connection.rollback()
    report = LinksReport(**(changed or {}), **(standing or {}), opt_outs_queued=queued)
    if report.shared_addresses:
        _log.info(
            "%d addresses belong to %d CRM contacts: each of them is linked",
            report.shared_addresses,
            report.sharing,
        )
    return report
