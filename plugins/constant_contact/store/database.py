"""Connections to the CRM database: pooled, one transaction at a time each."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import sqlalchemy
from psycopg import sql
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from constant_contact.errors import ConstantContactError, DatabaseUnavailable, SchemaError
from constant_contact.store.seam import Seam, load_seam
from constant_contact.store.sql import statement


class Database:
    """The CRM database.

    Args:
        connect: Opens a connection; called when the pool needs one.
        name: What a person calls it in the settings, such as "connection crm_default".
        size: The most connections held between uses.
        overflow: How many more there may be for a moment.
        wait_s: How long to wait for one when all are lent.
        seam: Where the firm's own tables meet ours; as shipped if None.
        contacts: Where the CRM's contacts are read, if not here.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        *,
        name: str,
        size: int = 16,
        overflow: int = 10,
        wait_s: int = 30,
        seam: Seam | None = None,
        contacts: "Database | None" = None,
    ) -> None:
        self.name = name
        self.seam = seam or load_seam()
        self.contacts = contacts
        self.engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=connect,
            pool_size=size,
            max_overflow=overflow,
            pool_timeout=wait_s,
            pool_pre_ping=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection; commit at the end, roll back on any exception.

        Raises:
            DatabaseUnavailable: The server does not answer.
            SchemaError: A table or column is missing.
        """
        pooled, connection = self._lent()
        try:
            with self._explained():
                yield connection
                connection.commit()
        except BaseException:
            if connection.closed or connection.broken:
                pooled.invalidate()
            else:
                connection.rollback()
            raise
        finally:
            pooled.close()

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection whose statements commit at once; closed at the end, its locks with it.

        Raises:
            DatabaseUnavailable, SchemaError: As `transaction`.
        """
        pooled, connection = self._lent()
        try:
            with self._explained():
                connection.autocommit = True
                yield connection
        finally:
            pooled.invalidate()
            pooled.close()

    def close(self) -> None:
        """Close what the pool holds."""
        self.engine.dispose()

    def _lent(self) -> tuple[PoolProxiedConnection, psycopg.Connection[Any]]:
        with self._explained():
            pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        if connection is None:
            raise AssertionError("the pool lent nothing")
        return pooled, connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, psycopg.OperationalError, PoolTimeoutError) as error:
            raise self._unavailable(error) from None
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise SchemaError(
                f"{self.name}: {error.diag.message_primary}; run `make migrate`"
            ) from None

    def _unavailable(self, error: Exception) -> ConstantContactError:
        # The driver's text names host and user, never the password; its first line is enough.
        said = re.sub(r"^\([\w.]+\)\s*", "", str(error)).strip().splitlines()
        reason = said[0] if said else type(error).__name__
        return DatabaseUnavailable(
            f"{self.name}: the CRM database does not answer ({reason}); check the connection's "
            "host, port, login, password and database, and that the server runs"
        )


def run(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> int:
    """Run include/sql/`name`.sql; return how many rows it touched."""
    return connection.execute(statement(name), params).rowcount


def rows(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Run include/sql/`name`.sql; return its rows as dicts."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute(statement(name), params).fetchall()


def row(
    connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Run include/sql/`name`.sql; return its first row, None if it has none."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute(statement(name), params).fetchone()


def stage(
    connection: psycopg.Connection[Any], name: str, table: str, records: Sequence[tuple[Any, ...]]
) -> None:
    """COPY records into the temporary table that include/sql/`name`.sql makes."""
    cursor = connection.cursor()
    cursor.execute(statement(name))
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for record in records:
            copy.write_row(record)


def columns(record_type: type[NamedTuple], records: Sequence[Any]) -> dict[str, list[Any]]:
    """Turn records into the array parameters of a page statement, one a field."""
    names: tuple[str, ...] = record_type._fields
    if not records:
        return {name: [] for name in names}
    return dict(zip(names, map(list, zip(*records, strict=True)), strict=True))
