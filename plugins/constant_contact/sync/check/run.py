"""A whole check: the CRM, the account's reads, its writes if a person said yes; kept and compared.

Writes need an address of no contact at Constant Contact. It is asked for as the id of a contact of
the CRM, whose address is read when it is needed: Airflow keeps a run's params and shows them, and
an id is no secret. So the address is in no param, no log and no row of ours, and the gate can be
asked about it as about any other.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import psycopg

from constant_contact import __version__
from constant_contact.api.client import Client
from constant_contact.errors import ConstantContactError, SettingError, Withdrawn
from constant_contact.redact import is_telling, redact
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.check.crm import check_crm
from constant_contact.sync.check.results import Check, CheckedLine
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import READS, WRITES
from constant_contact.sync.check.vendor_reads import read_vendor
from constant_contact.sync.check.vendor_writes import WRITE_CALLS, write_vendor
from constant_contact.sync.report import Report

_NO_WRITES: Final = "writes are tried with a test contact and an explicit yes only"
_TOO_FEW_CALLS: Final = (
    f"fewer than {WRITE_CALLS} of the day's calls are left: try writes after 00:00 UTC"
)
_ANOTHER: Final = "another check tries writes now: start this one again when it has ended"

OpenClient = Callable[..., AbstractContextManager[Client]]


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
        SettingError: A yes without a contact, or an id that is an address.
    """

    contact_id: str = ""
    are_allowed: bool = False

    def __post_init__(self) -> None:
        if self.are_allowed and not self.contact_id:
            raise SettingError(
                "param test_contact_id",
                "is empty, and writes need a contact of the CRM whose address reaches only you; "
                "make one, give its id, or leave the writes out",
            )
        if is_telling(self.contact_id):
            # Airflow would keep it with the run. Not quoted, for the same reason.
            raise SettingError(
                "param test_contact_id",
                "has the form of an address or a secret, and Airflow keeps and shows it; give the "
                "id of a contact of the CRM that is neither",
            )


def run_check(
    crm: Database, open_client: OpenClient, conn_id: str, writes: Writes
) -> tuple[Check, CheckReport]:
    """Try all that the jobs rely on, and keep what was seen if the CRM has the schema for it.

    Args:
        crm: The account's CRM; need not have our schema.
        open_client: Lends a client of the account; its argument `lane` names a share of the day's
            calls.
        conn_id: The account's connection to Constant Contact.
        writes: Whether to try them, and with which contact.

    Raises:
        DatabaseUnavailable: The CRM's server does not answer, so that nothing can be checked.
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
    reported: set[str] = set()
    seen, remedy = "the account could not be asked", "See the lines before."
    try:
        with open_client() as client:
            for line in look(client):
                reported.add(line.assumption.name)
                yield line
    except Withdrawn as error:
        seen, remedy = str(error), ""
    except ConstantContactError as error:
        remedy = str(error)
    except psycopg.Error as error:
        remedy = redact(error.diag.message_primary or type(error).__name__)
    for assumption in assumptions:
        if assumption.name not in reported:
            yield Line(assumption, Result.NOT_TRIED, seen, remedy)


def _write(crm: Database, open_client: OpenClient, writes: Writes) -> Iterator[Line]:
    if not writes.are_allowed:
        yield from (Line(each, Result.NOT_TRIED, _NO_WRITES) for each in WRITES)
        return
    yield from _told(WRITES, open_client, partial(_try_writes, crm, open_client, writes.contact_id))


def _try_writes(
    crm: Database, open_client: OpenClient, contact_id: str, client: Client
) -> Iterator[Line]:
    """The lines of the writes.

    Raises:
        Withdrawn: None may be tried; says why.
    """
    with crm.session() as session:
        if not (database.row(session, "check/try_lock") or {})["is_ours"]:
            raise Withdrawn(_ANOTHER)
        contact = TrialContact(crm, session, contact_id)
        if client.calls_left() < WRITE_CALLS:
            raise Withdrawn(_TOO_FEW_CALLS)
        # Other jobs call meanwhile: what was made is taken away whatever they leave of the day.
        with open_client(lane="opt_outs") as urgent:
            yield from write_vendor(urgent, contact)


def _kept(crm: Database, lines: Sequence[Line], duration_ms: int) -> tuple[Check, CheckReport]:
    """Compare the lines with the last check's, and keep them."""
    last: dict[str, str] = {}
    checked_at, not_kept = datetime.now(UTC), ""
    try:
        with crm.transaction() as connection:
            rows = database.rows(connection, "check/last_results")
            last = {row["name"]: row["result"] for row in rows}
            checked = [CheckedLine.from_line(line, last) for line in lines]
            made = {"duration_ms": duration_ms, "package_version": __version__}
            columns = database.columns(CheckedLine, checked)
            kept = database.row(connection, "check/keep", made | columns) or {}
            checked_at = kept["checked_at"]
    except (ConstantContactError, psycopg.Error):
        checked = [CheckedLine.from_line(line, last) for line in lines]
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
