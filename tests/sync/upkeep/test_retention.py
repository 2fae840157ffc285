"""The call log does not grow for ever."""

import pytest

from constant_contact.store.database import Database
from constant_contact.sync.upkeep.retention import forget_calls
from tests.support import Rows


def test_calls_older_than_the_days_are_forgotten_and_no_others(
    crm: Database, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO ctct_api_call (called_at, method, path, duration_ms)"
        " SELECT now() - n * interval '1 hour', 'GET', '/v3/x', 1 FROM generate_series(1, 30000) n"
    )
    assert forget_calls(crm, days=90).calls_forgotten == 30_000 - (90 * 24 - 1)
    (left,) = sql_rows(
        "SELECT count(*) AS n, min(called_at) > now() - interval '90 d' AS young FROM ctct_api_call"
    )
    assert left == {"n": 90 * 24 - 1, "young": True}
    assert forget_calls(crm, days=90).calls_forgotten == 0


def test_calls_that_changed_memberships_are_forgotten_with_the_addresses_they_carried(
    crm: Database, sql_rows: Rows
) -> None:
    for number, state, age in ((1, "done", 91), (2, "done", 89), (3, "queued", 91)):
        sql_rows(
            "INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts, state, planned_at)"
            " VALUES (%s, 'import', '{l}', 1, %s, now() - make_interval(days => %s))",
            number, state, age,
        )  # fmt: skip
        sql_rows(
            "INSERT INTO ctct_bulk_activity_row"
            " VALUES (%s, 'c1', 'l', 'add', now(), 'a@example.com')",
            number,
        )
    assert forget_calls(crm, days=90).bulk_activities_forgotten == 1
    left = sql_rows("SELECT bulk_id FROM ctct_bulk_activity_row ORDER BY bulk_id")
    assert [row["bulk_id"] for row in left] == [2, 3]


def test_choices_are_forgotten_with_their_contacts_after_a_day_if_they_came_to_nothing(
    crm: Database, sql_rows: Rows
) -> None:
    for days, submitted in ((2, False), (0, False), (89, True), (91, True)):
        sql_rows(
            "WITH choice AS (INSERT INTO ctct_choice"
            " (list_id, action, criteria, unknown, made_by, made_at, submitted_at)"
            " VALUES ('l', 'add', '{}', 0, 'ann', now() - make_interval(days => %s),"
            " CASE WHEN %s THEN now() END) RETURNING choice_id)"
            " INSERT INTO ctct_choice_contact SELECT choice_id, 'c1' FROM choice",
            days,
            submitted,
        )
    assert forget_calls(crm, days=90).choices_forgotten == 2
    for table in ("ctct_choice", "ctct_choice_contact"):
        left = sql_rows(f"SELECT choice_id FROM {table} ORDER BY choice_id")
        assert [row["choice_id"] for row in left] == [2, 3]


@pytest.mark.parametrize(("ages", "left"), [((200, 91, 1), [3]), ((200, 91), [2])])
def test_old_checks_are_forgotten_but_for_the_last_one(
    crm: Database, sql_rows: Rows, ages: tuple[int, ...], left: list[int]
) -> None:
    for days in ages:
        sql_rows(
            "WITH made AS (INSERT INTO ctct_check (checked_at, duration_ms, package_version)"
            " VALUES (now() - make_interval(days => %s), 1, '1') RETURNING check_id)"
            " INSERT INTO ctct_check_line (check_id, position, name, side, result, seen)"
            " SELECT check_id, 1, 'token', 'reads', 'ok', '' FROM made",
            days,
        )
    assert forget_calls(crm, days=90).checks_forgotten == len(ages) - 1
    for table in ("ctct_check", "ctct_check_line"):
        found = sql_rows(f"SELECT check_id FROM {table} ORDER BY check_id")
        assert [row["check_id"] for row in found] == left
