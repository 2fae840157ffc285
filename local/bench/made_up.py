"""Rows made in SQL, where the API would only be in the way."""

from pathlib import Path

import psycopg
from psycopg import sql

_SQL = Path(__file__).parent / "sql"


def make(crm_url: str, name: str, **numbers: int) -> None:
    """Run the statements of sql/`name`.sql."""
    text = (_SQL / f"{name}.sql").read_text(encoding="utf-8") % numbers
    with psycopg.connect(crm_url, autocommit=True) as connection:
        # several statements at once take no parameters; these are numbers of ours
        connection.execute(text)


def settle(crm_url: str) -> None:
    """Do what the server would have done by itself before morning: vacuum what has rows.

    Empty tables stay as they are: to autovacuum nothing has happened to them.
    """
    with psycopg.connect(crm_url, autocommit=True) as connection:
        filled = connection.execute(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND pg_relation_size(oid) > 0"
        ).fetchall()
        for (table,) in filled:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
