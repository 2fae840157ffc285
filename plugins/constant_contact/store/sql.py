"""Where the statements are: one a file, below include/sql; in the installed package, below sql."""

from functools import cache
from pathlib import Path
from typing import Final, LiteralString

from constant_contact.errors import SettingError


def _sql_dir() -> Path:
    """The package's own folder where it was installed as a wheel, else the sibling of plugins/."""
    installed = Path(__file__).resolve().parents[1] / "sql"
    if installed.is_dir():
        return installed
    return Path(__file__).resolve().parents[3] / "include" / "sql"


SQL_DIR: Final = _sql_dir()


@cache
def statement(name: str) -> LiteralString:
    """Return the text of include/sql/`name`.sql.

    Raises:
        SettingError: The file is not there: include/ was not deployed beside plugins/.
    """
    path = SQL_DIR / f"{name}.sql"
    try:
        # The files are this project's source, not input; psycopg asks for that to be said.
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingError(
            f"include/sql/{name}.sql", "is missing; deploy include/ beside plugins/"
        ) from None
