"""How the files of the seam run in a session, and what the database says against one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from constant_contact.commands import command
from constant_contact.errors import SettingError
from constant_contact.redact import told_by
from constant_contact.store.seam import SeamFile

_OF_THE_FILE: Final = (
    psycopg.ProgrammingError,
    psycopg.DataError,
    psycopg.NotSupportedError,
    # Such as a view that cannot be updated.
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.IntegrityError,
    psycopg.InternalError,
)
_PLANNED_BY: Final = {
    **dict.fromkeys(("seqscan", "hashjoin", "mergejoin"), "off"),
    **dict.fromkeys(("indexscan", "indexonlyscan", "bitmapscan", "nestloop"), "on"),
}
_SEAM_SETTINGS: Final = ("search_path", "row_security", "enable_nestloop")
_NOW: Final = "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name"
_SET: Final = "SELECT set_config(key, value, true) FROM jsonb_each_text(%s::jsonb)"
_CAST_ID: Final = (
    "cast where types differ, as in crm.id = changed.contact_id::bigint (docs/your-crm.md)"
)
_CAST_FLAG: Final = "a flag is written as a condition, as in flag = 'Y' AS do_not_email"
_REMEDIES: Final[dict[type[psycopg.Error], str]] = {
    psycopg.errors.UndefinedFunction: _CAST_ID,
    psycopg.errors.DatatypeMismatch: _CAST_ID,
    psycopg.errors.CannotCoerce: _CAST_FLAG,
    psycopg.errors.InvalidTextRepresentation: _CAST_FLAG,
    psycopg.errors.UndefinedTable: "write the name with its schema, as in crm.person",
}


def plan(
    connection: psycopg.Connection[Any], query: sql.Composable, params: Any = None
) -> dict[str, Any]:
    """The plan of a statement that reads a whole table only if no index serves.

    Also where the role has switched index scans off, which says nothing of the tables. Names of
    columns stand behind their table's.
    """
    for method, state in _PLANNED_BY.items():
        connection.execute("SELECT set_config(%s, %s, true)", [f"enable_{method}", state])
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(sql.SQL("EXPLAIN (FORMAT JSON, VERBOSE) {}").format(query), params)
    (((found,),),) = cursor.fetchall()
    root: dict[str, Any] = found["Plan"]
    return root


@contextmanager
def seam_session(connection: psycopg.Connection[Any], *, reads_all: bool = False) -> Iterator[None]:
    """How the seam's files run: public is in sight, and a row that a policy hides is an error.

    A further account's session sees its own schema only; the firm's tables are in public too.

    Args:
        connection: In a transaction.
        reads_all: All of the firm's contacts are read, and joined as a whole whatever the server
            counted: a table that was loaded a minute ago it may take for empty.
    """
    was = dict(connection.execute(_NOW, [list(_SEAM_SETTINGS)]).fetchall())
    ours = {"search_path": f"{was['search_path']}, public", "row_security": "off"}
    if reads_all:
        ours["enable_nestloop"] = "off"
    connection.execute(_SET, [json.dumps(was | ours)])
    yield
    connection.execute(_SET, [json.dumps(was)])


class MissingRight(SettingError):
    """The role of a connection may not do what a file of the seam does."""

    def __init__(self, file: SeamFile, said: str) -> None:
        super().__init__(f"{file.path}", f"{said}; {command('migrate')} names the GRANT")
        self.said = said


@contextmanager
def explained(file: SeamFile) -> Iterator[None]:
    """What the database says against a file of the seam names the file.

    Raises:
        SettingError: In place of any such error.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise MissingRight(file, told_by(error)) from None
    except _OF_THE_FILE as error:
        raise file.fault(f"{told_by(error)}; {_remedy(error)}") from None


def _remedy(error: psycopg.Error) -> str:
    for kind, remedy in _REMEDIES.items():
        if isinstance(error, kind):
            return remedy
    return "correct it (docs/your-crm.md)"
