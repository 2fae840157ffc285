"""A statement's rows in an order that a person chooses, a page at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg import sql

from constant_contact.store.database import Database
from constant_contact.store.sql import statement

Row = dict[str, Any]
# A row's values of the columns of a `Keyset`.
Place = tuple[Any, ...]
# Rows that one transaction reads of a file; between two nothing is held, however slowly the reader
# takes them.
_CHUNK: Final = 5_000


class Order(NamedTuple):
    """By which column; the rows without a value come last either way."""

    column: str
    is_descending: bool


class Listing(NamedTuple):
    """One page of rows.

    Attributes:
        rows: Of this page.
        total: Rows on all pages.
        sums: Of all pages, by column; None where no row has a value.
    """

    rows: list[Row]
    total: int
    sums: dict[str, int | None]


class Keyset(NamedTuple):
    """An order in which a page begins behind the last row of the page before.

    Attributes:
        columns: None is ever null; together they tell two rows apart. An index on the first ones
            is what makes a page of millions of rows cheap.
        is_descending: All of them.
    """

    columns: tuple[str, ...]
    is_descending: bool

    def place(self, row: Mapping[str, Any]) -> Place:
        """Where a row stands."""
        return tuple(row[column] for column in self.columns)

    def reversed(self) -> Self:
        """The same order from its end."""
        return self._replace(is_descending=not self.is_descending)


class KeysetPage(NamedTuple):
    """One page of rows, and whether there are more on either side."""

    rows: list[Row]
    has_before: bool
    has_after: bool


def listing(
    connection: psycopg.Connection[Any],
    name: str,
    params: Mapping[str, Any],
    *,
    order: Sequence[Order],
    most: int,
    skip: int = 0,
    summed: Sequence[str] = (),
    among: tuple[Keyset, int] | None = None,
) -> Listing:
    """Read a page of the statement `name`; all rows that count are read and sorted.

    Args:
        connection: In a transaction.
        name: A statement whose columns `order` and `summed` are.
        params: The statement's.
        order: The first column that tells two rows apart decides.
        most: Rows on a page.
        skip: Rows on the pages before.
        summed: Columns to add up over all pages.
        among: For what has millions of rows: the first so many of this order count.
    """
    found = first_rows(name, *among) if among else _rows_of(name)
    sums = [sql.SQL("(SELECT sum({}) FROM found)").format(sql.Identifier(each)) for each in summed]
    head = sql.SQL(
        "WITH found AS MATERIALIZED ({}) SELECT (SELECT count(*) FROM found) AS total,"
        " ARRAY[{}]::bigint[] AS sums, shown.* FROM (SELECT 1) AS one LEFT JOIN"
        " (SELECT * FROM found ORDER BY {} LIMIT %(most)s OFFSET %(skip)s) AS shown ON TRUE"
    ).format(found, sql.SQL(", ").join(sums), sql.SQL(", ").join(map(_ordered, order)))
    rows = fetched(connection, head, {**params, "most": most, "skip": skip})
    total, added = rows[0]["total"], rows[0]["sums"]
    for row in rows:
        del row["total"], row["sums"]
    # Without a row on this page the outer join has one of nulls.
    shown = rows if total > skip else []
    return Listing(shown, total, dict(zip(summed, added, strict=True)))


def keyset_page(
    connection: psycopg.Connection[Any],
    name: str,
    params: Mapping[str, Any],
    keyset: Keyset,
    most: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> KeysetPage:
    """Read the rows of the statement `name` next to a place; the first ones without any.

    Rows that come later move no page.

    Args:
        connection: In a transaction.
        name: A statement whose columns those of `keyset` are.
        params: The statement's.
        keyset: The order.
        most: Rows on a page.
        before: The rows that end before it; the first page, where they would not fill one.
        after: The rows that begin after it.
    """
    if before is not None:
        found = _behind(connection, name, params, keyset.reversed(), most=most + 1, place=before)
        if len(found) > most:
            return KeysetPage(found[most - 1 :: -1], has_before=True, has_after=True)
        after = None
    found = _behind(connection, name, params, keyset, most=most + 1, place=after)
    return KeysetPage(found[:most], has_before=after is not None, has_after=len(found) > most)


def keyset_chunks(
    crm: Database, name: str, params: Mapping[str, Any], keyset: Keyset, most: int
) -> Iterator[list[Row]]:
    """All rows of the statement `name` in chunks, up to `most`: a transaction each."""
    place: Place | None = None
    while most > 0:
        with crm.transaction() as connection:
            chunk = _behind(connection, name, params, keyset, most=min(most, _CHUNK), place=place)
        yield chunk
        most -= len(chunk)
        if len(chunk) < _CHUNK:
            return
        place = keyset.place(chunk[-1])


def first_rows(name: str, keyset: Keyset, most: int) -> sql.Composed:
    """A query for the first rows of the statement `name`; its parameters are the statement's."""
    return sql.SQL("SELECT * FROM ({}) AS matching ORDER BY {} LIMIT {}").format(
        _rows_of(name), _by(keyset), sql.Literal(most)
    )


def fetched(
    connection: psycopg.Connection[Any], query: sql.Composed, params: Mapping[str, Any]
) -> list[Row]:
    """The rows of a query, which is not prepared: its best plan depends on what is asked for."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute(query, params, prepare=False).fetchall()


def _behind(
    connection: psycopg.Connection[Any],
    name: str,
    params: Mapping[str, Any],
    keyset: Keyset,
    *,
    most: int,
    place: Place | None,
) -> list[Row]:
    columns = [sql.Identifier(column) for column in keyset.columns]
    values = {f"place_{number}": value for number, value in enumerate(place or ())}
    behind = sql.SQL("WHERE ({}) {} ({})").format(
        sql.SQL(", ").join(columns),
        sql.SQL("<" if keyset.is_descending else ">"),
        sql.SQL(", ").join(map(sql.Placeholder, values)),
    )
    query = sql.SQL("SELECT * FROM ({}) AS matching {} ORDER BY {} LIMIT %(most)s").format(
        _rows_of(name),
        behind if values else sql.SQL(""),
        _by(keyset),
    )
    return fetched(connection, query, {**params, **values, "most": most})


def _by(keyset: Keyset) -> sql.Composed:
    direction = sql.SQL(" DESC" if keyset.is_descending else " ASC")
    return sql.SQL(", ").join(sql.Identifier(each) + direction for each in keyset.columns)


def _rows_of(name: str) -> sql.Composable:
    return sql.SQL(statement(name).rstrip().rstrip(";"))


def _ordered(order: Order) -> sql.Composed:
    direction = sql.SQL("DESC" if order.is_descending else "ASC")
    return sql.SQL("{} {} NULLS LAST").format(sql.Identifier(order.column), direction)
