"""Where the statements are: named, in one file a noun below include/sql.

In the installed package they are below sql. The files are as aiosql reads them, without aiosql: it
would bring a second way to write a parameter and ways of its own to fetch.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, LiteralString

from constant_contact.errors import SettingError

_NAME: Final = "-- name: "


def _sql_dir() -> Path:
    """The package's own folder where it was installed as a wheel, else the sibling of plugins/."""
    installed = Path(__file__).resolve().parents[1] / "sql"
    if installed.is_dir():
        return installed
    return Path(__file__).resolve().parents[3] / "include" / "sql"


SQL_DIR: Final = _sql_dir()


@cache
def statements(noun: str) -> Mapping[str, LiteralString]:
    """Return the statements of include/sql/`noun`.sql by name, each with its header.

    Raises:
        SettingError: The file is not there: include/ was not deployed beside plugins/.
    """
    try:
        # The files are this project's source, not input; psycopg asks for that to be said.
        text: LiteralString = (SQL_DIR / f"{noun}.sql").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingError(
            f"include/sql/{noun}.sql", "is missing; deploy include/ beside plugins/"
        ) from None
    _, *named = re.split(f"^(?={_NAME})", text, flags=re.MULTILINE)
    return {part.partition("\n")[0].removeprefix(_NAME): part.rstrip() for part in named}


def statement(name: str) -> LiteralString:
    """Return the statement `noun/verb` of include/sql/noun.sql.

    Raises:
        SettingError: As `statements`, or the file has no such statement.
    """
    noun, _, verb = name.partition("/")
    try:
        return statements(noun)[verb]
    except KeyError:
        raise SettingError(
            f"include/sql/{noun}.sql", f"has no statement {verb}; deploy include/ beside plugins/"
        ) from None
