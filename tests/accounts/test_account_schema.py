"""An account's own tables: made beside the default one's, never mixed with them."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from constant_contact.errors import SettingError
from constant_contact.store.accounts import claim, migrate_account
from constant_contact.store.migrations import migrate
from constant_contact.store.sql import SQL_DIR
from tests.databases import Databases
from tests.support import CONN_ID, EU_CONN_ID, EU_SCHEMA, Add, Flag, Rows, prepare_account, set_flag

Migrate = Callable[[], list[str]]
ALL = sorted(path.stem for path in (SQL_DIR / "schema").glob("*.sql"))


@pytest.fixture
def own_database(databases: Databases) -> Iterator[str]:
    name = databases.create_empty()
    yield databases.url(name)
    databases.drop(name)


def test_an_account_gets_its_schema_once_and_whole(migrate_eu: Migrate, eu_rows: Rows) -> None:
    assert migrate_eu() == ALL
    assert migrate_eu() == []
    seen = eu_rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname LIKE 'ctct%' AND to_regclass('constant_contact_eu.' || relname) IS NULL"
    )
    assert seen == []


def test_no_statement_but_those_that_make_an_account_names_a_schema() -> None:
    named = [
        path.relative_to(SQL_DIR).as_posix()
        for path in SQL_DIR.rglob("*.sql")
        if "public." in path.read_text()
    ]
    assert sorted(named) == [
        "accounts.sql",
        # what an earlier version has made there
        "schema/0021_links.sql",
    ]


def test_the_default_account_is_left_as_it_is(
    migrate_eu: Migrate, sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c1", "ann@example.com", constant_contact_id="x")
    before = sql_rows("SELECT * FROM crm_contact")
    migrate_eu()
    assert sql_rows("SELECT * FROM crm_contact") == before
    set_do_not_email("c1", True)
    assert len(sql_rows("SELECT * FROM crm_opt_out_change")) == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"{EU_SCHEMA},public", "does not name one schema"),
        ("public", "those of connection constant_contact_default, not of constant_contact_eu"),
        (None, "those of connection constant_contact_default, not of constant_contact_eu"),
    ],
)
def test_tables_that_two_accounts_would_share_are_refused(
    crm_url: str, path: str | None, says: str
) -> None:
    url = make_conninfo(crm_url, options=f"-csearch_path={path}") if path else crm_url
    with psycopg.connect(crm_url) as connection:
        claim(connection, CONN_ID, "connection crm_default")
    with pytest.raises(SettingError) as refused:
        prepare_account(url)
    assert str(refused.value).startswith("connection crm_eu: ")
    assert says in str(refused.value)


def test_an_account_that_looks_into_two_schemas_is_refused_later_too(
    migrate_eu: Migrate, crm_url: str
) -> None:
    migrate_eu()
    both = make_conninfo(crm_url, options=f"-csearch_path={EU_SCHEMA},public")
    with (
        psycopg.connect(both) as connection,
        pytest.raises(SettingError, match="the tables of several accounts are in sight"),
    ):
        claim(connection, EU_CONN_ID, "connection crm_eu")


def test_tables_in_use_before_there_were_accounts_belong_to_who_used_them(
    own_database: str,
) -> None:
    with psycopg.connect(own_database) as connection:
        for version in ALL:
            if version.startswith("0008"):
                connection.execute(
                    "INSERT INTO ctct_token (conn_id, refreshed_at)"
                    " VALUES ('tried_once', NULL), ('my_own_id', now())"
                )
            connection.execute((SQL_DIR / "schema" / f"{version}.sql").read_text())
            if version.startswith("0008"):
                break
        claim(connection, "my_own_id", "connection crm_default")
        with pytest.raises(SettingError, match="those of connection my_own_id"):
            claim(connection, EU_CONN_ID, "connection crm_eu")


def test_an_account_may_have_a_database_of_its_own(own_database: str) -> None:
    assert prepare_account(own_database) == ALL
    with psycopg.connect(own_database) as connection:
        kind = connection.execute(
            "SELECT relkind FROM pg_class WHERE oid = 'public.crm_contact'::regclass"
        ).fetchone()
    assert kind == ("r",)


def test_an_account_without_contacts_to_share_is_refused_and_leaves_nothing(
    own_database: str,
) -> None:
    """The default account is in a schema of its own too: its contacts would not be found."""
    with psycopg.connect(make_conninfo(own_database, options="-csearch_path=crm")) as connection:
        connection.execute("CREATE SCHEMA crm")
        migrate(connection)
    eu = make_conninfo(own_database, options=f"-csearch_path={EU_SCHEMA}")
    with pytest.raises(SettingError, match=r"crm_eu: .* make a crm_contact in this schema first"):
        prepare_account(eu)
    with psycopg.connect(own_database) as connection:
        left = connection.execute("SELECT to_regnamespace(%s)", [EU_SCHEMA]).fetchone()
        assert left == (None,)
        connection.execute(f"CREATE SCHEMA {EU_SCHEMA}".encode())
        connection.execute(
            f"CREATE VIEW {EU_SCHEMA}.crm_contact AS SELECT * FROM crm.crm_contact".encode()
        )
    assert prepare_account(eu) == ALL


def test_contacts_of_the_accounts_own_are_not_shared(
    migrate_eu: Migrate, sql_rows: Rows, eu_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    sql_rows(f"CREATE SCHEMA {EU_SCHEMA}")
    sql_rows(f"CREATE TABLE {EU_SCHEMA}.crm_contact (LIKE public.crm_contact INCLUDING ALL)")
    assert migrate_eu() == ALL
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)
    assert eu_rows("SELECT * FROM crm_contact") == []
    assert eu_rows("SELECT * FROM crm_opt_out_change") == []


def test_a_user_of_the_crm_needs_no_right_in_the_accounts_schema(
    migrate_eu: Migrate, crm_url: str, sql_rows: Rows, eu_rows: Rows, add_crm_contact: Add
) -> None:
    migrate_eu()
    add_crm_contact("c1", "ann@example.com")
    sql_rows("CREATE ROLE crm_clerk")
    try:
        sql_rows("GRANT ALL ON public.crm_contact TO crm_clerk")
        with psycopg.connect(crm_url) as connection:
            connection.execute("SET ROLE crm_clerk")
            # Whatever the clerk has made for itself, its rows are not found there.
            connection.execute("CREATE TEMPORARY TABLE ctct_link (contact_id text)")
            set_flag(connection, "c1", True, "by telephone")
            connection.execute("DELETE FROM crm_contact")
        (row,) = eu_rows("SELECT reason, changed_by, status FROM crm_opt_out_change")
        assert (row["reason"], row["status"]) == ("by telephone", "pending")
        assert row["changed_by"]
    finally:
        sql_rows("DROP OWNED BY crm_clerk")
        sql_rows("DROP ROLE crm_clerk")


def test_a_flag_set_by_a_session_of_the_account_reaches_both(
    migrate_eu: Migrate, sql_rows: Rows, eu_rows: Rows, add_crm_contact: Add
) -> None:
    migrate_eu()
    add_crm_contact("c1", "ann@example.com")
    eu_rows("UPDATE public.crm_contact SET do_not_email = TRUE")
    waiting = "SELECT contact_id, status FROM crm_opt_out_change"
    assert sql_rows(waiting) == eu_rows(waiting) == [{"contact_id": "c1", "status": "pending"}]


def test_a_flag_that_is_rolled_back_reaches_nobody(
    migrate_eu: Migrate, crm_url: str, eu_rows: Rows, add_crm_contact: Add
) -> None:
    migrate_eu()
    add_crm_contact("c1", "ann@example.com")
    with psycopg.connect(crm_url) as connection:
        set_flag(connection, "c1", True)
        connection.rollback()
    assert eu_rows("SELECT * FROM crm_opt_out_change") == []


def test_what_was_asked_before_the_account_came_counts_there_too(
    migrate_eu: Migrate, sql_rows: Rows, eu_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_opt_out_change"
        " (contact_id, do_not_email, requested_by_contact, status, changed_at) VALUES"
        " ('asked', TRUE, TRUE, 'failed', '2026-01-01Z'), ('asked', FALSE, FALSE, 'held', now()),"
        " ('waits', TRUE, FALSE, 'held', now()), ('over', TRUE, FALSE, 'done', now())"
    )
    migrate_eu()
    migrate_eu()
    kept = eu_rows("SELECT contact_id, do_not_email, status FROM crm_opt_out_change ORDER BY 1, 2")
    assert [tuple(row.values()) for row in kept] == [
        ("asked", False, "held"),
        ("asked", True, "done"),
        ("waits", True, "pending"),
    ]


def test_who_was_erased_in_the_default_account_is_suppressed_here_too(
    migrate_eu: Migrate, sql_rows: Rows, eu_rows: Rows
) -> None:
    erased = (
        "INSERT INTO ctct_objection (source, email_digest, objected_at)"
        " VALUES ('erasure', %s, now())"
    )
    sql_rows(erased, "before")
    migrate_eu()
    sql_rows(erased, "after")
    migrate_eu()
    kept = "SELECT source, email_digest, objected_at FROM ctct_objection ORDER BY objected_at"
    assert [row["email_digest"] for row in eu_rows(kept)] == ["before", "after"]
    assert eu_rows(kept) == sql_rows(kept)


def test_an_account_that_is_dropped_leaves_the_crm_as_it_was(
    migrate_eu: Migrate, sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    migrate_eu()
    add_crm_contact("c1", "ann@example.com")
    sql_rows(f"DROP SCHEMA {EU_SCHEMA} CASCADE")
    set_do_not_email("c1", True)
    assert len(sql_rows("SELECT * FROM crm_opt_out_change")) == 1
    sql_rows("DELETE FROM crm_contact")
    left = "SELECT count(*) AS n FROM pg_trigger WHERE tgname LIKE 'account%'"
    assert sql_rows(left) == [{"n": 0}]


def test_an_account_may_have_a_role_of_its_own_with_few_rights(
    crm_url: str, eu_url: str, sql_rows: Rows, eu_rows: Rows, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    database = conninfo_to_dict(crm_url)["dbname"]
    sql_rows("CREATE ROLE crm_eu_jobs")
    try:
        sql_rows(f'GRANT CREATE ON DATABASE "{database}" TO crm_eu_jobs')
        for table in ("crm_contact", "crm_opt_out_change", "ctct_objection"):
            sql_rows(f"GRANT SELECT, TRIGGER ON public.{table} TO crm_eu_jobs")
        with psycopg.connect(eu_url) as connection:
            connection.execute("SET ROLE crm_eu_jobs")
            assert migrate_account(connection, "connection crm_eu") == ALL
            connection.execute("INSERT INTO ctct_link (contact_id) VALUES ('c1')")
            connection.execute("UPDATE ctct_link SET constant_contact_id = 'x'")
            connection.commit()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE public.crm_contact SET do_not_email = TRUE")
        set_do_not_email("c1", True)
        assert eu_rows("SELECT constant_contact_id AS id FROM crm_opt_out_change") == [{"id": "x"}]
    finally:
        sql_rows("DROP OWNED BY crm_eu_jobs CASCADE")
        sql_rows("DROP ROLE crm_eu_jobs")
