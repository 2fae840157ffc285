"""Tables that are sorted and paged by their address: what a table shows can be sent as a link."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Self
from urllib.parse import urlencode

import psycopg
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from constant_contact.redact import is_telling
from constant_contact.store.listing import (
    Keyset,
    Listing,
    Order,
    Place,
    Row,
    keyset_page,
    listing,
)

PAGE_ROWS: Final = 50
_MOST_CHARS: Final = 300
_MOST_PAGES: Final = 10_000
_MOST_PLACE_CHARS: Final = 2_000


# With a blank on both sides an @ is of no address, but of a name such as "Lunch @ noon".
_LONE_AT: Final = re.compile(r"(?<!\S)@(?!\S)")


def _not_telling(text: str) -> str:
    if is_telling(_LONE_AT.sub("", text)):
        raise PydanticCustomError("telling", "no email address may be in a URL")
    return without_nul(text)


def without_nul(text: str) -> str:
    """A text as PostgreSQL takes it."""
    return text.replace("\0", "")


Text = Annotated[str, Field(max_length=_MOST_CHARS), AfterValidator(_not_telling)]
# Parts of a place.
Key = Annotated[str, AfterValidator(without_nul)]
Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class TableFilter(BaseModel):
    """The query of a table's address; every field may be missing or empty.

    A page adds its own fields, and says by which columns the table is sorted.

    Attributes:
        columns: What can be sorted by, and what a first click on it shows first: True for the
            largest.
        default: The order without one in the address.
        ties: What tells two rows apart.
        left_behind: Fields that no link carries to another page of ours.
    """

    model_config = ConfigDict(str_strip_whitespace=True, populate_by_name=True)

    columns: ClassVar[Mapping[str, bool]]
    default: ClassVar[str]
    ties: ClassVar[str]
    left_behind: ClassVar[frozenset[str]] = frozenset({"page"})

    sort: Annotated[str, Field(max_length=_MOST_CHARS)] = ""
    page: Annotated[int, Field(ge=1, le=_MOST_PAGES)] = 1

    @model_validator(mode="after")
    def _known_column(self) -> Self:
        if self.sort.removeprefix("-") not in {"", *self.columns}:
            raise PydanticCustomError(
                "sort",
                f"sort must be one of {', '.join(self.columns)}, with - for the largest first",
            )
        return self

    @property
    def by(self) -> Order:
        """The column that the table is sorted by."""
        sort = self.sort or self.default
        return Order(sort.removeprefix("-"), sort.startswith("-"))

    @property
    def order(self) -> tuple[Order, ...]:
        """As `listing` takes it."""
        return (self.by, Order(self.ties, is_descending=False))

    @property
    def skip(self) -> int:
        """Rows on the pages before."""
        return PAGE_ROWS * (self.page - 1)

    def direction(self, column: str) -> str:
        """How the table is sorted by a column, as `aria-sort` has it; empty: it is not."""
        by, is_descending = self.by
        if by != column:
            return ""
        return "descending" if is_descending else "ascending"

    def sorted_by(self, column: str) -> str:
        """The address's query for a click on a column's head."""
        now = self.direction(column)
        is_descending = self.columns[column] if not now else now == "ascending"
        return self.query(sort=f"-{column}" if is_descending else column)

    def query(self, **changes: Any) -> str:
        """The address's query with some fields changed, of the first page unless one is given.

        What is as without a query is left out.
        """
        fields = self._own() | {"sort": self.sort} | changes
        defaults = {
            field.alias or name: field.default for name, field in type(self).model_fields.items()
        }
        return urlencode({name: value for name, value in fields.items() if value != defaults[name]})

    @property
    def is_filtered(self) -> bool:
        """Whether the address asks for some rows only."""
        return any(self._own().values())

    def _own(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude={"sort", *self.left_behind})


class PlacedFilter(TableFilter):
    """The query of a table of millions of rows: a page begins behind the last row before it.

    Attributes:
        keys: What orders the rows and tells two apart: columns that are never null, with their
            types. The first one is what the table is sorted by.
    """

    keys: ClassVar[Mapping[str, Any]]
    left_behind: ClassVar[frozenset[str]] = frozenset({"page", "before", "after"})

    before: Annotated[str, Field(max_length=_MOST_PLACE_CHARS)] = ""
    after: Annotated[str, Field(max_length=_MOST_PLACE_CHARS)] = ""

    @model_validator(mode="after")
    def _known_places(self) -> Self:
        for text in (self.before, self.after):
            self._place(text)
        return self

    @classmethod
    def keyset(cls) -> Keyset:
        """The order without one in the address."""
        return Keyset(tuple(cls.keys), cls.default.startswith("-"))

    @property
    def places(self) -> dict[str, Place | None]:
        """Before and after which row the page is, as `keyset_page` takes it."""
        return {"before": self._place(self.before), "after": self._place(self.after)}

    def _place(self, text: str) -> Place | None:
        try:
            return _adapter(tuple(self.keys.values())).validate_json(text) if text else None
        except ValidationError:
            raise PydanticCustomError(
                "place", f"{text} is no place in this table: load its first page"
            ) from None


class NewestFilter(PlacedFilter):
    """The query of a table of millions of rows: the newest first, unless it is sorted.

    By any other column than the time the newest rows are sorted, in numbered pages.

    Attributes:
        most_sorted: So many; a page has seconds.
    """

    most_sorted: ClassVar[int] = 5_000

    @property
    def order(self) -> tuple[Order, ...]:
        """As `listing` takes it."""
        return (self.by, *(Order(column, is_descending=True) for column in self.keys))

    @property
    def is_by_time(self) -> bool:
        """Whether the rows stand in the order of their time."""
        return self.by.column == next(iter(self.keys))


@cache
def _adapter(types: tuple[Any, ...]) -> TypeAdapter[Place]:
    shape: Any = tuple.__class_getitem__(types)
    return TypeAdapter(shape)


class Pager(NamedTuple):
    """Where the other rows of a table are.

    Attributes:
        before: The address's query of the page before; None: there is none.
        after: Of the page after.
        shown: Which rows these are, up to their noun; empty where that would cost a count.
    """

    before: str | None
    after: str | None
    shown: str = ""


def numbered(asked: TableFilter, found: Listing, most: int | None = None) -> Pager:
    """The pager of a listing; `most`: rows that it has at most, the newest ones."""
    last = asked.skip + len(found.rows)
    total = f"{'the newest ' if found.total == most else ''}{found.total:,}"
    return Pager(
        before=asked.query(page=asked.page - 1) if asked.page > 1 else None,
        after=asked.query(page=asked.page + 1) if last < found.total else None,
        shown=f"{asked.skip + 1:,} to {last:,} of {total}",
    )


def newest(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any], asked: NewestFilter
) -> tuple[list[Row], Pager]:
    """A page of the statement `name`, as a table's address asks for it."""
    if asked.is_by_time:
        return placed(connection, name, params, asked)
    found = listing(
        connection,
        name,
        params,
        order=asked.order,
        most=PAGE_ROWS,
        skip=asked.skip,
        among=(asked.keyset(), asked.most_sorted),
    )
    return found.rows, numbered(asked, found, asked.most_sorted)


def placed(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any], asked: PlacedFilter
) -> tuple[list[Row], Pager]:
    """A page of the statement `name` in the order of its keys, or in that from its end."""
    keyset = asked.keyset()._replace(is_descending=asked.by.is_descending)
    rows, has_before, has_after = keyset_page(
        connection, name, params, keyset, PAGE_ROWS, **asked.places
    )
    return rows, Pager(
        # Without a row the page before is the first one.
        before=asked.query(before=_place(keyset, rows[0]) if rows else "") if has_before else None,
        after=asked.query(after=_place(keyset, rows[-1])) if has_after else None,
    )


def _place(keyset: Keyset, row: Row) -> str:
    """Where a row stands, as the address has it."""
    return json.dumps(keyset.place(row), default=datetime.isoformat)
