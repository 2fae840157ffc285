"""What the server's planner knows of how full tables are when a job joins them."""

from dataclasses import replace

import psycopg
import pytest

from constant_contact.store.database import Database, analyze
from constant_contact.store.seam import SeamFile
from constant_contact.sync.crm.crm_contacts import see_contacts
from tests.support import Rows

FILL = """
INSERT INTO ctct_list (list_id, name, mirrored_at)
SELECT 'list-' || n, 'List ' || n, now() FROM generate_series(1, 500) AS n
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
    """500 lists in a table that was counted when it was empty."""
    sql_rows(FILL)
    sql_rows(COUNT_WHEN_EMPTY)
    return sql_rows


def test_a_table_that_was_empty_when_it_was_counted_is_counted_again(
    crm: Database, list_rows: Rows
) -> None:
    with crm.transaction() as connection:
        analyze(connection)
    assert counted(list_rows) == 500


def test_a_table_that_was_counted_with_rows_is_left_to_the_server(
    crm: Database, list_rows: Rows
) -> None:
    list_rows("ANALYZE ctct_list")
    list_rows("DELETE FROM ctct_list WHERE list_id <> 'list-1'")
    with crm.transaction() as connection:
        analyze(connection)
    assert counted(list_rows) == 500


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
