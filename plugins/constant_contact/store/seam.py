"""The seam: the few SQL files in which an adopter's CRM meets this package.

They lie in include/sql/crm, or in a folder of the adopter's own (option `crm_folder`). A file that
is not there is a feature that is off. A further account has its own in a folder of its name below;
its contacts are the default account's where it has no `contacts.sql`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

from constant_contact.accounts import DEFAULT, Account
from constant_contact.errors import SettingError
from constant_contact.store.sql import SQL_DIR

SHIPPED: Final = SQL_DIR / "crm"
FILES: Final = ("contacts", "write_back", "doorbell", "flag_back")

_COMMENT_OR_QUOTED: Final = re.compile(
    r"""--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|[eE]'(?:\\.|[^'\\]|'')*'|'(?:[^']|'')*'"""
    r"""|\$(\w*)\$.*?\$\1\$""",
    re.DOTALL,
)
_NAME: Final = r"""(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)"""
_RELATION: Final = re.compile(
    r"(?:\b(from|join|update|into|using|on|table)\s+(?:only\s+)?|,\s*)"
    # As in "AFTER UPDATE OF flag ON person".
    r"(?!(?:of|on|or|only|select|set)\b)"
    rf"({_NAME})(?:\s*\.\s*({_NAME}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SeamFile:
    """One of the files.

    Attributes:
        path: Where it is, for messages.
        text: Its statement, without the semicolon at its end.
    """

    path: Path
    text: LiteralString

    @property
    def escaped(self) -> LiteralString:
        """The statement as one that has parameters."""
        return self.text.replace("%", "%%")

    @property
    def code(self) -> str:
        """The statement without its comments and what its strings say, each word where it was."""
        return _code(self.text)

    def relation_names(self) -> dict[tuple[str | None, str], bool]:
        """What may be tables in it, as (schema or None, name), and whether it writes them.

        Also names of its own, as of CTEs.
        """
        found: dict[tuple[str | None, str], bool] = {}
        for keyword, first, second in _RELATION.findall(self.code):
            name = (_unquoted(first), _unquoted(second)) if second else (None, _unquoted(first))
            is_written = keyword.lower() in {"update", "into"}
            found[name] = found.get(name, False) or is_written
        return found


@dataclass(frozen=True)
class Seam:
    """The files of one account; None: the feature is off.

    Attributes:
        contacts: One SELECT that yields the CRM's contacts.
        knows_links: Whether the links that `contacts` yields are this account's.
        write_back: Writes the links into the CRM's own table.
        doorbell: Triggers that tell of a change at once.
        flag_back: Sets the CRM's flag of contacts that unsubscribed at the vendor.
    """

    contacts: SeamFile
    knows_links: bool = True
    write_back: SeamFile | None = None
    doorbell: SeamFile | None = None
    flag_back: SeamFile | None = None


def load_seam(folder: Path | str = SHIPPED, account: Account = DEFAULT) -> Seam:
    """Read the files of an account.

    Args:
        folder: Of the default account's files.
        account: Whose.

    Raises:
        SettingError: There is no contacts.sql, or a file cannot be read.
    """
    folder = Path(folder)
    own = folder if account == DEFAULT else folder / account.name
    own_contacts = _read(own / "contacts.sql")
    contacts = own_contacts or _read(folder / "contacts.sql")
    if contacts is None:
        raise SettingError(
            f"{folder / 'contacts.sql'}",
            "is missing; it reads the CRM's contacts (docs/your-crm.md), and the option "
            "crm_folder names its folder",
        )
    return Seam(
        contacts,
        own_contacts is not None,
        *(_read(own / f"{name}.sql") for name in FILES[1:]),
    )


def stray_files(folder: Path | str) -> list[Path]:
    """SQL files of a folder whose names mean nothing here, such as `writeback.sql`."""
    return sorted(path for path in Path(folder).glob("*.sql") if path.stem not in FILES)


def _read(path: Path) -> SeamFile | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise SettingError(f"{path}", "is not in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise SettingError(
            f"{path}", f"cannot be read ({error.strerror}); let the user of Airflow read it"
        ) from None
    # An administrator's file, as trusted as the DAGs; psycopg asks for that to be said.
    file = SeamFile(path, text[: len(_code(text).rstrip("; \t\r\n"))])
    if not file.code.strip():
        raise SettingError(f"{path}", "has no statement; write one, or remove the file")
    return file


def _code(text: str) -> str:
    return _COMMENT_OR_QUOTED.sub(_blanked, text)


def _blanked(found: re.Match[str]) -> str:
    if found[0].startswith('"'):
        return found[0]
    return (" " if found[0].startswith(("--", "/*")) else "'") * len(found[0])


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
