"""Pages of tables with many rows: by which index, and without reading what was not asked for."""

from collections.abc import Iterator

import psycopg
import pytest

from constant_contact.store.listing import Keyset, keyset_page
from local.bench.made_up import settle
from tests.databases import Databases

# Of 30,000 rows few are removals, or clear the flag, or are a contact's own wish.
_ROWS = """
INSERT INTO crm_list_membership (contact_id, list_id, action, requested_at, status)
SELECT
    'c' || n,
    'list-' || n % 300,
    CASE WHEN n % 1000 = 7 THEN 'remove' ELSE 'add' END,
    now() - make_interval(secs => n),
    CASE WHEN n % 500 = 3 THEN 'rejected' ELSE 'done' END
FROM generate_series(1, 30000) AS n;
INSERT INTO crm_opt_out_change (contact_id, do_not_email, requested_by_contact, status)
SELECT
    'c' || n,
    n % 1000 <> 7,
    n % 1000 = 9,
    CASE WHEN n % 500 = 3 THEN 'failed' ELSE 'done' END
FROM generate_series(1, 30000) AS n;
"""
_SCANS = """
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes
WHERE relname IN ('crm_list_membership', 'crm_opt_out_change')
UNION ALL
SELECT 'seq', sum(seq_scan)::bigint FROM pg_stat_user_tables
WHERE relname IN ('crm_list_membership', 'crm_opt_out_change')
"""
REQUESTS = "memberships/requests"
ANY_REQUEST = {"status": "", "list_id": "", "action": ""}
CHANGES = "opt_outs/opt_out_changes"
ANY_CHANGE = {"status": "", "do_not_email": None, "requested_by_contact": None}


@pytest.fixture(scope="module")
def full_outboxes(databases: Databases) -> Iterator[str]:
    name = databases.create()
    with psycopg.connect(databases.url(name)) as connection:
        connection.execute(_ROWS)
    settle(databases.url(name))
    yield databases.url(name)
    databases.take_back(name)


def scans(connection: psycopg.Connection) -> dict[str, int]:
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.commit()
    found = dict(connection.execute(_SCANS).fetchall())
    connection.commit()
    return found


@pytest.mark.parametrize(
    ("index", "asked"),
    [
        ("list_membership_newest", {}),
        ("list_membership_list", {"list_id": "list-7"}),
        ("list_membership_list", {"list_id": "none"}),
        ("list_membership_status", {"status": "rejected"}),
        ("list_membership_removal", {"action": "remove"}),
        ("opt_out_change_pkey", {}),
        ("opt_out_change_status", {"status": "failed"}),
        ("opt_out_change_cleared", {"do_not_email": False}),
        ("opt_out_change_asked", {"requested_by_contact": True}),
    ],
)
def test_each_filter_has_its_index_and_none_reads_the_whole_table(
    full_outboxes: str, index: str, asked: dict[str, object]
) -> None:
    is_request = index.startswith("list")
    name, rest = (REQUESTS, ANY_REQUEST) if is_request else (CHANGES, ANY_CHANGE)
    columns = ("requested_at", "contact_id", "list_id") if is_request else ("change_id",)
    with psycopg.connect(full_outboxes) as connection:
        before = scans(connection)
        keyset_page(connection, name, {**rest, **asked}, Keyset(columns, True), 50)
        after = scans(connection)
    assert {each for each, times in after.items() if times > before[each]} == {f"crm_{index}"}
