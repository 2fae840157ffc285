"""Checks the seam's files against the adopter's tables, and makes the doorbell."""

from collections.abc import Callable
from typing import Any, Final

import psycopg

from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.crm_contacts import check_contacts, explained, finding_public
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import SHIPPED, Seam, SeamFile, load_seam

_WITHOUT_DOORBELL = (
    "without the doorbell a change of Do Not Email is seen every quarter of an hour: correct the "
    "file, or remove it"
)


def install(connection: psycopg.Connection[Any], seam: Seam | None = None) -> list[str]:
    """Migrate the default account's schema and make the doorbell.

    Returns:
        The versions applied now.

    Raises:
        SchemaError: As `migrate`.
        SettingError: A file of the seam does not fit the CRM's tables.
    """
    seam = seam or load_seam()
    applied = migrate(connection, has_contacts=seam.contacts.path.parent == SHIPPED)
    if problems := prepare_seam(connection, seam):
        raise SettingError("the CRM's SQL files", "; ".join(problems))
    return applied


def prepare_seam(
    connection: psycopg.Connection[Any],
    seam: Seam,
    contacts: psycopg.Connection[Any] | None = None,
) -> list[str]:
    """Make the doorbell, and try each file without changing a row.

    Args:
        connection: To the CRM database, after the migration.
        seam: The account's files.
        contacts: Where contacts.sql is read, if not there.

    Returns:
        What is wrong, one line each with its remedy; empty: nothing.
    """
    problems = []
    for name, check in _CHECKS.items():
        file: SeamFile | None = getattr(seam, name)
        if file is None:
            continue
        reading = contacts if name == "contacts" and contacts is not None else connection
        try:
            with reading.transaction():
                check(reading, file)
        except SettingError as error:
            problems.append(str(error))
    return problems


def _make_doorbell(connection: psycopg.Connection[Any], file: SeamFile) -> None:
    try:
        with finding_public(connection), explained(file):
            connection.execute(file.text)
    except SettingError as error:
        raise SettingError(str(file.path), f"{error.problem}; {_WITHOUT_DOORBELL}") from None


def _try_write_back(connection: psycopg.Connection[Any], file: SeamFile) -> None:
    """Run it with no row to change: its names, types and rights are checked."""
    database.run(connection, "links/stage_changed")
    with finding_public(connection), explained(file):
        connection.execute(file.text)


def _try_flag_back(connection: psycopg.Connection[Any], file: SeamFile) -> None:
    database.run(connection, "links/stage_flags")
    with finding_public(connection), explained(file):
        connection.execute(file.text)


_CHECKS: Final[dict[str, Callable[[psycopg.Connection[Any], SeamFile], None]]] = {
    "contacts": check_contacts,
    "write_back": _try_write_back,
    "flag_back": _try_flag_back,
    "doorbell": _make_doorbell,
}
