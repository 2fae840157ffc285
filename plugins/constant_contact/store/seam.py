"""The seam: the few SQL files in which an adopter's CRM meets this package.

They lie in include/sql/crm, or in a folder of the adopter's own (option `crm_folder`). A file that
is not there is a feature that is off. A further account has its own in a folder of its name below;
its contacts are the default account's where it has no `contacts.sql`.

Selections, by which a person chooses contacts, are in a folder `selections` there, and shipped.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

from constant_contact.accounts import DEFAULT, SELECTIONS, Account
from constant_contact.errors import SettingError
from constant_contact.store.sql import SQL_DIR

SHIPPED: Final = SQL_DIR / "crm"
SHIPPED_SELECTIONS: Final = SQL_DIR / SELECTIONS
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

    def fault(self, problem: str) -> SettingError:
        """The error of what is wrong with the file, and what to do, without a full stop."""
        return SettingError(f"{self.path}", problem)

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
        selection_folders: Where selections lie; of two of a name the later folder's counts.
    """

    contacts: SeamFile
    knows_links: bool = True
    write_back: SeamFile | None = None
    doorbell: SeamFile | None = None
    flag_back: SeamFile | None = None
    selection_folders: tuple[Path, ...] = (SHIPPED_SELECTIONS,)

    def selections(self) -> list[str]:
        """The names of the selections that there are."""
        return sorted(self._selection_paths())

    def selection(self, name: str) -> SeamFile:
        """The selection of a name.

        Raises:
            SettingError: There is none, or its file cannot be read.
        """
        path = self._selection_paths().get(name)
        file = path and _read(path)
        if not file:
            raise SettingError(
                "param selection",
                f"there is no selection {name!r}; there are {', '.join(self.selections())}. Your "
                f"own lie in the folder {SELECTIONS} of the one that the option crm_folder names",
            )
        return file

    def _selection_paths(self) -> dict[str, Path]:
        return {
            path.stem: path for folder in self.selection_folders for path in folder.glob("*.sql")
        }


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
        write_back=_read(own / "write_back.sql"),
        doorbell=_read(own / "doorbell.sql"),
        flag_back=_read(own / "flag_back.sql"),
        selection_folders=(SHIPPED_SELECTIONS, folder / SELECTIONS, own / SELECTIONS),
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
        raise file.fault("has no statement; write one, or remove the file")
    return file


def _code(text: str) -> str:
    return _COMMENT_OR_QUOTED.sub(_blanked, text)


def _blanked(found: re.Match[str]) -> str:
    if found[0].startswith('"'):
        return found[0]
    return (" " if found[0].startswith(("--", "/*")) else "'") * len(found[0])


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
