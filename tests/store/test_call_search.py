"""Searching the call log: by which index, and without reading what was not asked for."""

from datetime import UTC, datetime

import psycopg
import pytest

from constant_contact.store import call_search
from constant_contact.store.database import Database
from constant_contact.store.listing import keyset_page
from constant_contact.web.calls.call_filter import CallFilter
from local.bench.made_up import make, settle
from tests.databases import Databases
from tests.store.index_scans import used_indexes

CALLS = "web/matching_calls"
NEWEST = CallFilter.keyset()
_CALLS = 30_000


@pytest.fixture(scope="module")
def full_log(databases: Databases):
    name = databases.create()
    make(databases.url(name), "calls", calls=_CALLS)
    settle(databases.url(name))
    yield databases.url(name)
    databases.take_back(name)


@pytest.mark.parametrize(
    ("index", "asked"),
    [
        ("time", {}),
        ("time", {"span": "all"}),
        ("time", {"status": "200", "span": "all"}),
        ("dag", {"dag_id": "constant_contact_lists", "span": "all"}),
        ("task", {"task_id": "lists", "span": "all"}),
        ("run", {"run_id": "scheduled__2026-01-31T02:00:00+00:00"}),
        ("status", {"status": "409", "span": "all"}),
        ("failed", {"status": "failed", "span": "all"}),
        ("error_key", {"error_key": "contacts.api.conflict", "span": "all"}),
        ("method", {"method": "DELETE", "span": "all"}),
        ("path", {"path": "/v3/contacts/c4ca4238-a0b9-2382-0dcc-509a6f75849b", "span": "all"}),
        ("request", {"request_id": "c4ca4238-a0b9-2382-0dcc-509a6f75849b"}),
    ],
)
def test_each_filter_has_its_index_and_none_reads_the_whole_log(
    full_log: str, index: str, asked: dict[str, str]
) -> None:
    wanted = CallFilter(**asked).wanted(datetime.now(UTC))
    with (
        psycopg.connect(full_log) as connection,
        used_indexes(connection, ["ctct_api_call"]) as used,
    ):
        # more often than a statement is tried before its plan is kept for all values
        for _ in range(12):
            keyset_page(connection, CALLS, wanted, NEWEST, 50)
    assert used == {f"ctct_api_call_{index}"}


def test_what_can_be_chosen_is_in_the_log(full_log: str) -> None:
    with (
        psycopg.connect(full_log) as connection,
        used_indexes(connection, ["ctct_api_call"]) as used,
    ):
        choices = call_search.choices(connection)
    assert "seq" not in used
    assert choices["task_id"] == ["activities", "contacts", "lists", "opt_outs"]
    assert choices["error_key"] == ["contacts.api.conflict", "throttled"]


def test_a_count_of_what_is_at_hand_is_the_databases(full_log: str) -> None:
    wanted = CallFilter(span="all").wanted(datetime.now(UTC))
    crm = Database(lambda: psycopg.connect(full_log), name="connection crm_default")
    with crm.transaction() as connection:
        found = keyset_page(connection, CALLS, wanted, NEWEST, 2_000)
        counts = call_search.count(connection, wanted, NEWEST, 2_000)
    crm.close()
    key = lambda row: (row["calls"], str(row))  # noqa: E731
    assert sorted(call_search.counted(found.rows), key=key) == sorted(counts, key=key)
    assert len(counts) > 3
