"""The sources for dbt are our tables, and their tests hold on any data that the schema allows."""

from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.support import Rows

TABLES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/dbt/sources.yml").read_text())[
    "sources"
][0]["tables"]
COLUMNS = [(table["name"], column) for table in TABLES for column in table["columns"]]


def columns_with(name: str) -> set[tuple[str, str]]:
    """The columns with a test that has no arguments."""
    return {
        (table, column["name"]) for table, column in COLUMNS if name in column.get("data_tests", [])
    }


def pairs(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["table_name"], row["column_name"]) for row in rows}


def test_every_table_and_view_of_ours_is_a_source_with_its_columns(sql_rows: Rows) -> None:
    there = pairs(
        sql_rows(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name ~ '^(crm|ctct)_'"
        )
    )
    assert {(table, column["name"]) for table, column in COLUMNS} == there


def test_a_test_for_null_stands_where_the_schema_allows_none(sql_rows: Rows) -> None:
    assert columns_with("not_null") == pairs(
        sql_rows(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name ~ '^(crm|ctct)_' AND is_nullable = 'NO'"
        )
    )


def test_a_test_for_duplicates_stands_where_one_column_is_the_key(sql_rows: Rows) -> None:
    assert columns_with("unique") == pairs(
        sql_rows(
            "SELECT conrelid::regclass::text AS table_name, attname AS column_name"
            " FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
            " WHERE contype = 'p' AND cardinality(conkey) = 1"
            " AND conrelid::regclass::text ~ '^(crm|ctct)_'"
        )
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table, column)
        for table, column in COLUMNS
        if any(isinstance(each, dict) for each in column.get("data_tests", []))
    ],
    ids=lambda each: each if isinstance(each, str) else each["name"],
)
def test_a_reference_is_tested_where_a_foreign_key_keeps_it(
    table: str, column: dict[str, Any], sql_rows: Rows
) -> None:
    """Others do not hold: events outlive contacts."""
    [test] = [each["relationships"] for each in column["data_tests"] if isinstance(each, dict)]
    [key] = sql_rows(
        "SELECT confrelid::regclass::text AS target FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        " WHERE contype = 'f' AND conrelid = %s::regclass AND attname = %s",
        table,
        column["name"],
    )
    assert test["to"] == f"source('constant_contact', '{key['target']}')"
