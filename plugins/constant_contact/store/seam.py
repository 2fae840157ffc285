"""The seam: the few SQL files in which an adopter's CRM meets this package.

They lie in include/sql/crm, or in a folder of the adopter's own (option `crm_folder`). A file that
is not there is a feature that is off. A further account has its own in a folder of its name below;
its contacts are the default account's where it has no `contacts.sql`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

from constant_contact.accounts import DEFAULT, Account
from constant_contact.errors import SettingError
from constant_contact.store.sql import SQL_DIR

SHIPPED: Final = SQL_DIR / "crm"


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
        SettingError: There is no contacts.sql.
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
        *(_read(own / f"{name}.sql") for name in ("write_back", "doorbell", "flag_back")),
    )


def _read(path: Path) -> SeamFile | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    # An administrator's file, as trusted as the DAGs; psycopg asks for that to be said.
    return SeamFile(path, text.strip().removesuffix(";"))
