"""Links: which of the vendor's contacts each CRM contact is, by address."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from constant_contact.store import database, state
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.crm.crm_contacts import see_contacts_in
from constant_contact.sync.crm.flag_back import flag_opted_out
from constant_contact.sync.crm.write_back import write_back
from constant_contact.sync.objections import find_mailable, update_register
from constant_contact.sync.report import Report

# So many rows of `ctct_link` changed at once make another plan the better one.
_MANY: Final = 1_000

_log = logging.getLogger("constant_contact.links")


@dataclass
class LinksReport(Report):
    """What a run changed, and how the CRM's contacts stand after it.

    Attributes:
        appeared: CRM contacts that are new; likewise `left`.
        absent_held: CRM contacts that are absent with too many others: a person is asked.
        links_held: Links that are not cleared until a person agrees.
        written: Links written into the CRM's own table; likewise `write_failed`.
        flagged_back: CRM contacts flagged since they unsubscribed at the vendor.
        shared_addresses: Addresses that several CRM contacts have; all of those are linked.
        sharing: CRM contacts with such an address.
        opt_outs_queued: Contacts that the CRM flags and the vendor may still mail.
        opt_ins_requeued: Held opt-ins whose contact has opted in at the vendor since.
        only_vendor_says_no: Linked contacts without the CRM's flag that the vendor may not mail.
    """

    appeared: int = 0
    left: int = 0
    absent_held: int = 0
    linked: int = 0
    relinked: int = 0
    unlinked: int = 0
    links_held: int = 0
    written: int = 0
    write_failed: int = 0
    flagged_back: int = 0
    contacts: int = 0
    with_link: int = 0
    unmatched: int = 0
    without_email: int = 0
    malformed_email: int = 0
    shared_addresses: int = 0
    sharing: int = 0
    opt_outs_queued: int = 0
    opt_ins_requeued: int = 0
    only_vendor_says_no: int = 0


def link_contacts(crm: Database, *, dry_run: bool = False) -> LinksReport:
    """Link, relink and unlink at once; no API call.

    A contact that the CRM flags as Do Not Email and the vendor may still mail is queued as an
    opt-out in the same transaction: a link never exists without it.
    """
    report = LinksReport()
    database.recount(crm)
    with crm.transaction() as connection:
        database.row(connection, "crm_contacts/lock")
        seen = see_contacts_in(connection, crm)
        report.appeared, report.left, report.absent_held = (
            seen.appeared,
            seen.left,
            seen.absent_held,
        )
        _link(connection, report)
        if dry_run:
            differences = _count(connection, report)
            connection.rollback()
    if not dry_run:
        written = write_back(crm)
        report.written, report.write_failed = written.written, written.write_failed
        report.flagged_back = flag_opted_out(crm)
        with crm.transaction() as connection:
            differences = _count(connection, report)
    _log_differences(differences)
    if report.shared_addresses:
        _log.info(
            "%d addresses belong to %d CRM contacts: each of them is linked",
            report.shared_addresses,
            report.sharing,
        )
    return report


def update_links(crm: Database) -> None:
    """As `link_contacts`, for a job that goes on by the links: nothing is counted.

    Counting reads every contact of the CRM, and such a job asks several times in a run.
    """
    with crm.transaction() as connection:
        relink(connection)
    crm.run("opt_ins/requeue_opt_ins")


def relink(connection: psycopg.Connection[Any]) -> None:
    """Link, relink and unlink in the caller's transaction; nothing is counted."""
    _link(connection, LinksReport())


def _hold_cleared(connection: psycopg.Connection[Any]) -> int:
    """Have a person asked before many links are cleared; return how many are held now."""
    database.run(connection, "links/drop_held")
    cleared = (database.row(connection, "links/count_cleared") or {})["cleared"]
    if cleared <= holds.BREAKER_LINKS:
        return 0
    detail = (
        f"{cleared} CRM contacts would lose their links, more than the circuit breaker allows at "
        f"once ({holds.BREAKER_LINKS}): Constant Contact no longer has their contacts. A person is "
        "asked in Airflow, under Required Actions."
    )
    _log.warning("%s", detail)
    held = database.run(connection, "links/hold_cleared", {"detail": detail})
    database.run(connection, "links/drop_held")
    return held


def _link(connection: psycopg.Connection[Any], report: LinksReport) -> None:
    # An id that the mirror lacks means something once every contact was read.
    is_whole = state.load(connection, "contacts").full_pass_at is not None
    database.analyze(connection)
    database.stage(connection, "links/stage", "wanted_link", [])
    if database.run(connection, "links/want", {"mirror_is_whole": is_whole}):
        database.analyze(connection, "wanted_link")
        report.links_held = _hold_cleared(connection)
        database.run(connection, "consent/name_unlinked")
        changed = database.row(connection, "links/link") or {}
        report.linked, report.relinked = changed["linked"], changed["relinked"]
        report.unlinked = changed["unlinked"]
    if report.appeared + report.linked + report.relinked + report.unlinked >= _MANY:
        database.analyze(connection, "ctct_link")
    update_register(connection)
    report.opt_outs_queued = find_mailable(connection)


def _count(connection: psycopg.Connection[Any], report: LinksReport) -> dict[str, Any]:
    """Look at held opt-ins again, and tell how the contacts stand; returns the differences."""
    report.opt_ins_requeued = database.run(connection, "opt_ins/requeue_opt_ins")
    for name, value in (database.row(connection, "links/count_links") or {}).items():
        setattr(report, name, value)
    differences = database.row(connection, "links/count_differences") or {}
    report.only_vendor_says_no = differences["only_vendor_says_no"]
    return differences


def _log_differences(differences: Mapping[str, Any]) -> None:
    """Where the two sides disagree, the suppressive one wins; a person should know of it."""
    if differences["only_crm_says_no"]:
        _log.info(
            "%d linked contacts have Do Not Email set and Constant Contact may mail them: they are "
            "in crm_opt_out_change",
            differences["only_crm_says_no"],
        )
    if differences["only_vendor_says_no"]:
        _log.info(
            "%d linked contacts are unsubscribed at Constant Contact, and Do Not Email is not set "
            "in the CRM (view crm_consent_difference; such as %s)",
            differences["only_vendor_says_no"],
            ", ".join(differences["sample"]),
        )
