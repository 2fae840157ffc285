"""Connections to the CRM database: pooled, one transaction at a time each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import sqlalchemy
from psycopg import sql
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from constant_contact.errors import DatabaseReadOnly, DatabaseUnavailable
from constant_contact.store import sqlstates
from constant_contact.store.seam import Seam, load_seam
from constant_contact.store.session import SETTINGS, settle
from constant_contact.store.sql import statement


class Database:
    """The CRM database, in sessions that have our settings.

    Args:
        connect: Opens a connection; called when the pool needs one.
        name: What a person calls it in the settings, such as "connection crm_default".
        settings: Of each session, besides `store.session.SETTINGS`.
        size: The most connections held between uses.
        overflow: How many more there may be for a moment.
        wait_s: How long to wait for one when all are lent.
        seam: Where the firm's own tables meet ours; as shipped if None.
        contacts: Where the CRM's contacts are read, if not here.

    Attributes:
        settings: All that a session has, as they are given.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        *,
        name: str,
        settings: Mapping[str, str] | None = None,
        size: int = 16,
        overflow: int = 10,
        wait_s: int = 30,
        seam: Seam | None = None,
        contacts: "Database | None" = None,
    ) -> None:
        self.name = name
        self.seam = seam or load_seam()
        self.contacts = contacts
        self._wait_s = wait_s
        self._connect = connect
        self.settings = {**SETTINGS, **(settings or {})}
        self.engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self._opened,
            pool_size=size,
            max_overflow=overflow,
            pool_timeout=wait_s,
            pool_pre_ping=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection; commit at the end, roll back on any exception.

        Raises:
            DatabaseUnavailable: The server does not answer, or takes no writes.
            DatabaseConflict, QueryTooSlow: The next try may go through.
            SchemaError, PrivilegeMissing, TextRefused: A person must act.
        """
        pooled, connection = self._lent()
        try:
            with self.explained(connection):
                yield connection
                connection.commit()
        except BaseException as error:
            if connection.closed or connection.broken or isinstance(error, DatabaseReadOnly):
                pooled.invalidate()
            else:
                connection.rollback()
            raise
        finally:
            pooled.close()

    def run(self, name: str, params: Mapping[str, Any] | None = None) -> int:
        """As the function `run`, in a transaction of its own; so are `rows` and `row`."""
        with self.transaction() as connection:
            return run(connection, name, params)

    def rows(self, name: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run the statement `name`; return its rows as dicts."""
        with self.transaction() as connection:
            return rows(connection, name, params)

    def row(self, name: str, params: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Run the statement `name`; return its first row, None if it has none."""
        with self.transaction() as connection:
            return row(connection, name, params)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection whose statements commit at once; closed at the end, its locks with it.

        Raises:
            ConstantContactError: As `transaction`.
        """
        pooled, connection = self._lent()
        try:
            with self.explained(connection):
                connection.autocommit = True
                yield connection
        finally:
            pooled.invalidate()
            pooled.close()

    @contextmanager
    def explained(self, connection: psycopg.Connection[Any] | None = None) -> Iterator[None]:
        """Raise what the database's errors mean; the connection tells who we are there."""
        try:
            yield
        except PoolTimeoutError:
            raise DatabaseUnavailable(
                f"{self.name}: all our connections to the CRM database are in use, and none became "
                f"free within {self._wait_s} s; let fewer tasks run at once"
            ) from None
        except (OperationalError, psycopg.Error) as error:
            login = connection.info.user if connection and not connection.closed else ""
            meant = sqlstates.explained(error, self.name, login)
            if meant is None:
                raise
            if isinstance(meant, DatabaseReadOnly):
                # So are all that were opened before the failover.
                self.engine.dispose()
            raise meant from None

    def close(self) -> None:
        """Close what the pool holds."""
        self.engine.dispose()

    def _opened(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        try:
            return settle(connection, self.settings)
        except BaseException:
            connection.close()
            raise

    def _lent(self) -> tuple[PoolProxiedConnection, psycopg.Connection[Any]]:
        with self.explained():
            pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        if connection is None:
            raise AssertionError("the pool lent nothing")
        return pooled, connection


def run(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> int:
    """Run the statement `name`; return how many rows it touched."""
    return connection.execute(statement(name), params).rowcount


def rows(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Run the statement `name`; return its rows as dicts."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute(statement(name), params).fetchall()


def row(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Run the statement `name`; return its first row, None if it has none."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute(statement(name), params).fetchone()


def stage(
    connection: psycopg.Connection[Any], name: str, table: str, records: Sequence[tuple[Any, ...]]
) -> None:
    """COPY records into the temporary table that the statement `name` makes, emptied before."""
    cursor = connection.cursor()
    cursor.execute(statement(name))
    cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    if not records:
        return
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for record in records:
            copy.write_row(record)


def analyze(connection: psycopg.Connection[Any], *filled: str) -> None:
    """Have the planner know what tables hold: those just filled, and any that it counted otherwise.

    The server counts rows when it finds time, which may be after the whole job; and it may have
    counted when a table was empty for a moment. Two tables of 10,000 rows that it takes for one row
    each are joined row by row. A table that someone else is about to count is passed over.
    """
    params = {"filled": list(filled)}
    for (table,) in connection.execute(statement("session/uncounted"), params).fetchall():
        connection.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(sql.Identifier(table)))


def recount(crm: Database) -> None:
    """Before a job joins our tables: `analyze` those that the planner knows otherwise."""
    with crm.transaction() as connection:
        analyze(connection)


def columns(record_type: type[NamedTuple], records: Sequence[Any]) -> dict[str, list[Any]]:
    """Turn records into the array parameters of a page statement, one a field."""
    names: tuple[str, ...] = record_type._fields
    if not records:
        return {name: [] for name in names}
    return dict(zip(names, map(list, zip(*records, strict=True)), strict=True))
