"""Reads what a template or a person gave as a parameter."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from constant_contact.errors import SettingError

Choice = TypeVar("Choice", bound=str)

_NOTHING = {"", "None"}
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off", "none", ""}


def flag(name: str, given: object) -> bool:
    """A yes or no.

    Raises:
        SettingError: It is neither.
    """
    said = str(given).strip().lower()
    if said in _TRUE | _FALSE:
        return said in _TRUE
    raise SettingError(f"param {name}", f"{given!r} is neither true nor false")


def moment(name: str, given: object) -> datetime | None:
    """A time, UTC where it has no offset; None where nothing was given.

    Raises:
        SettingError: It is no ISO-8601 time.
    """
    if str(given).strip() in _NOTHING:
        return None
    try:
        parsed = datetime.fromisoformat(str(given).strip())
    except ValueError:
        raise SettingError(
            f"param {name}", f"{given!r} is no date or time; write it as 2026-01-31"
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def row_number(name: str, given: object, table: str) -> int:
    """The number of a row.

    Raises:
        SettingError: It is none, or nothing was given.
    """
    said = str(given).strip()
    if said.isascii() and said.isdigit():
        return int(said)
    problem = "is empty" if said in _NOTHING else f"{said!r} is no number of a row"
    raise SettingError(f"param {name}", f"{problem}; give one of {table}")


def one_of(name: str, given: object, choices: Sequence[Choice]) -> Choice:
    """One of a few words.

    Raises:
        SettingError: It is none of them.
    """
    for choice in choices:
        if str(given).strip().lower() == choice:
            return choice
    raise SettingError(f"param {name}", f"{given!r} is none of {', '.join(choices)}")
