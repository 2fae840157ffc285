"""Write-back: the links, in the CRM's own table as well, by the seam's write_back.sql."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from constant_contact.redact import told_by
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.store.seam_session import seam_session
from constant_contact.sync.report import Report

_log = logging.getLogger("constant_contact.links")

_BATCH: Final = 1_000
# Links are kept already: who holds the CRM's rows for longer is not waited for.
LOCK_TIMEOUT: Final = "2s"


@dataclass
class WriteBackReport(Report):
    """What became of links that the CRM's own column did not have, in CRM contacts."""

    written: int = 0
    write_failed: int = 0


def write_back(crm: Database) -> WriteBackReport:
    """Write links that the CRM's own column does not have; without write_back.sql, nothing.

    In batches, in the order of ids. What fails is logged, and tried again by the next run.
    """
    report = WriteBackReport()
    if crm.seam.write_back is None:
        return report
    after = ""
    while batch := _next(crm, after):
        after = batch[-1][0]
        failed = _write(crm, crm.seam.write_back, batch)
        report.written += len(batch) - failed
        report.write_failed += failed
    if report.write_failed:
        _log.warning(
            "%d links could not be written into the CRM's own table; they are in ctct_link, and "
            "are tried again by the next run",
            report.write_failed,
        )
    return report


def _next(crm: Database, after: str) -> list[tuple[str, str | None]]:
    found = crm.rows("links/unwritten", {"after": after, "most": _BATCH})
    return [(row["contact_id"], row["constant_contact_id"]) for row in found]


def _write(crm: Database, file: SeamFile, batch: Sequence[tuple[str, str | None]]) -> int:
    """Write a batch, or of one that is refused each half; return how many could not be written."""
    with crm.transaction() as connection:
        database.stage(connection, "links/stage_changed", "changed_link", batch)
        try:
            with connection.transaction():
                _run(connection, file, len(batch))
                database.run(connection, "links/written")
        except psycopg.Error as error:
            if connection.closed:
                raise
            refused = error
        else:
            return 0
    said = told_by(refused)
    if isinstance(refused, psycopg.errors.LockNotAvailable):
        _log.warning("%s: %s", file.path, said)
        return len(batch)
    if len(batch) == 1:
        _log.warning("%s: CRM contact %s: %s", file.path, batch[0][0], said)
        return 1
    half = len(batch) // 2
    return _write(crm, file, batch[:half]) + _write(crm, file, batch[half:])


def _run(connection: psycopg.Connection[Any], file: SeamFile, contacts: int) -> None:
    with seam_session(connection):
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        changed = connection.execute(file.text, prepare=False).rowcount
        # What the firm's constraints refuse is this batch's, not the commit's.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if 0 <= changed < contacts:
        # Some may have left the CRM meanwhile, or have their id already.
        _log.warning("%s: changed %d rows for %d contacts", file.path, changed, contacts)
