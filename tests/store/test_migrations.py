"""The schema: applied once, in order, together or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from constant_contact.errors import SchemaError
from constant_contact.store import migrations
from constant_contact.store.migrations import migrate
from constant_contact.store.sql import SQL_DIR


def test_a_new_database_gets_every_version_and_a_second_call_none(empty_url: str) -> None:
    versions = sorted(path.stem for path in (SQL_DIR / "schema").glob("*.sql"))
    with psycopg.connect(empty_url) as connection:
        assert migrate(connection) == versions
        assert migrate(connection) == []


def test_several_who_migrate_at_once_apply_each_version_once(empty_url: str) -> None:
    def one(_: int) -> list[str]:
        with psycopg.connect(empty_url) as connection:
            return migrate(connection)

    with ThreadPoolExecutor(4) as pool:
        applied = [version for versions in pool.map(one, range(4)) for version in versions]
    assert len(applied) == len(set(applied)) > 0


def test_a_version_that_fails_leaves_the_schema_as_it_was(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baseline = tmp_path / "schema" / "baseline_0001"
    baseline.mkdir(parents=True)
    for file in (baseline / "good.sql", baseline.parent / "0001_good.sql"):
        file.write_text("CREATE TABLE good (id int)")
    (tmp_path / "schema" / "0002_bad.sql").write_text("CREATE TABLE bad (id nonsense)")
    monkeypatch.setattr(migrations, "SQL_DIR", tmp_path)
    with psycopg.connect(empty_url) as connection:
        with pytest.raises(psycopg.Error):
            migrate(connection)
        found = connection.execute("SELECT to_regclass('good')").fetchone()
    assert found == (None,)


def test_a_database_from_a_newer_package_is_refused(crm_url: str) -> None:
    with psycopg.connect(crm_url) as connection:
        connection.execute("INSERT INTO ctct_schema_version (version) VALUES ('9999_future')")
        with pytest.raises(SchemaError, match="9999_future"):
            migrate(connection)


def test_a_crm_that_is_a_view_is_left_as_it_is(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute(
            "CREATE TABLE people (id text, mail text, no_mail boolean, ctct text);"
            "CREATE VIEW crm_contact AS SELECT id AS contact_id, NULL::text AS first_name,"
            " NULL::text AS last_name, mail AS preferred_email, no_mail AS do_not_email,"
            " ctct AS constant_contact_id FROM people"
        )
        assert migrate(connection)
        kind = connection.execute(
            "SELECT relkind FROM pg_class WHERE oid = 'crm_contact'::regclass"
        ).fetchone()
    assert kind == ("v",)
