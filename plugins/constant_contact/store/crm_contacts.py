"""Reads the CRM's contacts by the seam's contacts.sql, from this database or another one."""

from collections.abc import Collection, Iterator
from contextlib import nullcontext
from typing import Any, Final, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.crm_ids import AS_TEXT, id_type, probe_of
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.store.seam_session import explained, joined_as_a_whole, plan, seam_session
from constant_contact.store.sql import statement


class _Column(NamedTuple):
    """A column of contacts.sql, and what we call it."""

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
#: What contacts.sql may yield.
COLUMN_NAMES: Final = frozenset(column.name for column in _COLUMNS)


_TEXTS: Final = frozenset({"text", "character varying", "character", "name", "citext"})
_VENDORS_ID: Final = "^\\s*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\s*$"
_MANY: Final = 1_000
# What an index of ours can hold.
_MAX_ID_BYTES: Final = 2_000
_STAGED: Final = sql.SQL(", ").join(sql.Identifier(column.staged_as) for column in _COLUMNS)


class Differences(NamedTuple):
    """How many contacts of the CRM are not as they were seen.

    Attributes:
        rows: Of all kinds; those that are absent, too.
        doubled: Ids that the CRM has twice, and that differ from what was seen.
        without_id: Rows without an id, which are left out.
    """

    rows: int = 0
    doubled: int = 0
    without_id: int = 0


def read_differences(
    connection: psycopg.Connection[Any], crm: Database, contact_ids: Collection[str] | None = None
) -> Differences:
    """Read contacts of the CRM that differ from what was seen of them into `read_contact`.

    Those that were seen and are not there now are in `absent_contact`.

    Args:
        connection: Of `crm`, in the transaction that goes on with what was read.
        crm: Its seam has contacts.sql, which may be read through another connection.
        contact_ids: Only these; None: all.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    file = crm.seam.contacts
    contacts, params = _source(connection, crm, contact_ids)
    params |= {
        # Also as the CRM spells them, by which they are known.
        "contact_ids": None if contact_ids is None else [*contact_ids, *params["ids"]],
        "knows_links": crm.seam.knows_links,
    }
    whole = joined_as_a_whole if contact_ids is None else nullcontext
    with seam_session(connection):
        with whole(connection):
            rows, absent, without_id = _compare(connection, file, contacts, params)
        if not rows:
            return Differences()
        # A few are found by the index of the CRM's table.
        with whole(connection) if rows - absent >= _MANY else nullcontext():
            counted = _run_on(connection, file, contacts, "crm_contacts/count_doubled", params)
        ((doubled,),) = counted.fetchall()
        if doubled:
            _run_on(connection, file, contacts, "crm_contacts/hear_doubled", params)
            merged = _with_contacts(contacts, "crm_contacts/merged")
            with whole(connection):
                _compare(connection, file, merged, params)
    database.analyze(connection, "read_contact")
    return Differences(rows, doubled, without_id)


def count_addresses(connection: psycopg.Connection[Any], crm: Database) -> dict[str, Any]:
    """What `check/addresses` counts of the CRM's contacts; changes temporary tables only."""
    contacts, params = _source(connection, crm, None)
    with seam_session(connection):
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        return cursor.execute(_with_contacts(contacts, "check/addresses"), params).fetchall()[0]


def spell_ids(
    connection: psycopg.Connection[Any], crm: Database, contact_ids: Collection[str]
) -> dict[str, str]:
    """Ids as contacts.sql yields them, by those given that are written otherwise.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    file = crm.seam.contacts
    with (
        crm.contacts.transaction() if crm.contacts else nullcontext(connection) as reading,
        seam_session(reading),
        explained(file),
    ):
        its = id_type(column_types(reading, file)["contact_id"])
    spelled = {each: its.spell(each) for each in contact_ids}
    return {given: id_ for given, id_ in spelled.items() if id_ not in {None, given}}


class Present(NamedTuple):
    """What the CRM says of a contact now, whatever was seen of it before."""

    email_address: str | None
    do_not_email: bool | None


def read_sharing(
    connection: psycopg.Connection[Any], crm: Database, contact_id: str
) -> list[Present]:
    """Read each row of a contact of the CRM, and all contacts that have an address of it.

    Raises:
        SettingError: contacts.sql does not yield what it must.
    """
    contacts, params = _source(connection, crm, None)
    params |= {"contact_id": contact_id}
    with seam_session(connection):
        found = _run_on(connection, crm.seam.contacts, contacts, "check/sharing", params)
    return [Present(*row) for row in found]


def _source(
    connection: psycopg.Connection[Any], crm: Database, contact_ids: Collection[str] | None
) -> tuple[sql.Composed, dict[str, Any]]:
    """What yields the CRM's contacts with our names in `connection`; copies them if need be."""
    file = crm.seam.contacts
    if crm.contacts is None:
        with seam_session(connection), explained(file):
            return _select(connection, file, contact_ids)
    params = _copy(connection, crm.contacts, file, contact_ids)
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier("copied_contact")), params


def _compare(
    connection: psycopg.Connection[Any],
    file: SeamFile,
    contacts: sql.Composed,
    params: dict[str, Any],
) -> tuple[int, int, int]:
    """Fill `read_contact` and `absent_contact`; return how many are in both, absent, without id."""
    database.stage(connection, "crm_contacts/stage", "read_contact", [])
    database.stage(connection, "crm_contacts/stage_absent", "absent_contact", [])
    rows = _run_on(connection, file, contacts, "crm_contacts/compare", params).rowcount
    if not rows:
        return 0, 0, 0
    absent = database.run(connection, "crm_contacts/find_absent")
    return rows, absent, database.run(connection, "crm_contacts/drop_without_id")


def _run_on(
    connection: psycopg.Connection[Any],
    file: SeamFile,
    contacts: sql.Composed,
    name: str,
    params: dict[str, Any],
) -> psycopg.Cursor[Any]:
    """Run the statement `name`, which reads the CRM's contacts as `seam_contact`."""
    with explained(file):
        return connection.execute(_with_contacts(contacts, name), params)


def _with_contacts(contacts: sql.Composed, name: str) -> sql.Composed:
    text = sql.SQL(statement(name).rstrip(";"))
    return sql.SQL("WITH seam_contact AS ({}) {}").format(contacts, text)


def _copy(
    connection: psycopg.Connection[Any],
    source: Database,
    file: SeamFile,
    contact_ids: Collection[str] | None,
) -> dict[str, Any]:
    database.stage(connection, "crm_contacts/stage_copied", "copied_contact", [])
    with source.transaction() as reading, seam_session(reading), explained(file):
        select, params = _select(reading, file, contact_ids)
        into = sql.SQL("COPY copied_contact ({}) FROM STDIN").format(_STAGED)
        with (
            reading.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(select), params) as rows,
            connection.cursor().copy(into) as copied,
        ):
            for block in rows:
                copied.write(block)
    database.analyze(connection, "copied_contact")
    return params


def _select(
    connection: psycopg.Connection[Any], file: SeamFile, contact_ids: Collection[str] | None
) -> tuple[sql.Composed, dict[str, Any]]:
    """contacts.sql with our names and types; of some contacts only, if they are given."""
    types = column_types(connection, file)
    columns = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(_cast(column, types), sql.Identifier(column.staged_as))
        for column in _COLUMNS
    )
    contacts = sql.SQL(file.escaped)
    if contact_ids is None:
        return sql.SQL("SELECT {} FROM (\n{}\n) AS seam").format(columns, contacts), {}
    its = id_type(types["contact_id"])
    id_column = sql.SQL("seam.contact_id::text" if its is AS_TEXT else "seam.contact_id")
    # In the id's own type: so the table's own index finds it. What is no such id is in no row.
    ids = [spelled for each in contact_ids if (spelled := its.spell(each)) is not None]
    return sql.SQL("SELECT {} FROM (\n{}\n) AS seam WHERE {} = any(%(ids)s::text[]::{}[])").format(
        columns, contacts, id_column, sql.SQL(its.type)
    ), {"ids": ids}


def _cast(column: _Column, types: Collection[str]) -> sql.Composed:
    """A column of contacts.sql as ours are: a collation of the CRM's own is no part of it.

    Nor are capitals of the vendor's ids: in small letters a UUID is the same one.
    """
    if column.name not in types:
        return sql.SQL("NULL::{}").format(sql.SQL(column.type))
    collation = sql.SQL(' COLLATE "default"' if column.type == "text" else "")
    name, type_ = sql.Identifier(column.name), sql.SQL(column.type)
    cast = sql.SQL("seam.{}::{}{}").format(name, type_, collation)
    if column.name != "constant_contact_id":
        return cast
    return sql.SQL("CASE WHEN {0} ~* {1} THEN lower({0}) ELSE {0} END").format(
        cast, sql.Literal(_VENDORS_ID)
    )


def column_types(connection: psycopg.Connection[Any], file: SeamFile) -> dict[str, LiteralString]:
    """The columns that contacts.sql yields, and their types as SQL writes them.

    Raises:
        SettingError: One that is needed is missing.
    """
    query = sql.SQL("SELECT * FROM (\n{}\n) AS seam LIMIT 0").format(sql.SQL(file.text))
    # Not prepared: the firm alters its tables while we are connected.
    described = connection.execute(query, prepare=False).description or []
    # Once for all: each wake-up asks this.
    named = connection.execute(
        "SELECT format_type(oid, NULL)"
        " FROM unnest(%s::oid[]) WITH ORDINALITY AS described (oid, nth) ORDER BY nth",
        [[column.type_code for column in described]],
    ).fetchall()
    types: dict[str, LiteralString] = {
        column.name: name for column, (name,) in zip(described, named, strict=True)
    }
    missing = [each.name for each in _COLUMNS if each.is_needed and each.name not in types]
    if missing:
        raise file.fault(
            f"yields no column {missing[0]}; it needs "
            f"{', '.join(each.name for each in _COLUMNS if each.is_needed)}"
        )
    return types


class Counted(NamedTuple):
    """What reading all contacts once counts.

    Attributes:
        contacts: The rows.
        ids: Different ids.
        longest: Bytes of the longest id.
        texts_of_flags: Flags that are there, and were read out of texts.
    """

    contacts: int
    ids: int
    longest: int
    texts_of_flags: int


def check_contacts(connection: psycopg.Connection[Any], file: SeamFile) -> Counted:
    """Read all contacts once, as a job will, and keep none; return what was counted.

    Raises:
        SettingError: A column is missing or of no use, a right is missing, or ids are not unique.
    """
    counted = count_contacts(connection, file)
    for problem in find_id_problems(counted, file):
        raise problem
    return counted


def count_contacts(connection: psycopg.Connection[Any], file: SeamFile) -> Counted:
    """Read all contacts once, as a job will, and keep none.

    Raises:
        SettingError: A column is missing or of no use, or a right is missing.
    """
    with seam_session(connection), explained(file):
        select, params = _select(connection, file, None)
        count = sql.SQL(
            "SELECT count(*), count(DISTINCT nullif(contact_id, '')),"
            " coalesce(max(octet_length(contact_id)), 0), count(do_not_email)"
            " FROM ({}) AS seam"
        ).format(select)
        contacts, ids, longest, flags = connection.execute(count, params).fetchall()[0]
        is_text = column_types(connection, file)["do_not_email"] in _TEXTS
    return Counted(contacts, ids, longest, flags if is_text else 0)


def find_id_problems(counted: Counted, file: SeamFile) -> Iterator[SettingError]:
    """What is wrong with the ids that contacts.sql yields."""
    if counted.ids < counted.contacts:
        yield file.fault(
            f"{counted.contacts - counted.ids} of {counted.contacts} rows have no contact_id, or "
            "one that another row has: select a column that tells contacts apart, and each "
            "contact once"
        )
    if counted.longest > _MAX_ID_BYTES:
        yield file.fault(
            f"a contact_id has {counted.longest} bytes, and {_MAX_ID_BYTES} are the most: select a "
            "shorter one, such as md5(…)"
        )


def find_texts_of_flags(counted: Counted, file: SeamFile) -> Iterator[SettingError]:
    """Flags that are texts: one that cannot be read ends every look, so no opt-out is seen."""
    if counted.texts_of_flags:
        yield file.fault(
            "do_not_email is a text, and one that means neither true nor false would stop every "
            "job that reads contacts; write a condition, as in flag = 'Y' AS do_not_email"
        )


def plan_of_one(connection: psycopg.Connection[Any], file: SeamFile) -> tuple[dict[str, Any], str]:
    """How a look at one contact finds it, if an index could; and the id that the plan names."""
    with seam_session(connection):
        probe = probe_of(column_types(connection, file)["contact_id"])
        select, params = _select(connection, file, [probe])
        return plan(connection, select, params), probe
