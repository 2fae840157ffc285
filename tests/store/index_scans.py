"""Which indexes of a table are read, as PostgreSQL counts it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

import psycopg

_SCANS = """
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = ANY(%(tables)s)
UNION ALL
SELECT 'seq', sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname = ANY(%(tables)s)
"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_ENDED_WITHIN_S = 60


@contextmanager
def used_indexes(connection: psycopg.Connection, tables: Sequence[str]) -> Iterator[set[str]]:
    """Filled at the end with those that were read meanwhile, and `seq` for a whole table.

    In a database that no other session uses: one that ends says what it read when it is gone.
    """
    deadline = monotonic() + _ENDED_WITHIN_S
    while connection.execute(_OTHERS).fetchone() != (0,):
        assert monotonic() < deadline, "another session reads the same tables"
        connection.commit()
        sleep(0.01)
    used: set[str] = set()
    before = _scans(connection, tables)
    yield used
    after = _scans(connection, tables)
    used |= {each for each, times in after.items() if times > before[each]}


def _scans(connection: psycopg.Connection, tables: Sequence[str]) -> dict[str, int]:
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.commit()
    found = dict(connection.execute(_SCANS, {"tables": list(tables)}).fetchall())
    connection.commit()
    return found
