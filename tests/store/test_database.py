"""What is said when the CRM database fails."""

import re
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from constant_contact.calls import Call
from constant_contact.errors import DatabaseUnavailable, SchemaError, SettingError
from constant_contact.store import database
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from constant_contact.store.seam import FILES
from constant_contact.store.sql import SQL_DIR, statement, statements
from tests.support import Rows


def test_an_unreachable_server_is_named_by_its_setting_and_no_password_shows() -> None:
    away = Database(
        lambda: psycopg.connect("postgresql://u:hunter2@127.0.0.1:9/crm", connect_timeout=2),
        name="connection crm_default",
    )
    with (
        pytest.raises(DatabaseUnavailable, match="connection crm_default") as refused,
        away.transaction(),
    ):
        pass
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "damage", ["DROP TABLE ctct_link CASCADE", "ALTER TABLE ctct_link DROP email_address CASCADE"]
)
def test_a_missing_table_or_column_says_migrate(crm: Database, sql_rows: Rows, damage: str) -> None:
    sql_rows(damage)
    with pytest.raises(SchemaError, match="make migrate"), crm.transaction() as connection:
        database.row(connection, "links/count_links")


def test_a_server_that_went_away_in_mid_transaction_is_named_and_comes_back(
    crm: Database, sql_rows: Rows
) -> None:
    with pytest.raises(DatabaseUnavailable), crm.transaction() as connection:  # noqa: PT012
        pid = connection.info.backend_pid
        sql_rows("SELECT pg_terminate_backend(%s)", pid)
        connection.execute("SELECT 1")
    with crm.transaction() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_exception_rolls_back(crm: Database, sql_rows: Rows) -> None:
    with pytest.raises(RuntimeError), crm.transaction() as connection:  # noqa: PT012
        connection.execute("INSERT INTO crm_contact (contact_id) VALUES ('c')")
        raise RuntimeError
    assert sql_rows("SELECT * FROM crm_contact") == []


def test_a_missing_statement_says_that_include_was_not_deployed() -> None:
    with pytest.raises(SettingError, match=r"include/sql/nonsense\.sql: is missing"):
        statement("nonsense/day")
    with pytest.raises(SettingError, match=r"include/sql/api\.sql: has no statement nonsense"):
        statement("api/nonsense")


STATEMENTS = {
    f"{path.stem}/{verb}": text
    for path in sorted(SQL_DIR.glob("*.sql"))
    for verb, text in statements(path.stem).items()
}
SELECTIONS = {path.stem: path.read_text() for path in (SQL_DIR / "selections").glob("*.sql")}


@pytest.mark.parametrize("noun", [path.stem for path in SQL_DIR.glob("*.sql")])
def test_a_file_of_statements_has_nothing_beside_them_and_each_once(noun: str) -> None:
    text = (SQL_DIR / f"{noun}.sql").read_text()
    assert text == "\n\n".join(statements(noun).values()) + "\n"
    assert text.count("-- name: ") == len(statements(noun))


@pytest.mark.parametrize("name", [*STATEMENTS, *SELECTIONS])
def test_each_is_one_statement_with_a_header(name: str) -> None:
    lines = (STATEMENTS | SELECTIONS)[name].splitlines()
    header = [line for line in lines if line.startswith("--") and "-- name:" not in line]
    body = [line for line in lines if not line.startswith("--")]
    assert any("Grain: " in line for line in header)
    # A function has some of its own.
    is_function = any(line.startswith("CREATE OR REPLACE FUNCTION") for line in body)
    assert is_function or [line for line in body if line.endswith(";")] == [body[-1]]


def test_each_is_in_use() -> None:
    root = SQL_DIR.parents[1]
    sources = "".join(path.read_text() for path in (root / "plugins").rglob("*.py"))
    # What is held is found by its noun.
    by_noun = {"show_held", "release_held", "reject_held"}
    unused = [
        name
        for name in STATEMENTS
        if f'"{name}"' not in sources
        and not (name.partition("/")[2] in by_noun and f'/{name.partition("/")[2]}"' in sources)
    ]
    assert unused == []


def test_only_the_files_that_an_adopter_replaces_name_a_table_of_the_crms() -> None:
    """The number of files that an upgrade asks to merge: none."""
    assert {path.stem for path in (SQL_DIR / "crm").glob("*.sql")} <= set(FILES)
    ours = [path for path in SQL_DIR.rglob("*.sql") if path.parent.name not in {"schema", "crm"}]
    naming = [
        str(path)
        for path in ours
        if re.search(r"\b(FROM|JOIN|UPDATE|INTO|ON)\s+(public\.)?crm_contact\b", path.read_text())
    ]
    assert naming == []


def call(**fields: Any) -> Call:
    needed = {
        "called_at": datetime.now(UTC),
        "method": "GET",
        "path": "/v3/x",
        "status": None,
        "error_key": None,
        "error_message": None,
        "duration_ms": 1,
    }
    return Call(**(needed | fields))


def test_the_call_log_is_stored_when_it_is_closed(crm: Database, sql_rows: Rows) -> None:
    log = ApiCallLog(crm, Caller(dag_id="d", run_id="r"))
    for number in range(1200):
        log.add(call(items=number))
    log.close()
    kept = sql_rows("SELECT dag_id, run_id, items FROM ctct_api_call ORDER BY call_id")
    assert [row["items"] for row in kept] == list(range(1200))
    assert {(row["dag_id"], row["run_id"]) for row in kept} == {("d", "r")}


def test_a_call_log_that_cannot_be_written_stops_nobody(
    crm: Database, sql_rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    sql_rows("DROP TABLE ctct_api_call")
    log = ApiCallLog(crm, Caller())
    log.add(call())
    log.close()
    assert "not kept" in caplog.text
