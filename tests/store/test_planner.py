"""What the server's planner knows of how full tables are when a job joins them."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database, analyze, recount
from constant_contact.store.seam import SeamFile
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts, spell_changes
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.memberships.push import push_memberships
from constant_contact.sync.upkeep.completeness import compare_campaigns, compare_contacts
from constant_contact.sync.upkeep.findings import FindingsReport
from tests.support import Rows

FILL = """
INSERT INTO ctct_list (list_id, name, mirrored_at)
SELECT 'list-' || n, 'List ' || n, now() FROM generate_series(1, 2000) AS n
"""
COUNT_WHEN_EMPTY = """
UPDATE pg_class SET reltuples = 0, relpages = 1 WHERE oid = 'ctct_list'::regclass
"""
JOINING = "current_setting('enable_nestloop')"


def counted(sql_rows: Rows, table: str = "ctct_list") -> float:
    (found,) = sql_rows(f"SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass")
    return float(found["reltuples"])


@pytest.fixture
def list_rows(sql_rows: Rows) -> Rows:
    """2,000 lists in a table that was counted when it was empty."""
    sql_rows(FILL)
    sql_rows(COUNT_WHEN_EMPTY)
    return sql_rows


def test_a_table_that_was_empty_when_it_was_counted_is_counted_again(
    crm: Database, list_rows: Rows
) -> None:
    with crm.transaction() as connection:
        analyze(connection)
    assert counted(list_rows) == 2000


@pytest.mark.parametrize(
    "otherwise",
    [
        # Counted when all of its pages had one row: page for page it is taken for as empty.
        "UPDATE pg_class SET reltuples = 1, relpages = 100 WHERE oid = 'ctct_list'::regclass",
        # Counted when it was a tenth of what it is.
        "UPDATE pg_class SET reltuples = 50, relpages = 1 WHERE oid = 'ctct_list'::regclass",
        # Never counted.
        "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'ctct_list'::regclass",
    ],
)
def test_a_table_that_is_no_longer_what_was_counted_is_counted_again(
    crm: Database, sql_rows: Rows, otherwise: str
) -> None:
    sql_rows(FILL)
    sql_rows(otherwise)
    recount(crm)
    assert counted(sql_rows) == 2000


def test_a_table_whose_rows_are_all_others_is_counted_again(crm: Database, sql_rows: Rows) -> None:
    sql_rows(FILL)
    sql_rows("ANALYZE ctct_list")
    # As full as it was.
    sql_rows(
        "UPDATE pg_class SET reltuples = 900, relpages = 900 WHERE oid = 'ctct_list'::regclass"
    )
    for number in range(5):
        sql_rows("UPDATE ctct_list SET membership_count = %s", number)
    sql_rows("SELECT pg_stat_force_next_flush()")
    recount(crm)
    assert counted(sql_rows) == 2000


@pytest.mark.parametrize(
    "job",
    [
        lambda _, crm: link_contacts(crm),
        push_opt_outs,
        push_memberships,
        sync_campaigns,
        sync_engagement,
        lambda _, crm: project_interactions(crm),
        lambda _, crm: compare_campaigns(crm, FindingsReport()),
        lambda client, crm: compare_contacts(client, crm, FindingsReport()),
    ],
)
def test_each_job_that_joins_tables_has_them_counted(
    client: Client, crm: Database, list_rows: Rows, job: Callable[[Client, Database], object]
) -> None:
    job(client, crm)
    assert counted(list_rows) == 2000


def test_changes_that_wait_are_joined_by_what_was_counted(crm: Database, list_rows: Rows) -> None:
    with crm.transaction() as connection:
        spell_changes(connection, crm)
    assert counted(list_rows) == 2000


def test_a_table_that_was_counted_with_rows_is_left_to_the_server(
    crm: Database, list_rows: Rows
) -> None:
    list_rows("ANALYZE ctct_list")
    list_rows("DELETE FROM ctct_list WHERE list_id <> 'list-1'")
    with crm.transaction() as connection:
        analyze(connection)
    assert counted(list_rows) == 2000


def test_a_table_of_a_few_rows_is_not_counted_at_each_wake_up(
    crm: Database, sql_rows: Rows
) -> None:
    sql_rows(FILL.replace("2000", "200"))
    sql_rows(COUNT_WHEN_EMPTY)
    recount(crm)
    assert counted(sql_rows) == 0


def test_a_table_that_was_just_filled_is_counted(crm: Database) -> None:
    with crm.transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE filled ON COMMIT DROP AS SELECT 1 AS n")
        analyze(connection, "filled")
        ((known,),) = connection.execute(
            "SELECT reltuples FROM pg_class WHERE oid = 'filled'::regclass"
        ).fetchall()
    assert known == 1


def test_a_table_that_another_session_counts_is_not_waited_for(
    crm: Database, crm_url: str, list_rows: Rows
) -> None:
    with psycopg.connect(crm_url) as other, crm.transaction() as connection:
        other.execute("LOCK TABLE ctct_list IN SHARE UPDATE EXCLUSIVE MODE")
        connection.execute("SET LOCAL lock_timeout = '10ms'")
        analyze(connection)
    assert counted(list_rows) == 0


def test_a_role_that_does_not_own_the_tables_goes_on(crm: Database, list_rows: Rows) -> None:
    with crm.transaction() as connection:
        connection.execute("SET LOCAL ROLE pg_read_all_data")
        analyze(connection)
    assert counted(list_rows) == 0


def test_all_contacts_of_the_crm_are_joined_as_a_whole_and_one_by_its_index(
    crm: Database, sql_rows: Rows
) -> None:
    """Whatever the server counted in tables of which we cannot have it count the rows."""
    shipped = crm.seam.contacts
    text = shipped.text.replace("    first_name,", f"    {JOINING} AS first_name,")
    crm.seam = replace(crm.seam, contacts=SeamFile(shipped.path, text))
    sql_rows("INSERT INTO crm_contact (contact_id) VALUES ('c1'), ('c2')")
    see_contacts(crm)
    see_contacts(crm, ["c2"])
    names = sql_rows("SELECT contact_id, first_name FROM ctct_link ORDER BY contact_id")
    assert [row["first_name"] for row in names] == ["off", "on"]
    with crm.transaction() as connection:
        assert connection.execute(f"SELECT {JOINING}").fetchall() == [("on",)]
