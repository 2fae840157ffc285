"""The trigger that turns a change of the flag into a row of the outbox."""

from collections.abc import Callable
from typing import Any

import psycopg

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
