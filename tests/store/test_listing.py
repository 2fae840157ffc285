"""Pages of tables with many rows: by which index, and without reading what was not asked for."""

from collections.abc import Iterator

import psycopg
import pytest

from constant_contact.store.listing import Keyset, keyset_page
from local.bench.made_up import settle
from tests.databases import Databases
from tests.store.index_scans import used_indexes

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
# A campaign that was sent to all contacts, and 99 that were sent to one in ten.
_EVENTS = """
INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)
SELECT
    stream_id,
    1,
    now() - make_interval(secs => n % 1000),
    'v' || n,
    ''
FROM
    generate_series(1, 100) AS stream_id
CROSS JOIN generate_series(1, 10000) AS n
WHERE stream_id = 1 OR n % 10 = stream_id % 10
ORDER BY stream_id
"""
TABLES = ("crm_list_membership", "crm_opt_out_change", "ctct_engagement")
REQUESTS = "memberships/requests"
ANY_REQUEST = {"status": "", "list_id": "", "action": ""}
CHANGES = "opt_outs/opt_out_changes"
ANY_CHANGE = {"status": "", "do_not_email": None, "requested_by_contact": None}


@pytest.fixture(scope="module")
def full_outboxes(databases: Databases) -> Iterator[str]:
    name = databases.create()
    with psycopg.connect(databases.url(name)) as connection:
        connection.execute(_ROWS)
        connection.execute(_EVENTS)
    settle(databases.url(name))
    yield databases.url(name)
    databases.take_back(name)


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
    with psycopg.connect(full_outboxes) as connection, used_indexes(connection, TABLES) as used:
        keyset_page(connection, name, {**rest, **asked}, Keyset(columns, True), 50)
    assert used == {f"crm_{index}"}


@pytest.mark.parametrize(
    ("index", "stream_id"),
    [("identity", 1), ("stream_events", 777)],
)
def test_who_is_in_a_campaign_is_read_by_contact_or_where_few_are_all_of_them(
    full_outboxes: str, index: str, stream_id: int
) -> None:
    keyset = Keyset(("contact_id", "stream_id", "occurred_at", "event_id"), is_descending=False)
    with psycopg.connect(full_outboxes) as connection:
        params = {"stream_ids": [stream_id]}
        with used_indexes(connection, TABLES) as used:
            keyset_page(connection, "campaigns/events_of_streams", params, keyset, 50)
    assert used == {f"ctct_engagement_{index}"}
