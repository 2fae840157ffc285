"""The tables and views of the CRM database, from the catalog of a migrated one."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from constant_contact.store.seam_check import install
from local.reference.markdown import code, table

_SQL = Path(__file__).parent / "sql"
_REFERS_TO = re.compile(r"^→ (\w+)\.(\w+)\.?\s*")
_SHORT = {"timestamp with time zone": "timestamptz", "double precision": "double"}


@dataclass(frozen=True)
class Column:
    """A column as the catalog has it.

    Attributes:
        refers_to: "table.column", by a foreign key or by the comment's "→".
        is_enforced: By a foreign key.
    """

    name: str
    type: str
    is_key: bool
    is_nullable: bool
    refers_to: str | None
    is_enforced: bool
    comment: str


@dataclass
class Relation:
    """A table or a view."""

    name: str
    is_view: bool
    comment: str
    columns: list[Column] = field(default_factory=list)


def load(server_url: str) -> list[Relation]:
    """The relations of a database made for this, migrated and dropped."""
    with _database(server_url) as url, psycopg.connect(url) as connection:
        install(connection)
        return read(connection)


def read(connection: psycopg.Connection[Any]) -> list[Relation]:
    """The relations of a migrated database."""
    found: dict[str, Relation] = {}
    query = (_SQL / "columns.sql").read_text(encoding="utf-8")
    for relation, is_view, said, column, kind, key, nullable, target, comment in connection.execute(
        query.encode()
    ):
        one = found.setdefault(relation, Relation(relation, is_view, said or ""))
        words = comment or ""
        named = _REFERS_TO.match(words)
        refers_to = target or (f"{named[1]}.{named[2]}" if named else None)
        short, rest = _SHORT.get(kind, kind), _REFERS_TO.sub("", words)
        one.columns.append(Column(column, short, key, nullable, refers_to, bool(target), rest))
    return list(found.values())


def page(relations: list[Relation]) -> str:
    """The diagram, then each relation with its columns."""
    tables_ = [relation for relation in relations if not relation.is_view]
    return (
        "# Tables\n\n"
        "`ctct_…` is the integration's, `crm_…` the CRM's side. A line is a reference, mostly\n"
        "without a foreign key: events outlive contacts, and what was done for people outlives\n"
        "them.\n\n"
        f"```mermaid\nerDiagram\n{''.join(_diagram(tables_))}```\n"
        + "".join(_section(relation) for relation in relations)
    )


def _diagram(tables_: list[Relation]) -> Iterator[str]:
    known = {relation.name for relation in tables_}
    for relation in tables_:
        for column in relation.columns:
            if column.refers_to and (other := column.refers_to.partition(".")[0]) in known:
                yield f'    {other} ||--o{{ {relation.name} : "{column.name}"\n'
    for relation in tables_:
        yield f"    {relation.name} {{\n"
        for column in relation.columns:
            keys = ", ".join(["PK"] * column.is_key + ["FK"] * bool(column.refers_to))
            kind = column.type.replace("[]", "_array")
            yield f"        {kind} {column.name} {keys}".rstrip() + "\n"
        yield "    }\n"


def _section(relation: Relation) -> str:
    rows = [
        (
            code(column.name) + (" (key)" if column.is_key else ""),
            column.type + ("" if column.is_nullable or relation.is_view else ", not null"),
            (f"→ `{column.refers_to}`. " if column.refers_to else "") + column.comment,
        )
        for column in relation.columns
    ]
    kind = "View. " if relation.is_view else ""
    said = f"\n{kind}{relation.comment}\n" if kind or relation.comment else ""
    return f"\n## {code(relation.name)}\n{said}\n" + table(["column", "type", ""], rows)


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    """A new database of a server, dropped at the end."""
    name = f"ctct_reference_{uuid.uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
