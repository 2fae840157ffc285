"""How the files of the seam run in a session, and what the database says against one."""

import json
from collections.abc import Iterator, Mapping
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
# What each was before, and then what it is.
_BEGIN: Final = """
SELECT
    key,
    current_setting(key),
    set_config(
        key, CASE key WHEN 'search_path' THEN current_setting(key) ELSE '' END || value, true
    )
FROM jsonb_each_text(%s::jsonb)
"""
_END: Final = "SELECT set_config(key, value, true) FROM jsonb_each_text(%s::jsonb)"
_SEEN: Final = {"search_path": ", public", "row_security": "off"}
_JOINED_AS_A_WHOLE: Final = {"enable_nestloop": "off"}
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
def seam_session(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """How the seam's files run: public is in sight, and a row that a policy hides is an error.

    A further account's session sees its own schema only; the firm's tables are in public too.

    Args:
        connection: In a transaction.
    """
    with _settings(connection, _SEEN):
        yield


@contextmanager
def joined_as_a_whole(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """All of the firm's contacts are read, and joined as a whole whatever the server counted.

    A table that was loaded a minute ago it may take for empty.
    """
    with _settings(connection, _JOINED_AS_A_WHOLE):
        yield


@contextmanager
def _settings(connection: psycopg.Connection[Any], wanted: Mapping[str, str]) -> Iterator[None]:
    was = {name: before for name, before, _ in connection.execute(_BEGIN, [json.dumps(wanted)])}
    yield
    connection.execute(_END, [json.dumps(was)])


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
