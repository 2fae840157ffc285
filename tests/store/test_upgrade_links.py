"""From 0.2.0 to this release: links, outboxes and interactions are as they were, however the CRM
was met before; and nothing of ours holds on to the firm's tables afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from constant_contact.accounts import DEFAULT
from constant_contact.store.accounts import migrate_account
from constant_contact.store.database import Database
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import Seam, load_seam
from constant_contact.store.seam_check import install, prepare_seam
from constant_contact.sync.contacts.links import link_contacts
from tests.databases import Databases
from tests.store.old_schema import VERSIONS_0_2_0, apply, apply_account_0_2_0
from tests.support import EU_SCHEMA, run_rows

CONTACTS = """
INSERT INTO {contacts} (contact_id, preferred_email, do_not_email, constant_contact_id) VALUES
('c1', 'ann@example.com', TRUE, 'v1'), ('c2', 'bob@example.com', FALSE, 'v2'),
('c3', NULL, NULL, NULL), ('c4', 'cy@example.com', FALSE, NULL);
"""
# What the integration had in its own tables; c1 and c2 are linked.
OURS = """
INSERT INTO ctct_hold (hold_id, noun, detail) OVERRIDING SYSTEM VALUE
VALUES (7, 'opt_outs', 'too many'), (8, 'memberships', 'too many');
INSERT INTO crm_opt_out_change
(contact_id, do_not_email, status, constant_contact_id, reason, requested_by_contact, changed_by,
hold_id)
SELECT
    'c1', status <> 'superseded', status, 'v1', 'asked', TRUE, 'ann',
    CASE WHEN status = 'held' THEN 7 END
FROM unnest(ARRAY['pending', 'done', 'superseded', 'held', 'failed']) AS status;
INSERT INTO crm_list_membership (contact_id, list_id, action, status, hold_id)
SELECT 'c2', status, 'remove', status, CASE WHEN status = 'held' THEN 8 END
FROM unnest(ARRAY['pending', 'done', 'rejected', 'held', 'failed']) AS status;
INSERT INTO ctct_contact (contact_id, email_address, permission_to_send, mirrored_at) VALUES
('v1', 'ann@example.com', 'unsubscribed', now()), ('v2', 'bob@example.com', 'implicit', now());
INSERT INTO ctct_projected_link VALUES ('c1', 'v1'), ('c2', 'v2');
INSERT INTO crm_interaction
(interaction_id, contact_id, constant_contact_id, activity_type, description, occurred_at)
SELECT 'i' || n, 'c' || 1 + n % 2, 'v' || 1 + n % 2, 'open', 'Opened', now()
FROM generate_series(1, 10) AS n;
"""
KEPT = ("crm_opt_out_change", "crm_list_membership", "crm_interaction", "ctct_hold", "ctct_contact")
LINKS = [("c1", "v1"), ("c2", "v2")]

Make = Callable[..., str]


@pytest.fixture
def old(databases: Databases) -> Iterator[Make]:
    """Makes databases of 0.2.0, with SQL of the firm's `before` it; returns the URL."""
    made = []

    def make(before: str = "", contacts: str | None = "crm_contact") -> str:
        made.append(databases.create_empty())
        url = databases.url(made[-1])
        with psycopg.connect(url) as connection:
            connection.execute(before.encode())
            apply(connection, VERSIONS_0_2_0)
            if contacts:
                connection.execute("ALTER TABLE crm_opt_out_change DISABLE TRIGGER USER")
                connection.execute(CONTACTS.format(contacts=contacts).encode())
                connection.execute("ALTER TABLE crm_opt_out_change ENABLE TRIGGER USER")
            connection.execute(OURS.encode())
        return url

    yield make
    for name in made:
        databases.drop(name)


def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()
            for table in KEPT
        }


def assert_kept(before: dict[str, list[dict[str, Any]]], url: str) -> None:
    after = rows_of(url)
    for table, rows in before.items():
        known = [
            {name: row[name] for name in rows[0] if name != "email_key"} for row in after[table]
        ]
        assert known == [{k: v for k, v in row.items() if k != "email_key"} for row in rows], table


def links_of(url: str) -> list[tuple[str, str]]:
    rows = run_rows(
        url,
        "SELECT contact_id, constant_contact_id FROM ctct_link"
        " WHERE constant_contact_id IS NOT NULL ORDER BY 1",
    )
    return [(row["contact_id"], row["constant_contact_id"]) for row in rows]


def look(url: str, seam: Seam | None = None) -> Any:
    crm = Database(lambda: psycopg.connect(url), name="connection crm_default", seam=seam)
    try:
        return link_contacts(crm)
    finally:
        crm.close()


def ours_that_depend_on_theirs(url: str, theirs: str) -> list[dict[str, Any]]:
    """What would keep the firm from dropping a table; its triggers and a view's rule go with it."""
    return run_rows(
        url,
        "SELECT pg_describe_object(classid, objid, objsubid) AS ours FROM pg_depend"
        " WHERE refclassid = 'pg_class'::regclass AND refobjid = %s::regclass AND deptype = 'n'"
        " AND NOT (classid = 'pg_trigger'::regclass"
        " AND objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = refobjid))"
        # up to PostgreSQL 15 a view's rule depends on the view
        " AND NOT (classid = 'pg_rewrite'::regclass"
        " AND objid IN (SELECT oid FROM pg_rewrite WHERE ev_class = refobjid))",
        theirs,
    )


def test_links_outboxes_and_interactions_are_as_they_were(old: Make) -> None:
    url = old()
    before = rows_of(url)
    assert all(before.values())
    with psycopg.connect(url) as connection:
        assert install(connection)
    assert_kept(before, url)
    assert links_of(url) == LINKS
    report = look(url)
    assert (report.appeared, report.left, report.linked, report.unlinked) == (0, 0, 0, 0)
    assert links_of(url) == LINKS
    assert_kept(before, url)
    rows = run_rows(url, "SELECT constant_contact_id FROM crm_contact ORDER BY contact_id")
    assert [row["constant_contact_id"] for row in rows] == ["v1", "v2", None, None]


def test_afterwards_the_firm_alters_renames_and_drops_its_table(old: Make) -> None:
    url = old()
    with psycopg.connect(url) as connection:
        install(connection)
    assert ours_that_depend_on_theirs(url, "crm_contact") == []
    run_rows(
        url,
        "ALTER TABLE crm_contact ALTER preferred_email TYPE varchar(255), DROP COLUMN created_at;"
        "ALTER TABLE crm_contact RENAME TO crm_contact_old;"
        "CREATE TABLE crm_contact AS SELECT * FROM crm_contact_old; DROP TABLE crm_contact_old",
    )
    report = look(url)
    assert (report.appeared, report.left) == (0, 0)
    assert links_of(url) == LINKS
    run_rows(url, "DROP TABLE crm_contact")
    assert links_of(url) == LINKS


VIEW = """
CREATE TABLE person (
    nr integer PRIMARY KEY, mail text, off boolean, cc text
);
CREATE VIEW crm_contact AS
SELECT
    'c' || nr AS contact_id, NULL::text AS first_name, NULL::text AS last_name,
    mail AS preferred_email, off AS do_not_email, cc AS constant_contact_id,
    now() AS created_at, now() AS updated_at
FROM person;
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person SET cc = NEW.constant_contact_id, off = NEW.do_not_email
    WHERE 'c' || nr = OLD.contact_id;
    RETURN NEW;
END $$;
CREATE TRIGGER put INSTEAD OF UPDATE ON crm_contact FOR EACH ROW EXECUTE FUNCTION put();
INSERT INTO person VALUES
(1, 'ann@example.com', TRUE, 'v1'), (2, 'bob@example.com', FALSE, 'v2'), (3, NULL, NULL, NULL);
"""
UPDATABLE = """
CREATE TABLE person (
    nr text PRIMARY KEY, mail text, off boolean, cc text
);
CREATE VIEW crm_contact AS
SELECT
    nr AS contact_id, NULL::text AS first_name, NULL::text AS last_name,
    mail AS preferred_email, off AS do_not_email, cc AS constant_contact_id,
    now() AS created_at, now() AS updated_at
FROM person;
INSERT INTO person VALUES
('c1', 'ann@example.com', TRUE, 'v1'), ('c2', 'bob@example.com', FALSE, 'v2'),
('c3', NULL, NULL, NULL);
"""


@pytest.mark.parametrize("view", [VIEW, UPDATABLE], ids=["instead of", "updatable"])
def test_a_view_of_the_firms_stays_in_use_with_no_file_to_merge(old: Make, view: str) -> None:
    url = old(before=view, contacts=None)
    before = rows_of(url)
    with psycopg.connect(url) as connection:
        migrate(connection)
        found = prepare_seam(connection, load_seam())
    assert found.problems == []
    assert any("crm_contact is a view, which has no row triggers" in each for each in found.advice)
    assert_kept(before, url)
    assert links_of(url) == LINKS
    run_rows(
        url,
        "INSERT INTO ctct_contact (contact_id, email_address, mirrored_at)"
        " VALUES ('v9', 'new@example.com', now())",
    )
    run_rows(url, "UPDATE person SET mail = 'new@example.com' WHERE nr::text LIKE '%3'")
    report = look(url)
    assert (report.appeared, report.left, report.linked, report.written) == (0, 0, 1, 1)
    assert run_rows(url, "SELECT cc FROM person WHERE nr::text LIKE '%3'") == [{"cc": "v9"}]
    assert ours_that_depend_on_theirs(url, "crm_contact") == []
    run_rows(url, "DROP VIEW crm_contact; ALTER TABLE person RENAME TO people; DROP TABLE people")
    assert links_of(url) == [*LINKS, ("c3", "v9")]


def test_who_edited_the_statements_moves_to_three_files(old: Make, tmp_path: Any) -> None:
    url = old(
        before="CREATE TABLE person (contact_id text PRIMARY KEY, preferred_email text,"
        " do_not_email boolean, constant_contact_id text)",
        contacts="person",
    )
    before = rows_of(url)
    (tmp_path / "contacts.sql").write_text(
        "SELECT *, NULL AS first_name, NULL AS last_name FROM person"
    )
    (tmp_path / "write_back.sql").write_text(
        "UPDATE person SET constant_contact_id = changed.constant_contact_id"
        " FROM changed_link AS changed WHERE person.contact_id = changed.contact_id"
    )
    seam = load_seam(tmp_path, DEFAULT)
    with psycopg.connect(url) as connection:
        assert install(connection, seam)
    assert_kept(before, url)
    assert links_of(url) == LINKS
    report = look(url, seam)
    assert (report.left, report.linked, report.unlinked, report.written) == (0, 0, 0, 0)
    assert_kept(before, url)
    assert links_of(url) == LINKS
    assert ours_that_depend_on_theirs(url, "person") == []
    run_rows(url, "DROP TABLE crm_contact; ALTER TABLE person RENAME TO people")


def test_a_further_accounts_links_move_and_its_view_goes(old: Make) -> None:
    url = old()
    with psycopg.connect(url) as connection:
        apply_account_0_2_0(connection, EU_SCHEMA)
    eu_url = make_conninfo(url, options=f"-csearch_path={EU_SCHEMA}")
    run_rows(
        eu_url,
        "INSERT INTO crm_contact_link VALUES ('c1', 'e1'), ('c4', 'e4');"
        "INSERT INTO ctct_projected_link VALUES ('c1', 'e1');"
        "INSERT INTO ctct_contact (contact_id, email_address, permission_to_send, mirrored_at)"
        " VALUES ('e1', 'ann@example.com', 'implicit', now()), ('e4', 'x@example.com', '', now());"
        "INSERT INTO crm_interaction (interaction_id, contact_id, constant_contact_id,"
        " activity_type, description, occurred_at) VALUES ('i1', 'c1', 'e1', 'open', 'o', now());"
        "INSERT INTO crm_list_membership (contact_id, list_id, action, status)"
        " VALUES ('c4', 'l', 'add', 'pending');"
        "INSERT INTO ctct_hold (noun, detail) VALUES ('opt_outs', 'x')",
    )
    before, before_eu = rows_of(url), rows_of(eu_url)
    with psycopg.connect(url) as connection:
        install(connection)
    with psycopg.connect(eu_url) as connection:
        migrate_account(connection, "connection crm_eu")
    assert_kept(before, url)
    assert_kept(before_eu, eu_url)
    assert links_of(url) == LINKS
    assert links_of(eu_url) == [("c1", "e1"), ("c4", "e4")]
    assert run_rows(eu_url, "SELECT to_regclass('crm_contact_link') AS old") == [{"old": None}]
    assert ours_that_depend_on_theirs(url, "public.crm_contact") == []
    run_rows(url, "UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c4'")
    assert run_rows(
        eu_url,
        "SELECT constant_contact_id, status FROM crm_opt_out_change WHERE contact_id = 'c4'",
    ) == [{"constant_contact_id": "e4", "status": "pending"}]
    run_rows(url, "DROP TABLE public.crm_contact")


def test_a_table_that_another_role_owns_loses_our_trigger_and_nothing_else(
    old: Make,
) -> None:
    url = old()
    role = sql.Identifier(f"ctct_test_{url.rpartition('_')[2].partition('?')[0]}")
    theirs = sql.Identifier(f"ctct_theirs_{url.rpartition('_')[2].partition('?')[0]}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}; CREATE ROLE {}").format(role, theirs))
        # All that is ours is the role's, as it made it; the CRM's table is another's.
        for ((statement,),) in [
            [row]
            for row in connection.execute(
                "SELECT format('ALTER %s %s OWNER TO ', CASE relkind WHEN 'v' THEN 'VIEW'"
                " ELSE 'TABLE' END, oid::regclass) FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
                " UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO ', oid::regprocedure)"
                " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            ).fetchall()
        ]:
            owner = theirs if statement.endswith(" crm_contact OWNER TO ") else role
            connection.execute(statement.encode() + owner.as_bytes(connection))
        connection.execute(
            sql.SQL(
                "GRANT CREATE, USAGE ON SCHEMA public TO {0};"
                "GRANT SELECT, UPDATE, TRIGGER ON crm_contact TO {0}"
            ).format(role)
        )
    before = rows_of(url)
    as_role = make_conninfo(url, options=f"-crole={role.as_string()[1:-1]}")
    with psycopg.connect(as_role) as connection:
        migrate(connection)
        (problem,) = prepare_seam(connection, load_seam()).problems
    assert "only its owner may change public.crm_contact" in problem
    assert_kept(before, url)
    assert links_of(url) == LINKS
    assert look(as_role).left == 0
    assert ours_that_depend_on_theirs(url, "crm_contact") == []
    run_rows(url, "UPDATE crm_contact SET do_not_email = NOT do_not_email WHERE contact_id = 'c2'")
    run_rows(url, "DROP TABLE crm_contact")
    with psycopg.connect(url, autocommit=True) as connection:
        for each in (role, theirs):
            connection.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(each))
