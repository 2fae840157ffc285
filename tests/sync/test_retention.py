"""The call log does not grow for ever."""

from collections.abc import Callable
from typing import Any

from constant_contact.store.database import Database
from constant_contact.sync.retention import forget_calls

Rows = Callable[..., list[dict[str, Any]]]


def test_calls_older_than_the_days_are_forgotten_and_no_others(
    crm: Database, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO ctct_api_call (called_at, method, path, duration_ms)"
        " SELECT now() - n * interval '1 hour', 'GET', '/v3/x', 1 FROM generate_series(1, 30000) n"
    )
    assert forget_calls(crm, days=90).calls_forgotten == 30_000 - (90 * 24 - 1)
    (left,) = sql_rows(
        "SELECT count(*) AS n, min(called_at) > now() - interval '90 d' AS young FROM ctct_api_call"
    )
    assert left == {"n": 90 * 24 - 1, "young": True}
    assert forget_calls(crm, days=90).calls_forgotten == 0
