"""The CRM's contacts, as they are seen: `ctct_link`.

The one reading of the firm's own tables. What is seen is compared with what was seen before, and
only differences are written; everything else in this package works on what was seen.
"""

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from constant_contact.store import database, state
from constant_contact.store.crm_contacts import read_differences, spell_ids
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.crm_contacts")

_NOUN: Final = "crm_contacts"


@dataclass
class SeenReport(Report):
    """What differed from what was seen before.

    Attributes:
        appeared: Contacts that are new in the CRM, or returned.
        left: Contacts that left the CRM.
        absent_held: Contacts that are absent with too many others: a person is asked.
        doubled: Ids that the CRM has twice: a no if either says no.
        without_id: Rows without an id, which are left out.
        is_baseline: The first whole look after an installation, a restore or a change of
            contacts.sql: what differs says nothing about what a person did.
    """

    appeared: int = 0
    changed: int = 0
    left: int = 0
    absent_held: int = 0
    doubled: int = 0
    without_id: int = 0
    is_baseline: bool = False


def see_contacts(
    crm: Database,
    contact_ids: Collection[str] | None = None,
    *,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
) -> SeenReport:
    """Look at the CRM's contacts, and keep what differs from what was seen before.

    Args:
        crm: Where `ctct_link` is; its seam says where the contacts are.
        contact_ids: Only these; None: all.
        breaker_contacts: How many contacts may leave the CRM at once; or, if that is more,
        breaker_share: this share of those seen before.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    with crm.transaction() as connection:
        # A look that began earlier never overwrites a later one.
        database.row(connection, "crm_contacts/lock")
        return see_contacts_in(connection, crm, contact_ids, breaker_contacts, breaker_share)


def see_contacts_in(
    connection: psycopg.Connection[Any],
    crm: Database,
    contact_ids: Collection[str] | None = None,
    breaker_contacts: int = holds.BREAKER_CONTACTS,
    breaker_share: float = holds.BREAKER_SHARE,
) -> SeenReport:
    """As `see_contacts`, in a transaction of the caller's that has the lock."""
    report = SeenReport()
    if contact_ids is None:
        # Before the register hears them.
        spell_changes(connection, crm)
    found = read_differences(connection, crm, contact_ids)
    report.doubled, report.without_id = found.doubled, found.without_id
    if report.doubled or report.without_id:
        _log.warning(
            "%s: %d ids are there twice (a no counts if either says no) and %d rows have no id",
            crm.seam.contacts.path,
            report.doubled,
            report.without_id,
        )
    known = state.load(connection, _NOUN)
    digest = hashlib.sha256(crm.seam.contacts.text.encode()).hexdigest()
    report.is_baseline = known.full_pass_at is None or known.cursor != digest
    # Most looks see what was seen before.
    if found.rows:
        database.run(connection, "crm_contacts/forget_erased")
        if not report.is_baseline:
            database.run(connection, "consent/add_cleared")
        database.run(connection, "consent/hear_left_addresses")
        kept = database.row(connection, "crm_contacts/keep", {"knows_links": crm.seam.knows_links})
        report.appeared, report.changed = (kept or {})["appeared"], (kept or {})["changed"]
        _see_absent(connection, report, breaker_contacts, breaker_share)
    if contact_ids is None:
        now = state.database_now(connection)
        state.save(connection, _NOUN, known._replace(full_pass_at=now, cursor=digest))
    return report


def spell_changes(
    connection: psycopg.Connection[Any], crm: Database, change_id: int | None = None
) -> bool:
    """Give changes of unknown contacts the id of contacts.sql; return whether any had another.

    A program of the CRM's may write 007, or a UUID in capitals, where the table has the number 7.

    Args:
        connection: Of `crm`; the changes are ours to the end of its transaction.
        crm: Its seam has contacts.sql.
        change_id: Only this one; None: all that wait.
    """
    if change_id is None:
        # Whichever job looks: all changes that wait are joined with all links.
        database.analyze(connection)
    unknown = database.rows(connection, "opt_outs/unknown_contacts", {"change_id": change_id})
    spelled = spell_ids(connection, crm, {row["contact_id"] for row in unknown}) if unknown else {}
    wrong = [row for row in unknown if row["contact_id"] in spelled]
    for row in wrong:
        database.run(
            connection,
            "opt_outs/spell_contact",
            {"change_id": row["change_id"], "contact_id": spelled[row["contact_id"]]},
        )
    return bool(wrong)


def _see_absent(
    connection: psycopg.Connection[Any],
    report: SeenReport,
    breaker_contacts: int,
    breaker_share: float,
) -> None:
    """A view that broke or an import that is not done looks like everybody's leaving."""
    absent = (database.row(connection, "crm_contacts/count_absent") or {})["absent"]
    if absent > breaker_contacts:
        contacts = (database.row(connection, "crm_contacts/count") or {})["contacts"]
        allowed = max(breaker_contacts, int(contacts * breaker_share))
        if absent > allowed:
            detail = (
                f"{absent} of {contacts} contacts are no longer in the CRM, more than the circuit "
                f"breaker allows at once ({allowed}). Until a person agrees they count as there. "
                "A person is asked in Airflow, under Required Actions."
            )
            _log.warning("%s", detail)
            params = {"detail": detail}
            report.absent_held = database.run(connection, "crm_contacts/hold_absent", params)
            return
    if absent:
        report.left = database.run(connection, "crm_contacts/leave")
