"""Checks the seam's files against the adopter's tables, and makes the doorbell."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from constant_contact.commands import command
from constant_contact.errors import SettingError
from constant_contact.redact import told_by
from constant_contact.store import database
from constant_contact.store.crm_contacts import (
    COLUMN_NAMES,
    check_contacts,
    column_types,
    find_texts_of_flags,
    plan_of_one,
)
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import SHIPPED, Seam, SeamFile, load_seam, stray_files
from constant_contact.store.seam_rights import Relation, missing_rights, named_relations
from constant_contact.store.seam_session import MissingRight, explained, plan, seam_session

_WITHOUT_DOORBELL: Final = "a change of Do Not Email is seen every quarter of an hour"
# Behind a session that holds a table for long, all that write to it would queue behind us.
_LOCK_TIMEOUT: Final = "10s"


class Findings(NamedTuple):
    """What is said of the seam after a migration, a line each with its remedy.

    Attributes:
        problems: What keeps a feature from working.
        advice: What works, and could do better.
    """

    problems: list[str]
    advice: list[str]


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
    if problems := prepare_seam(connection, seam).problems:
        raise SettingError("the CRM's SQL files", "; ".join(problems))
    return applied


def prepare_seam(
    connection: psycopg.Connection[Any],
    seam: Seam,
    contacts: psycopg.Connection[Any] | None = None,
) -> Findings:
    """Make the doorbell, and try each file without changing a row.

    contacts.sql is tried by `contacts`, if it is read there.
    """
    found = Findings([], [])
    folders = {seam.contacts.path.parent} | {
        file.path.parent for file in (seam.write_back, seam.doorbell, seam.flag_back) if file
    }
    found.advice.extend(
        f"{stray} is not read: the files are contacts.sql, write_back.sql, doorbell.sql and "
        "flag_back.sql; rename or remove it"
        for folder in sorted(folders)
        for stray in stray_files(folder)
    )
    for name, check in _CHECKS.items():
        file: SeamFile | None = getattr(seam, name)
        if file is None:
            continue
        reading = contacts if name == "contacts" and contacts is not None else connection
        try:
            with reading.transaction():
                reading.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
                found.advice.extend(str(each) for each in check(reading, file))
        except MissingRight as error:
            found.problems.extend(map(str, find_missing_rights(reading, name, file, error)))
        except SettingError as error:
            found.problems.append(str(error))
        except psycopg.OperationalError as error:
            found.problems.append(f"{file.path}: {told_by(error)}; run {command('migrate')} again.")
    return found


def find_missing_rights(
    connection: psycopg.Connection[Any],
    name: str,
    file: SeamFile,
    error: MissingRight | None = None,
) -> list[SettingError]:
    """As `missing_rights`, in a transaction of its own, or in the one that is open.

    Where the catalog shows no reason, what is said is the error that the file was refused with.
    """
    with connection.transaction(), seam_session(connection):
        missing = missing_rights(connection, name, file)
        if missing or error is None:
            return missing
        ((role,),) = connection.execute("SELECT quote_ident(current_user)").fetchall()
    return [
        file.fault(
            f"{error.said}: {role} lacks a right on what a view or a function of the file uses; "
            "grant it there to the view's owner, or to who calls the function; a policy that "
            "hides rows wants ALTER ROLE … BYPASSRLS of the same"
        )
    ]


def _check_contacts(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    counted = check_contacts(connection, file)
    yield from find_texts_of_flags(counted, file)
    yield from find_unread_columns(connection, file)
    yield from find_slow_look(connection, file)


def find_unread_columns(
    connection: psycopg.Connection[Any], file: SeamFile
) -> Iterator[SettingError]:
    """Columns of contacts.sql that mean nothing here, such as a misspelt one."""
    with seam_session(connection):
        unread = sorted(column_types(connection, file).keys() - COLUMN_NAMES)
    if unread:
        yield file.fault(
            f"nothing reads its columns {', '.join(unread)}; leave them out, or write their names "
            "as in docs/your-crm.md"
        )


def find_slow_look(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    """Tables that a look at one contact reads whole, each with the index that it wants."""
    root, probe = plan_of_one(connection, file)
    wanted: dict[tuple[str, str], None] = {}
    for node in _nodes(root):
        condition = node.get("Filter", "")
        if probe not in condition:
            continue
        if "Relation Name" in node:
            relation, alias = _names(connection, node)
            wanted[relation, _compared(condition, probe, alias)] = None
        else:
            yield file.fault(
                "a look at one contact reads all of them, since contact_id comes out of a "
                f"{node['Node Type']}: select it from the table itself"
            )
    for relation, id_column in wanted:
        yield file.fault(
            f"a look at one contact reads all of {relation}, for want of an index: "
            f"CREATE INDEX ON {relation} ({id_column})"
        )


def _try_write_back(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    """Run it with no row to change: its names, types and rights are checked."""
    _try(connection, file, "links/stage_changed")
    yield from find_slow_batches(connection, file)


def find_slow_batches(
    connection: psycopg.Connection[Any], file: SeamFile
) -> Iterator[SettingError]:
    """Tables that each batch of write_back.sql reads whole; runs nothing of it.

    Planned with one row in place of the batch, which no statistics of the tables can turn round:
    of two tables with few rows, PostgreSQL may well read the CRM's first.
    """
    with connection.transaction(force_rollback=True):
        database.run(connection, "links/forget_changed")
        database.run(connection, "links/stage_one")
        root = plan_file(connection, file)
    for relation in dict.fromkeys(
        _names(connection, node)[0]
        for node in _nodes(root)
        if "Relation Name" in node and _reads_all(node)
    ):
        yield file.fault(
            f"each batch reads all of {relation}: compare its id, which needs an index, as it is, "
            "and cast the other side, as in crm.id = changed.contact_id::bigint"
        )


def plan_file(connection: psycopg.Connection[Any], file: SeamFile) -> dict[str, Any]:
    """The plan of a file that writes, which checks its names, types and rights; runs nothing.

    Of several statements nothing is known: no plan. The relation that the file reads is there.

    Raises:
        SettingError: The file does not fit the CRM's tables, or a right is missing.
    """
    with seam_session(connection), explained(file):
        return plan(connection, sql.SQL(file.text)) if ";" not in file.code else {}


def _try_flag_back(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    _try(connection, file, "links/stage_flags")
    return iter(())


def _try(connection: psycopg.Connection[Any], file: SeamFile, stage: str) -> None:
    """Run a file on an empty relation; what triggers of the firm's do then is taken back."""
    database.run(connection, stage)
    with connection.transaction(force_rollback=True), seam_session(connection), explained(file):
        connection.execute(file.text, prepare=False)


def _make_doorbell(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    relations = rung_relations(connection, file)
    if views := find_views(file, relations):
        yield views[0]
        return
    try:
        with connection.transaction(), seam_session(connection), explained(file):
            connection.execute(file.text, prepare=False)
    except MissingRight:
        # Its owner may have made it.
        rung = {bell["relation_id"] for bell in database.rows(connection, "crm_contacts/doorbells")}
        if not relations or not {each.relation_id for each in relations} <= rung:
            raise
    except SettingError as error:
        raise file.fault(
            f"{error.problem}; without it {_WITHOUT_DOORBELL}: correct the file, or remove it"
        ) from None
    bells = database.rows(connection, "crm_contacts/doorbells")
    if not bells:
        raise file.fault("makes no trigger that calls ctct_ring; correct it, or remove the file")
    for bell in bells:
        check_bell(file, bell)
    yield from find_unrung_heirs(connection, file)


def find_views(file: SeamFile, relations: list[Relation]) -> list[SettingError]:
    """Views that doorbell.sql names, among the relations that it names."""
    return [
        file.fault(
            f"{view.relation} is a view, which has no row triggers: {_WITHOUT_DOORBELL}; for "
            "seconds, ring from the table below it (docs/your-crm.md)"
        )
        for view in relations
        if view.is_view
    ]


def find_unrung_heirs(connection: psycopg.Connection[Any], file: SeamFile) -> list[SettingError]:
    """Tables whose rows are read with those of a table that rings, and do not ring."""
    return [
        file.fault(
            f"{heir['relation']} has its columns by inheritance, which brings no trigger: of its "
            f"rows {_WITHOUT_DOORBELL}; for seconds, make the triggers on it, too"
        )
        for heir in database.rows(connection, "crm_contacts/unrung_heirs")
    ]


def rung_relations(connection: psycopg.Connection[Any], file: SeamFile) -> list[Relation]:
    """The tables that doorbell.sql names."""
    with seam_session(connection):
        return named_relations(connection, file)


def check_bell(file: SeamFile, bell: dict[str, Any]) -> None:
    """Refuse a row of `crm_contacts/doorbells` that names no column of its table: it is silent.

    Raises:
        SettingError: Its arguments are wrong.
    """
    arguments = [each.decode() for each in bytes(bell["arguments"]).split(b"\0")[:-1]]
    of = f"{file.path}: trigger {bell['name']} on {bell['relation']}"
    if len(arguments) != 3 or arguments[2] not in {"true", "false"}:  # noqa: PLR2004
        raise SettingError(
            of,
            "ctct_ring has three arguments: the columns of the id and of the address, and 'true' "
            "where Do Not Email is set or 'false' where it is cleared",
        )
    for column in arguments[:2]:
        if column not in bell["columns"]:
            raise SettingError(
                of,
                f"ctct_ring names a column {column}, which does not exist, or is a virtual "
                "generated one, which no trigger sees; name one that is stored",
            )


def _nodes(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if root:
        yield root
    for node in root.get("Plans", ()):
        yield from _nodes(node)


def _reads_all(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" or (
        node["Node Type"] in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node
    )


def _names(connection: psycopg.Connection[Any], node: dict[str, Any]) -> tuple[str, str]:
    """The table of a plan's node, and what its columns are told with; as SQL writes them.

    Of a partition the partitioned table: an index on that is one on each partition.
    """
    params = {"schema_name": node["Schema"], "name": node["Relation Name"], "alias": node["Alias"]}
    found = database.row(connection, "crm_contacts/planned", params) or {}
    return found["relation"], found["alias"]


def _compared(condition: str, probe: str, alias: str) -> str:
    """What a plan's condition compares with the probe, as an index of the table has it."""
    end = condition.rindex(" = ANY (", 0, condition.index(probe))
    depth, start = 0, end
    while start and depth >= 0:
        start -= 1
        depth += {")": 1, "(": -1}.get(condition[start], 0)
    found = re.sub(rf"""(?<![\w."']){re.escape(alias)}\.""", "", condition[start + 1 : end])
    return f"({found})" if "(" in found else found


_CHECKS: Final[dict[str, Callable[[psycopg.Connection[Any], SeamFile], Iterator[SettingError]]]] = {
    "contacts": _check_contacts,
    "write_back": _try_write_back,
    "flag_back": _try_flag_back,
    "doorbell": _make_doorbell,
}
