"""Where the statements are: one a file, below include/sql."""

from functools import cache
from pathlib import Path
from typing import LiteralString

from constant_contact.errors import SettingError

# plugins/ and include/ are siblings in every Airflow project, and in this repository.
SQL_DIR = Path(__file__).resolve().parents[3] / "include" / "sql"


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
