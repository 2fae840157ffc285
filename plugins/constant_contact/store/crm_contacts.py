"""Reads the CRM's contacts by the seam's contacts.sql, from this database or another one."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile


class _Column(NamedTuple):
    """A column of contacts.sql, and what it becomes in `read_contact`."""

    name: LiteralString
    staged_as: LiteralString
    type: LiteralString = "text"
    is_needed: bool = False


_COLUMNS: Final = (
    _Column("contact_id", "contact_id", is_needed=True),
    _Column("preferred_email", "email_address", is_needed=True),
    _Column("do_not_email", "do_not_email", "boolean", is_needed=True),
    _Column("first_name", "first_name", is_needed=True),
    _Column("last_name", "last_name", is_needed=True),
    _Column("requested_by_contact", "requested_by_contact", "boolean"),
    _Column("opt_out_reason", "opt_out_reason"),
    _Column("merged_into", "merged_into"),
    _Column("constant_contact_id", "constant_contact_id"),
)
_ANY_ID: Final = re.compile(r".+", re.DOTALL)
_NUMBER: Final[tuple[LiteralString, re.Pattern[str]]] = "bigint", re.compile(r"-?[0-9]{1,18}")
# How ids are compared, by the type of the CRM's column; others as text.
_ID_TYPES: Final[dict[str, tuple[LiteralString, re.Pattern[str]]]] = {
    "smallint": _NUMBER,
    "integer": _NUMBER,
    "bigint": _NUMBER,
    "uuid": ("uuid", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
}
_STAGED: Final = sql.SQL(", ").join(sql.Identifier(column.staged_as) for column in _COLUMNS)


def read_contacts(
    connection: psycopg.Connection[Any], crm: Database, contact_ids: Collection[str] | None = None
) -> None:
    """Read contacts of the CRM into the temporary table `read_contact`.

    Args:
        connection: Of `crm`, in the transaction that goes on with what was read.
        crm: Its seam has contacts.sql, which may be read through another connection.
        contact_ids: Only these; None: all.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    database.run(connection, "crm_contacts/stage")
    if crm.contacts is None:
        with finding_public(connection), explained(crm.seam.contacts):
            select, params = _select(connection, crm.seam.contacts, contact_ids)
            connection.execute(
                sql.SQL("INSERT INTO read_contact ({}) {}").format(_STAGED, select), params
            )
    else:
        _copy(connection, crm.contacts, crm.seam.contacts, contact_ids)
    database.run(connection, "crm_contacts/analyze")


def _copy(
    connection: psycopg.Connection[Any],
    source: Database,
    file: SeamFile,
    contact_ids: Collection[str] | None,
) -> None:
    with source.transaction() as reading, explained(file):
        select, params = _select(reading, file, contact_ids)
        into = sql.SQL("COPY read_contact ({}) FROM STDIN").format(_STAGED)
        with (
            reading.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(select), params) as rows,
            connection.cursor().copy(into) as copied,
        ):
            for block in rows:
                copied.write(block)


def _select(
    connection: psycopg.Connection[Any], file: SeamFile, contact_ids: Collection[str] | None
) -> tuple[sql.Composed, dict[str, Any] | None]:
    """contacts.sql with our names and types; of some contacts only, if they are given."""
    types = column_types(connection, file)
    columns = sql.SQL(", ").join(
        sql.SQL("seam.{}::{}").format(sql.Identifier(column.name), sql.SQL(column.type))
        if column.name in types
        else sql.SQL("NULL::{}").format(sql.SQL(column.type))
        for column in _COLUMNS
    )
    if contact_ids is None:
        return sql.SQL("SELECT {} FROM (\n{}\n) AS seam").format(columns, sql.SQL(file.text)), None
    known = _ID_TYPES.get(types["contact_id"])
    id_type, form = known or ("text", _ANY_ID)
    id_column = sql.SQL("seam.contact_id" if known else "seam.contact_id::text")
    # In the id's own type: so the table's own index finds it. What is no such id is in no row.
    ids = [each for each in contact_ids if form.fullmatch(each)]
    return sql.SQL("SELECT {} FROM (\n{}\n) AS seam WHERE {} = any(%(ids)s::text[]::{}[])").format(
        columns, sql.SQL(file.escaped), id_column, sql.SQL(id_type)
    ), {"ids": ids}


def column_types(connection: psycopg.Connection[Any], file: SeamFile) -> dict[str, LiteralString]:
    """The columns that contacts.sql yields, and their types as SQL writes them.

    Raises:
        SettingError: One that is needed is missing.
    """
    query = sql.SQL("SELECT * FROM (\n{}\n) AS seam LIMIT 0").format(sql.SQL(file.text))
    described = connection.execute(query).description or []
    types = {column.name: _type_name(connection, column.type_code) for column in described}
    missing = [each.name for each in _COLUMNS if each.is_needed and each.name not in types]
    if missing:
        raise SettingError(
            f"{file.path}",
            f"yields no column {missing[0]}; it needs "
            f"{', '.join(each.name for each in _COLUMNS if each.is_needed)}",
        )
    return types


def _type_name(connection: psycopg.Connection[Any], oid: int) -> LiteralString:
    ((name,),) = connection.execute("SELECT format_type(%s, NULL)", [oid]).fetchall()
    found: LiteralString = name
    return found


def check_contacts(connection: psycopg.Connection[Any], file: SeamFile) -> None:
    """Read all contacts once, as a job will, and keep none.

    Raises:
        SettingError: A column is missing or of no use, a right is missing, or ids are not unique.
    """
    with finding_public(connection), explained(file):
        select, params = _select(connection, file, None)
        count = sql.SQL(
            "SELECT count(*), count(DISTINCT contact_id), count(do_not_email)"
            " FROM ({}) AS seam (contact_id, email_address, do_not_email)"
        ).format(select)
        found = connection.execute(count, params).fetchone()
    contacts, ids, _ = found or (0, 0, 0)
    if ids < contacts:
        raise SettingError(
            f"{file.path}",
            f"{contacts - ids} of {contacts} rows have no contact_id, or one that another row has: "
            "select a column that tells contacts apart",
        )


@contextmanager
def finding_public(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A further account's session sees its own schema only; the firm's tables are in public too."""
    ((before,),) = connection.execute("SELECT current_setting('search_path')").fetchall()
    set_path = "SELECT set_config('search_path', %s, true)"
    connection.execute(set_path, [f"{before}, public"])
    yield
    connection.execute(set_path, [before])


@contextmanager
def explained(file: SeamFile) -> Iterator[None]:
    """What the database says against a file of the seam names the file.

    Raises:
        SettingError: In place of any such error.
    """
    try:
        yield
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        said = error.diag.message_primary or type(error).__name__
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise SettingError(
                f"{file.path}", f"{said}: GRANT it to the role of the connection (docs/your-crm.md)"
            ) from None
        raise SettingError(f"{file.path}", f"{said}; correct it (docs/your-crm.md)") from None
