"""Ids of the CRM's contacts: how a text becomes one, by the type of the column that has them."""

import re
import uuid
from collections.abc import Callable
from typing import Final, LiteralString, NamedTuple


class IdType(NamedTuple):
    """How ids are compared.

    Attributes:
        type: In which type of the database's.
        spell: Writes a text as the database does: 007 is 7. None: it is no such id.
    """

    type: LiteralString
    spell: Callable[[str], str | None]


def _spell_number(text: str) -> str | None:
    if not _NUMBER_FORM.fullmatch(text):
        return None
    number = int(text)
    return str(number) if -_BEYOND_BIGINT <= number < _BEYOND_BIGINT else None


def _spell_uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return None


# The blanks and signs that the database takes, and no more digits than int() reads.
_NUMBER_FORM: Final = re.compile(r"\s*[+-]?[0-9]{1,100}\s*", re.ASCII)
_BEYOND_BIGINT: Final = 1 << 63
AS_TEXT: Final = IdType("text", str)
_NUMBER: Final = IdType("bigint", _spell_number)
# By the type of the CRM's column; others as text.
_ID_TYPES: Final = {
    "smallint": _NUMBER,
    "integer": _NUMBER,
    "bigint": _NUMBER,
    "uuid": IdType("uuid", _spell_uuid),
    "character": IdType("bpchar", lambda each: each.rstrip(" ")),
}
_TEXT_PROBE: Final = "no contact has this id"
_PROBES: Final = {
    "smallint": "918273645546372819",
    "integer": "918273645546372819",
    "bigint": "918273645546372819",
    "uuid": "91827364-5546-4372-8190-918273645546",
}


def id_type(column_type: str) -> IdType:
    """How ids of a column are compared, by its type as SQL writes it."""
    return _ID_TYPES.get(column_type, AS_TEXT)


def probe_of(column_type: str) -> str:
    """An id that no contact has, to ask for the plan of a look at one."""
    return _PROBES.get(column_type, _TEXT_PROBE)
