"""A whole check: the CRM, the account's reads, its writes if a person said yes; kept and compared.

Writes need an address that is nobody's. It is asked for as the id of a contact of the CRM, whose
address is read when it is needed: Airflow keeps a run's params and shows them, and an id is no
secret. So the address is in no param, no log and no row of ours, and the gate can be asked about
it as about any other.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from constant_contact import __version__
from constant_contact.api.client import Client
from constant_contact.errors import ConstantContactError, SettingError
from constant_contact.redact import redact
from constant_contact.store import database
from constant_contact.store.crm_contacts import read_contact
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.check.crm import check_crm
from constant_contact.sync.check.results import Check, CheckedLine
from constant_contact.sync.check.vendor_assumptions import READS, WRITES
from constant_contact.sync.check.vendor_reads import read_vendor
from constant_contact.sync.check.vendor_writes import write_vendor
from constant_contact.sync.report import Report

_NO_WRITES: Final = "writes are tried with a test contact and an explicit yes only"

OpenClient = Callable[[], AbstractContextManager[Client]]


@dataclass
class CheckReport(Report):
    """What a check found.

    Attributes:
        not_tried: Lines of what could not be tried, or was not asked for.
        changed: Lines with another result than the last check that tried them.
        not_kept: Why the check is not in ctct_check; "" if it is.
        found: The result of each line that does not hold, by the assumption's name.
    """

    ok: int = 0
    not_tried: int = 0
    differs: int = 0
    refused: int = 0
    changed: int = 0
    not_kept: str = ""
    found: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Writes:
    """Whether a person said yes to writes at Constant Contact, and to which CRM contact's address.

    Raises:
        SettingError: A yes without a contact.
    """

    contact_id: str = ""
    are_allowed: bool = False

    def __post_init__(self) -> None:
        if self.are_allowed and not self.contact_id:
            raise SettingError(
                "param test_contact_id",
                "is empty, and writes need a contact of the CRM whose address is nobody's; make "
                "one, give its id, or leave the writes out",
            )


def run_check(
    crm: Database, open_client: OpenClient, conn_id: str, writes: Writes
) -> tuple[Check, CheckReport]:
    """Try all that the jobs rely on, and keep what was seen if the CRM has the schema for it.

    Args:
        crm: The account's CRM; need not have our schema.
        open_client: Lends a client of the account.
        conn_id: The account's connection to Constant Contact.
        writes: Whether to try them, and with whom.

    Raises:
        DatabaseUnavailable: The CRM's server does not answer, so that nothing can be told.
    """
    began = time.monotonic()
    lines = [
        *check_crm(crm, conn_id),
        *_told(READS, open_client, read_vendor),
        *_write(crm, open_client, writes),
    ]
    duration_ms = round((time.monotonic() - began) * 1000)
    return _kept(crm, lines, duration_ms)


def _told(
    assumptions: Sequence[Assumption],
    open_client: OpenClient,
    look: Callable[[Client], Iterable[Line]],
) -> Iterator[Line]:
    """The lines of a look at the account, and one for each assumption that it gave none for."""
    told: set[str] = set()
    remedy = "See the lines before."
    try:
        with open_client() as client:
            for line in look(client):
                told.add(line.assumption.name)
                yield line
    except ConstantContactError as error:
        remedy = str(error)
    except psycopg.Error as error:
        remedy = redact(error.diag.message_primary or type(error).__name__)
    for assumption in assumptions:
        if assumption.name not in told:
            yield Line(assumption, Result.NOT_TRIED, "the account could not be asked", remedy)


def _write(crm: Database, open_client: OpenClient, writes: Writes) -> Iterator[Line]:
    address, why = None, _NO_WRITES
    if writes.are_allowed:
        address, why = _test_address(crm, writes.contact_id)
    if address is None:
        yield from (Line(each, Result.NOT_TRIED, why) for each in WRITES)
        return
    yield from _told(WRITES, open_client, lambda client: write_vendor(client, address))


def _test_address(crm: Database, contact_id: str) -> tuple[str | None, str]:
    """The address of the test contact; None, and why it is not written to."""
    try:
        with crm.transaction() as connection:
            contact = read_contact(connection, crm, contact_id)
            address = contact.email_address if contact else None
            asked = {"contact_id": contact_id, "constant_contact_id": None, "address": address}
            gate = database.row(connection, "consent/gate", asked) or {}
            connection.rollback()
    except (ConstantContactError, psycopg.Error):
        return None, "the test contact could not be read: see the CRM's lines"
    if contact is None or address is None:
        return None, "the CRM has no contact of this id with an address"
    # The register has heard of the flag only if a job has looked since it was set.
    if contact.do_not_email or gate["answer"] != "may":
        return None, "the test contact must not be emailed: take one without Do Not Email"
    return address, ""


def _kept(crm: Database, lines: Sequence[Line], duration_ms: int) -> tuple[Check, CheckReport]:
    """Compare the lines with the last check's, and keep them."""
    last: dict[str, str] = {}
    checked_at, not_kept = datetime.now(UTC), ""
    try:
        with crm.transaction() as connection:
            rows = database.rows(connection, "check/last_results")
            last = {row["name"]: row["result"] for row in rows}
            checked = [CheckedLine.of(line, last) for line in lines]
            kept = database.row(connection, "check/keep", _columns(checked, duration_ms)) or {}
            checked_at = kept["checked_at"]
    except (ConstantContactError, psycopg.Error):
        checked = [CheckedLine.of(line, last) for line in lines]
        not_kept = "the CRM's lines say why"
    check = Check(checked_at, duration_ms, __version__, checked)
    report = CheckReport(
        ok=check.count(Result.OK),
        not_tried=check.count(Result.NOT_TRIED),
        differs=check.count(Result.DIFFERS),
        refused=check.count(Result.REFUSED),
        changed=sum(line.result_before is not None for line in checked),
        not_kept=not_kept,
        found={line.name: line.result for line in checked if line.is_found},
    )
    return check, report


def _columns(lines: Sequence[CheckedLine], duration_ms: int) -> dict[str, Any]:
    return {
        "duration_ms": duration_ms,
        "package_version": __version__,
        "names": [line.name for line in lines],
        "sides": [line.side for line in lines],
        "results": [line.result for line in lines],
        "results_before": [line.result_before for line in lines],
        "seen": [line.seen for line in lines],
        "remedies": [line.remedy for line in lines],
        "exported_remedies": [line.exported_remedy for line in lines],
    }
