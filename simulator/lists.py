"""Contact lists. A list's number is its place in creation order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator.clock import iso

MAX_LISTS = 1000


@dataclass
class ContactList:
    """A contact list; `deleted_ms` is 0 while it exists."""

    list_id: str
    name: str
    created_ms: int
    updated_ms: int
    description: str = ""
    favorite: bool = False
    deleted_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        """The list as the contract shows it."""
        body: dict[str, Any] = {
            "list_id": self.list_id,
            "name": self.name,
            "description": self.description,
            "favorite": self.favorite,
            "created_at": iso(self.created_ms),
            "updated_at": iso(self.updated_ms),
        }
        if self.deleted_ms:
            body["deleted_at"] = iso(self.deleted_ms)
        return body


class ListStore:
    """All lists, deleted ones too."""

    def __init__(self) -> None:
        self.all: list[ContactList] = []
        self._numbers: dict[str, int] = {}

    def add(self, made: ContactList) -> int:
        """Add a list; returns its number."""
        if made.list_id in self._numbers:
            raise ValueError(f"list id taken: {made.list_id}")
        number = self._numbers[made.list_id] = len(self.all)
        self.all.append(made)
        return number

    def number(self, list_id: str, *, deleted_too: bool = False) -> int | None:
        """The list's number, or None when there is no such list."""
        number = self._numbers.get(list_id.lower())
        if number is None or (self.all[number].deleted_ms and not deleted_too):
            return None
        return number

    def existing(self, list_id: str) -> int:
        """The list's number."""
        number = self.number(list_id)
        if number is None:
            raise ValueError(f"there is no list {list_id}")
        return number

    def numbers(self, list_ids: Iterable[str]) -> set[int]:
        """Those of the lists that exist."""
        return {number for each in list_ids if (number := self.number(each)) is not None}
