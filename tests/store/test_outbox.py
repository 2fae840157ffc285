"""The trigger that turns a change of the flag into a row of the outbox."""

from collections.abc import Callable
from typing import Any

import psycopg

from constant_contact.store.sql import statement

Rows = Callable[..., list[dict[str, Any]]]


def test_each_change_of_the_flag_is_one_row(
    sql_rows: Rows,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> None:
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True, reason="left the firm", by_contact=True)
    set_do_not_email("c1", True)
    set_do_not_email("c1", False)
    rows = sql_rows("SELECT * FROM crm_opt_out_change ORDER BY change_id")
    kept = [(r["do_not_email"], r["reason"], r["requested_by_contact"]) for r in rows]
    assert kept == [(True, "left the firm", True), (False, None, False)]
    assert {row["status"] for row in rows} == {"pending"}


def test_other_edits_are_none(sql_rows: Rows, add_crm_contact: Callable[..., None]) -> None:
    add_crm_contact("c1", "ann@example.com", do_not_email=None)
    sql_rows("UPDATE crm_contact SET first_name = 'Ann', do_not_email = FALSE")
    assert sql_rows("SELECT * FROM crm_opt_out_change") == []


def test_a_change_that_is_rolled_back_is_none(
    crm_url: str, sql_rows: Rows, add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("c1", "ann@example.com")
    with psycopg.connect(crm_url) as connection:
        connection.execute("UPDATE crm_contact SET do_not_email = TRUE")
        connection.rollback()
    assert sql_rows("SELECT * FROM crm_opt_out_change") == []


def test_a_listener_hears_of_the_commit(crm_url: str, add_crm_contact: Callable[..., None]) -> None:
    add_crm_contact("c1", "ann@example.com")
    with psycopg.connect(crm_url, autocommit=True) as listener:
        listener.execute("LISTEN constant_contact")
        with psycopg.connect(crm_url) as connection:
            connection.execute("UPDATE crm_contact SET do_not_email = TRUE")
        heard = [note.payload for note in listener.notifies(timeout=5, stop_after=1)]
    assert heard == ["crm_opt_out_change"]


def test_how_the_outboxes_stand_is_told_without_reading_what_was_done_long_ago(
    sql_rows: Rows,
) -> None:
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, processed_at)"
        " SELECT n::text, TRUE, 'done', now() - interval '1 year' FROM generate_series(1, 20000) n"
    )
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, status, processed_at)"
        " SELECT n::text, 'l', 'done', now() - interval '1 year' FROM generate_series(1, 20000) n"
    )
    sql_rows("ANALYZE crm_opt_out_change, crm_list_membership")
    plan = sql_rows(f"EXPLAIN {statement('crm/backlog')}")
    assert [row for row in plan if "Seq Scan" in row["QUERY PLAN"]] == []
