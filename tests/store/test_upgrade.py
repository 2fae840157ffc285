"""From the first release to this one: the same schema, and all that was there."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from constant_contact.store.migrations import migrate
from constant_contact.store.seam_check import install
from constant_contact.store.session import connect, settle
from tests.databases import Databases
from tests.store.old_schema import SCHEMA, VERSIONS_0_1_0, apply

HERE = Path(__file__).parent

# Rows as the first release wrote them, in each state that it knew.
ROWS = """
INSERT INTO crm_contact (contact_id, preferred_email, do_not_email, constant_contact_id) VALUES
('c1', 'ann@example.com', TRUE, 'v1'), ('c2', 'bob@example.com', FALSE, 'v2'),
('c3', NULL, NULL, NULL);
INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, constant_contact_id, reason)
SELECT 'c1', status <> 'superseded', status, 'v1', 'asked'
FROM unnest(ARRAY['pending', 'done', 'superseded', 'held', 'failed']) AS status;
INSERT INTO crm_list_membership (contact_id, list_id, action, status)
SELECT 'c2', status, 'add', status
FROM unnest(ARRAY['pending', 'done', 'rejected', 'failed']) AS status;
INSERT INTO ctct_list (list_id, name, mirrored_at) VALUES ('l1', 'News', now());
INSERT INTO ctct_contact (contact_id, email_address, permission_to_send, mirrored_at) VALUES
('v1', 'ann@example.com', 'unsubscribed', now()), ('v2', 'bob@example.com', 'implicit', now());
INSERT INTO ctct_campaign (campaign_id, name, mirrored_at) VALUES ('p1', 'May News', now());
INSERT INTO ctct_campaign_activity (campaign_activity_id, campaign_id, mirrored_at)
VALUES ('a1', 'p1', now());
INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type, stored_count)
VALUES ('a1', 'open', 1);
INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)
SELECT stream_id, 0, now(), 'v1', '' FROM ctct_engagement_stream;
INSERT INTO ctct_projected_link VALUES ('c1', 'v1');
INSERT INTO crm_interaction (
    interaction_id, contact_id, constant_contact_id, activity_type, description, occurred_at
) VALUES ('i1', 'c1', 'v1', 'open', 'Opened “May News”', now());
INSERT INTO ctct_api_budget VALUES ('digest', current_date, 7, now(), 0.3, 1, 0.1, 0.2);
INSERT INTO ctct_api_call (called_at, method, path, duration_ms) VALUES (now(), 'GET', '/v3/x', 1);
INSERT INTO ctct_token (conn_id) VALUES ('constant_contact_default');
INSERT INTO ctct_sync_state (noun, covered_to, full_pass_at) VALUES ('contacts', now(), now());
"""
# What a migration changes on purpose; test_upgrade_links is about the links.
FORGOTTEN = {"ctct_sync_state": {"full_pass_at"}}
MOVED = {"ctct_schema_version", "ctct_projected_link"}
# A later type of engagement has its streams here.
GROWN = {"ctct_engagement_stream"}


@pytest.fixture
def first_release(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """A database of the first release with data in place."""
    name = databases.create_empty()
    with settle(psycopg.connect(databases.url(name))) as connection:
        apply(connection, VERSIONS_0_1_0)
        connection.execute(ROWS)
        connection.commit()
        yield connection
    databases.drop(name)


def catalog(connection: psycopg.Connection[Any]) -> dict[str, str]:
    return dict(connection.execute((HERE / "catalog.sql").read_bytes()).fetchall())


def contents(connection: psycopg.Connection[Any]) -> dict[str, list[dict[str, Any]]]:
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(crm|ctct)_'"
    ).fetchall()
    cursor = connection.cursor(row_factory=dict_row)
    return {name: cursor.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def test_an_upgraded_schema_is_that_of_a_new_installation(
    first_release: psycopg.Connection[Any], crm_url: str
) -> None:
    assert install(first_release)
    with connect(crm_url) as fresh:
        assert catalog(first_release) == catalog(fresh)


def test_the_baseline_is_what_the_migrations_come_to(databases: Databases) -> None:
    by_baseline, by_migrations = databases.create_empty(), databases.create_empty()
    with (
        settle(psycopg.connect(databases.url(by_baseline))) as new,
        settle(psycopg.connect(databases.url(by_migrations))) as migrated,
    ):
        versions = migrate(new)
        apply(migrated, versions)
        assert catalog(new) == catalog(migrated)
        at_first, expected = contents(new), contents(migrated)
        for found in (at_first, expected):
            applied = found.pop("ctct_schema_version")
            assert [row["version"] for row in applied] == versions
        assert at_first == expected
    databases.drop(by_baseline)
    databases.drop(by_migrations)


def test_an_upgrade_keeps_every_row_and_every_value(
    first_release: psycopg.Connection[Any],
) -> None:
    before = contents(first_release)
    assert all(before.values())
    first_release.commit()
    migrate(first_release)
    after = contents(first_release)
    for table, rows in before.items():
        if table in MOVED:
            continue
        kept = rows[0].keys() - FORGOTTEN.get(table, set())
        found, expected = (
            Counter(str({c: row[c] for c in sorted(kept)}) for row in some)
            for some in (after[table], rows)
        )
        assert found >= expected if table in GROWN else found == expected, table


def test_what_the_first_release_held_is_asked_about_as_one_stop(
    first_release: psycopg.Connection[Any],
) -> None:
    migrate(first_release)
    holds = first_release.execute("SELECT hold_id FROM ctct_hold").fetchall()
    held = first_release.execute(
        "SELECT hold_id FROM crm_opt_out_change WHERE status = 'held'"
    ).fetchall()
    assert held == holds
    assert len(holds) == 1


def test_only_campaigns_with_an_activity_that_says_no_role_are_read_again(
    first_release: psycopg.Connection[Any],
) -> None:
    first_release.execute(
        "INSERT INTO ctct_campaign (campaign_id, activities_read_at, mirrored_at)"
        " SELECT id, now(), now() FROM unnest(ARRAY['roleless', 'streamed', 'other']) AS id;"
        "INSERT INTO ctct_campaign_activity (campaign_activity_id, campaign_id, role, mirrored_at)"
        " VALUES ('r1', 'roleless', NULL, now()), ('s1', 'streamed', NULL, now()),"
        " ('o1', 'other', 'permalink', now());"
        "INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)"
        " VALUES ('s1', 'open')"
    )
    first_release.commit()
    migrate(first_release)
    again = first_release.execute(
        "SELECT campaign_id FROM ctct_campaign"
        " WHERE campaign_id <> 'p1' AND activities_read_at IS NULL"
    ).fetchall()
    assert again == [("roleless",)]


def test_no_campaign_has_moved_because_of_an_upgrade(
    first_release: psycopg.Connection[Any],
) -> None:
    """The summary report moves a campaign where it counts otherwise than was noted."""
    first_release.execute(
        "INSERT INTO ctct_campaign (campaign_id, moved_at, mirrored_at, unique_sends, unique_opens)"
        " VALUES ('sent', '2026-05-01Z', '2026-05-02Z', 10, 4)"
    )
    first_release.commit()
    migrate(first_release)
    noted = first_release.execute(
        "SELECT activity_type, vendor_count, changed_at = '2026-05-01Z',"
        " noted_at = '2026-05-02Z', events FROM ctct_campaign_count ORDER BY activity_type"
    ).fetchall()
    assert noted == [("open", 4, True, True, None), ("send", 10, True, True, None)]


def test_an_erasure_still_finds_the_links_of_before(databases: Databases) -> None:
    name = databases.create_empty()
    with settle(psycopg.connect(databases.url(name))) as connection:
        versions = sorted(path.stem for path in SCHEMA.glob("[0-9]*.sql"))
        apply(connection, [version for version in versions if version < "0043"])
        connection.execute(
            "INSERT INTO ctct_link (contact_id, constant_contact_id, projected_id)"
            " VALUES ('c1', 'v1', 'v1'), ('c2', 'v2', 'v9'), ('c3', NULL, 'v3'), ('c4', 'v4', '');"
            "INSERT INTO ctct_left_contact (contact_id, constant_contact_id, projected_id)"
            " VALUES ('c5', 'v5', 'v5'), ('c6', 'v6', 'v9'), ('c7', NULL, '')"
        )
        connection.commit()
        migrate(connection)
        kept = connection.execute("SELECT * FROM ctct_former_key ORDER BY 1, 2").fetchall()
    assert kept == [
        ("c2", "v9", None), ("c3", "v3", None), ("c5", "v5", None), ("c6", "v6", None),
        ("c6", "v9", None),
    ]  # fmt: skip
    databases.drop(name)
