"""Which tables a plan reads whole: what `make bench SCALE=…` holds against the project."""

from collections.abc import Iterator

import psycopg
import pytest

from constant_contact.store import database
from local.bench import plans
from local.bench.plans import LARGE_ROWS, PlannedCursor, read_whole


@pytest.fixture
def large(crm_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A table that is worth an index, and has one."""
    with psycopg.connect(crm_url) as connection:
        connection.execute(
            "CREATE TABLE large AS SELECT number, md5(number::text) AS word"
            f" FROM generate_series(1, {2 * LARGE_ROWS}) AS number"
        )
        connection.execute("ALTER TABLE large ADD PRIMARY KEY (number)")
        connection.execute("CREATE INDEX ON large (word) WHERE number % 1000 = 0")
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE) large")
        yield connection


def _read_whole(connection: psycopg.Connection[tuple[object, ...]], query: str) -> list[str]:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()
    ((explained,),) = row or ()
    return list(read_whole(explained["Plan"], plans.large(connection)))


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        ("SELECT word FROM large WHERE number = 7", []),
        ("SELECT word FROM large WHERE number IN (7, 9, 11)", []),
        ("SELECT max(number) FROM large", []),
        ("SELECT word FROM large ORDER BY number LIMIT 3", []),
        ("SELECT word FROM large WHERE number % 1000 = 0 ORDER BY word", []),
        ("SELECT number FROM large WHERE word = 'x'", ["large"]),
        ("SELECT count(number) FROM large", ["large"]),
        ("SELECT a.word FROM large AS a INNER JOIN large AS b USING (word)", ["large", "large"]),
    ],
)
def test_what_has_no_condition_of_an_index_and_no_end_is_read_whole(
    large: psycopg.Connection[tuple[object, ...]], query: str, whole: list[str]
) -> None:
    assert _read_whole(large, query) == whole


def test_every_statement_of_a_file_is_seen_with_its_plan_and_still_does_its_work(
    crm_url: str,
) -> None:
    with psycopg.connect(crm_url) as connection:
        connection.execute(
            "INSERT INTO ctct_link (contact_id)"
            f" SELECT 'C' || number FROM generate_series(1, {2 * LARGE_ROWS}) AS number"
        )
        connection.execute("ANALYZE ctct_link")
    seen = PlannedCursor.watch(crm_url)
    with psycopg.connect(crm_url, cursor_factory=PlannedCursor) as connection:
        row = database.row(connection, "links/count_links")
    assert row is not None
    assert row["contacts"] == 2 * LARGE_ROWS
    ((name, found),) = seen.as_dict().items()
    assert (name, found["times"], found["whole"]) == ("links/count_links", 1, ["ctct_link"])
    assert "Seq Scan on ctct_link" in found["plan"]
