"""The trigger that turns a change of the flag into a row of the outbox."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from constant_contact.store.sql import statement
from tests.databases import Databases
from tests.support import Rows


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
        heard = [note.payload for note in listener.notifies(timeout=60, stop_after=1)]
    assert heard == ["crm_opt_out_change"]


@pytest.fixture(scope="module")
def much_is_done(databases: Databases) -> Iterator[str]:
    """A CRM whose outboxes hold 20,000 rows each, all of them done."""
    name = databases.create()
    with psycopg.connect(databases.url(name)) as connection:
        connection.execute(
            "INSERT INTO crm_contact (contact_id, preferred_email)"
            " SELECT n::text, n || '@example.com' FROM generate_series(1, 20000) n"
        )
        connection.execute(
            "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status, processed_at)"
            " SELECT n::text, TRUE, 'done', now() - interval '1 year'"
            " FROM generate_series(1, 20000) n"
        )
        connection.execute(
            "INSERT INTO crm_list_membership (contact_id, list_id, action, status, processed_at)"
            " SELECT n::text, 'l', CASE n % 3 WHEN 0 THEN 'remove' ELSE 'add' END, 'done',"
            " now() - interval '1 year' FROM generate_series(1, 20000) n"
        )
        connection.execute("ANALYZE crm_contact, crm_opt_out_change, crm_list_membership")
    yield databases.url(name)
    databases.take_back(name)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("opt_outs/backlog", {}),
        ("opt_outs/claim_opt_out", {"upto": 30_000, "skip": [], "with_backlog": True}),
        ("memberships/count_failed_memberships", {"since": "yesterday"}),
        ("opt_outs/count_mass_opt_out", {"by_contact": False}),
        ("memberships/count_mass_removal", {}),
        ("web/count_unmet", {"since": "yesterday"}),
        ("memberships/hold_memberships", {"detail": ""}),
        ("opt_outs/hold_opt_outs", {"detail": "", "by_contact": False, "do_not_email": True}),
        ("memberships/memberships_waiting", {}),
        ("opt_outs/newest_opt_out", {}),
        ("memberships/open_memberships", {}),
        ("opt_outs/open_opt_outs", {}),
        ("opt_outs/opt_outs_waiting", {}),
        ("opt_ins/count_mass_opt_in", {}),
        ("opt_ins/requeue_opt_ins", {}),
        ("opt_outs/supersede_opt_outs", {"change_ids": [30_000]}),
        ("opt_outs/waiting", {}),
        ("memberships/want_memberships", {}),
    ],
)
def test_what_a_wake_up_asks_does_not_read_what_was_done_long_ago(
    much_is_done: str, name: str, params: dict[str, Any]
) -> None:
    with psycopg.connect(much_is_done) as connection:
        connection.execute(statement("memberships/stage_wanted"))
        asked = psycopg.ClientCursor(connection).mogrify(statement(name), params)
        plan = [line for (line,) in connection.execute(f"EXPLAIN {asked}".encode())]
    assert [line for line in plan if "Seq Scan on crm_" in line] == []
