"""The CRM's side of a check: what is there, looked at without changing a row."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import psycopg

from constant_contact.errors import (
    ConstantContactError,
    DatabaseReadOnly,
    PrivilegeMissing,
    QueryTooSlow,
    SettingError,
)
from constant_contact.redact import told_by
from constant_contact.store.database import Database
from constant_contact.store.migrations import has_schema
from constant_contact.store.seam_session import MissingRight
from constant_contact.sync.check import crm_seam, crm_server
from constant_contact.sync.check.assumptions import Line
from constant_contact.sync.check.crm_assumptions import ASSUMPTIONS, MOST_SECONDS
from constant_contact.sync.check.crm_lines import Probe, differs, limit, not_tried, refused

_PLACES: Final = {each.name: place for place, each in enumerate(ASSUMPTIONS)}


def check_crm(crm: Database, conn_id: str) -> list[Line]:
    """Look at all that the jobs rely on in the CRM; one look that is refused stops no other.

    Nothing is written but temporary tables, which are rolled back. No look takes longer than
    `MOST_SECONDS`. The CRM need not have our schema.

    Returns:
        A line for each of `ASSUMPTIONS`, in their order.

    Raises:
        DatabaseUnavailable: The server does not answer, so that there is nothing to tell.
    """
    with crm.transaction() as connection:
        is_there = has_schema(connection)
    owner = Probe(("own_tables",), partial(crm_server.look_at_owner, conn_id), needs_schema=True)
    lines = [
        line
        for probe in (*crm_server.PROBES, owner, *crm_seam.PROBES)
        for line in _tried(crm, probe, has_schema=is_there)
    ]
    return sorted(lines, key=lambda line: _PLACES[line.assumption.name])


def _tried(crm: Database, probe: Probe, *, has_schema: bool) -> Iterator[Line]:
    """The probe's lines, and one for each of its names that it gave none for."""
    if probe.needs_schema and not has_schema:
        yield from (not_tried(name, crm_server.NO_SCHEMA) for name in probe.names)
        return
    lines: list[Line] = []
    try:
        with crm.transaction() as connection:
            limit(connection, is_read_only=probe.is_read_only)
            # One by one: what was said before an error stands.
            for line in probe.look(connection, crm):
                lines.append(line)
            connection.rollback()
        lacking = partial(not_tried, why="what it needs does not hold: see the lines before")
    except (ConstantContactError, psycopg.Error) as error:
        lacking = partial(_failed, error=error)
    yield from lines
    reported = {line.assumption.name for line in lines}
    yield from (lacking(name) for name in probe.names if name not in reported)


def _failed(name: str, error: ConstantContactError | psycopg.Error) -> Line:
    """What came of a look that raised; what the server says may name tables, so it is a remedy."""
    if isinstance(error, DatabaseReadOnly):
        return not_tried(name, "the server takes no writes, not even of temporary tables")
    if isinstance(error, psycopg.Error):
        reason = told_by(error)
        return refused(name, f"refused by the server (SQLSTATE {error.sqlstate})", reason)
    if isinstance(error, QueryTooSlow):
        return refused(name, f"no answer within {MOST_SECONDS} s, or of a lock", str(error))
    if isinstance(error, PrivilegeMissing | MissingRight):
        return refused(name, "our login lacks a right", str(error))
    if isinstance(error, SettingError):
        return differs(name, "a file of the CRM's does not fit its tables", str(error))
    return refused(name, "the look failed", str(error))
