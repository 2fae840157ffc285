"""How the server does each statement of a job: its plan, and which tables it reads whole."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import psycopg
from psycopg.sql import Composed

from constant_contact.store.sql import SQL_DIR, statements

#: fewer rows are as well read from the first to the last when some hundred of them are wanted
LARGE_ROWS = 50_000
_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE")
# the CRM's contacts, which some read
_BEFORE_IT = "WITH seam_contact AS "
_SCANS = ("Seq Scan", "Index Scan", "Index Only Scan")


@dataclass
class Statement:
    """All executions of one statement of include/sql.

    Attributes:
        slowest_s: Of one execution.
        plan: Of the slowest, as PostgreSQL prints it.
        whole: Large tables that some execution read from end to end.
    """

    times: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    plan: str = ""
    whole: list[str] = field(default_factory=list)


class Statements:
    """What a process has executed.

    Args:
        large: Tables and indexes with more than `LARGE_ROWS` rows.
    """

    def __init__(self, large: frozenset[str]) -> None:
        self._large = large
        self._names = {
            text: f"{path.stem}/{verb}"
            for path in SQL_DIR.glob("*.sql")
            for verb, text in statements(path.stem).items()
        }
        self._seen: dict[str, Statement] = {}

    def name(self, query: str) -> str | None:
        """Of a statement that can be planned; None for others and for what has no name."""
        name = self._names.get(query)
        if name is None and query.startswith(_BEFORE_IT):
            name = next((of for text, of in self._names.items() if query.endswith(text[:-1])), None)
        return name if name and _verb(query) in _PLANNED else None

    def add(self, name: str, seconds: float, plan: str, tree: dict[str, Any]) -> None:
        """Remember an execution."""
        seen = self._seen.setdefault(name, Statement())
        seen.times += 1
        seen.seconds += seconds
        if seconds >= seen.slowest_s:
            seen.slowest_s, seen.plan = seconds, plan
        seen.whole = sorted({*read_whole(tree, self._large), *seen.whole})

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """By name, as JSON can carry it."""
        return {name: asdict(seen) for name, seen in self._seen.items()}


class PlannedCursor(psycopg.Cursor[Any]):
    """Asks for the plan of a statement right before it is executed, with the same parameters."""

    statements: ClassVar[Statements]

    @classmethod
    def watch(cls, crm_url: str) -> Statements:
        """Start over; what is large now counts as large."""
        with psycopg.connect(crm_url) as connection:
            cls.statements = Statements(large(connection))
        return cls.statements

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """As psycopg's."""
        text = query.as_string(self) if isinstance(query, Composed) else query
        name = self.statements.name(text) if isinstance(text, str) else None
        if name is None:
            return super().execute(query, params, **options)
        plan = "\n".join(line for (line,) in self._explain("", text, params))
        [[[explained]]] = self._explain("(FORMAT JSON)", text, params)
        started = time.perf_counter()
        super().execute(query, params, **options)
        self.statements.add(name, time.perf_counter() - started, plan, explained["Plan"])
        return self

    def _explain(self, options: str, query: str, params: Any) -> list[tuple[Any, ...]]:
        cursor = psycopg.Cursor(self.connection)
        # the text is this project's source, as in `store.sql`
        return cursor.execute(f"EXPLAIN {options} {query}", params).fetchall()


def large(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """The tables and indexes with more than `LARGE_ROWS` rows; a partial index may have few."""
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') AND reltuples > %s", [LARGE_ROWS]
    ).fetchall()
    return frozenset(name for (name,) in found)


def read_whole(
    node: dict[str, Any], of: frozenset[str], *, is_limited: bool = False
) -> Iterator[str]:
    """Those tables that a plan reads from end to end.

    By their rows, or by an index without a condition: unless it stops at a LIMIT, that is as long.
    """
    is_limited = is_limited or node["Node Type"] == "Limit"
    is_open = node["Node Type"] in _SCANS and "Index Cond" not in node and not is_limited
    if is_open and node.get("Index Name", node.get("Relation Name")) in of:
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from read_whole(child, of, is_limited=is_limited)


def _verb(query: str) -> str:
    """The first word that is no comment."""
    lines = (line.split("--")[0].strip() for line in query.splitlines())
    first = next(filter(None, lines), "")
    return first.split()[0].upper() if first else ""
