"""Texts as PostgreSQL can store them: without NUL characters, and no half of a character."""

import json
import re
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.json import Jsonb, JsonbDumper
from psycopg.types.string import StrDumperUnknown

# As JSON writes it; a backslash before it may be the text's own.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class _Text(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        try:
            return super().dump(obj)
        except (psycopg.DataError, UnicodeEncodeError):
            return super().dump(clean(obj))


class _Json(JsonbDumper):
    _dumps = staticmethod(lambda value: _NUL.sub(r"\1", json.dumps(value)))


def clean(text: str) -> str:
    """A text that PostgreSQL takes: NUL is left out, half a surrogate pair is a question mark."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def clean_what_is_stored(
    connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any],
) -> None:
    """Let whatever this connection sends be clean."""
    connection.adapters.register_dumper(str, _Text)
    connection.adapters.register_dumper(Jsonb, _Json)
