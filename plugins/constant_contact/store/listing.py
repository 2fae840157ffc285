"""A statement's rows in an order that a person chooses, a page at a time, with their sums."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from constant_contact.store.sql import statement


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

    rows: list[dict[str, Any]]
    total: int
    sums: dict[str, int | None]


def listing(
    connection: psycopg.Connection[Any],
    name: str,
    params: Mapping[str, Any],
    *,
    order: Sequence[Order],
    most: int,
    skip: int = 0,
    summed: Sequence[str] = (),
) -> Listing:
    """Read a page of the statement `name`; for what has thousands of rows, not millions.

    Args:
        connection: In a transaction.
        name: A statement whose columns `order` and `summed` are.
        params: The statement's.
        order: The first column that tells two rows apart decides.
        most: Rows on a page.
        skip: Rows on the pages before.
        summed: Columns to add up over all pages.
    """
    found = sql.SQL(statement(name).rstrip().rstrip(";"))
    sums = [sql.SQL("(SELECT sum({}) FROM found)").format(sql.Identifier(each)) for each in summed]
    head = sql.SQL(
        "WITH found AS MATERIALIZED ({}) SELECT (SELECT count(*) FROM found) AS total,"
        " ARRAY[{}]::bigint[] AS sums, shown.* FROM (SELECT 1) AS one LEFT JOIN"
        " (SELECT * FROM found ORDER BY {} LIMIT %(most)s OFFSET %(skip)s) AS shown ON TRUE"
    ).format(found, sql.SQL(", ").join(sums), sql.SQL(", ").join(map(_ordered, order)))
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    # Not prepared: which plan is best depends on what is asked for.
    rows = cursor.execute(head, {**params, "most": most, "skip": skip}, prepare=False).fetchall()
    total, added = rows[0]["total"], rows[0]["sums"]
    for row in rows:
        del row["total"], row["sums"]
    # Without a row on this page the outer join has one of nulls.
    shown = rows if total > skip else []
    return Listing(shown, total, dict(zip(summed, added, strict=True)))


def _ordered(order: Order) -> sql.Composed:
    direction = sql.SQL("DESC" if order.is_descending else "ASC")
    return sql.SQL("{} {} NULLS LAST").format(sql.Identifier(order.column), direction)
