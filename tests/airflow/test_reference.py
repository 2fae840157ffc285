"""docs/reference is what the code says."""

import pytest

from constant_contact.store.sql import SQL_DIR


def test_the_reference_says_what_the_code_says(
    airflow: pytest.MonkeyPatch, postgres_url: str
) -> None:
    from local.reference.files import documents, stale

    assert stale(documents(postgres_url)) == [], "run `make reference`"


def test_a_reference_names_a_column_that_is_there(postgres_url: str) -> None:
    from local.reference.tables import load

    relations = load(postgres_url)
    columns = {f"{each.name}.{column.name}" for each in relations for column in each.columns}
    referred = {column.refers_to for each in relations for column in each.columns} - {None}
    assert referred <= columns
    assert "ctct_contact.contact_id" in referred


def test_every_table_that_has_a_comment_in_the_migration_has_it_in_the_database(
    postgres_url: str,
) -> None:
    from local.reference.tables import load

    comments = (SQL_DIR / "schema" / "0012_comments.sql").read_text()
    uncommented = [each.name for each in load(postgres_url) if not each.comment]
    assert [name for name in uncommented if name in comments] == []
