"""Tables that are sorted and paged by their address: what a table shows can be sent as a link."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from constant_contact.redact import is_telling
from constant_contact.store.listing import Listing, Order

PAGE_ROWS: Final = 50
_MOST_CHARS: Final = 300
_MOST_PAGES: Final = 10_000


# With a blank on both sides an @ is of no address, but of a name such as "Lunch @ noon".
_LONE_AT: Final = re.compile(r"(?<!\S)@(?!\S)")


def _not_telling(text: str) -> str:
    if is_telling(_LONE_AT.sub("", text)):
        raise PydanticCustomError("telling", "no email address may be in a URL")
    # PostgreSQL's texts know no NUL
    return text.replace("\0", "")


Text = Annotated[str, Field(max_length=_MOST_CHARS), AfterValidator(_not_telling)]


class TableFilter(BaseModel):
    """The query of a table's address; every field may be missing or empty.

    A page adds its own fields, and says by which columns the table is sorted.

    Attributes:
        columns: What can be sorted by, and what a first click on it shows first: True for the
            largest.
        default: The order without one in the address.
        ties: What tells two rows apart.
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    columns: ClassVar[Mapping[str, bool]]
    default: ClassVar[str]
    ties: ClassVar[str]

    search: Text = ""
    sort: Text = ""
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
    def order(self) -> tuple[Order, ...]:
        """As `listing` takes it."""
        sort = self.sort or self.default
        return (
            Order(sort.removeprefix("-"), sort.startswith("-")),
            Order(self.ties, is_descending=False),
        )

    @property
    def skip(self) -> int:
        """Rows on the pages before."""
        return PAGE_ROWS * (self.page - 1)

    def direction(self, column: str) -> str:
        """How the table is sorted by a column, as `aria-sort` has it; empty: it is not."""
        by, is_descending = self.order[0]
        if by != column:
            return ""
        return "descending" if is_descending else "ascending"

    def sorted_by(self, column: str) -> str:
        """The address's query for a click on a column's head."""
        now = self.direction(column)
        is_descending = self.columns[column] if not now else now == "ascending"
        return self.query(sort=f"-{column}" if is_descending else column, page=1)

    def query(self, **changes: Any) -> str:
        """The address's query with some fields changed; what is as without a query is left out."""
        fields = self.model_dump() | changes
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        return urlencode({name: value for name, value in fields.items() if value != defaults[name]})

    @property
    def is_filtered(self) -> bool:
        """Whether the address asks for some rows only."""
        own = self.model_dump(exclude={"sort", "page"})
        return any(own.values())


class Pager:
    """Which rows of a listing are shown, and where the others are."""

    def __init__(self, asked: TableFilter, found: Listing) -> None:
        self.first = asked.skip + 1
        self.last = asked.skip + len(found.rows)
        self.total = found.total
        self.before = asked.query(page=asked.page - 1) if asked.page > 1 else None
        self.after = asked.query(page=asked.page + 1) if self.last < found.total else None
