"""Contacts for an empty local CRM."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg

from local.crm_rows import fill_if_empty
from simulator.control import Control
from simulator.server import Running
from tests.support import Rows


def test_an_empty_crm_is_filled_once_with_contacts_that_the_account_has(
    crm_url: str, simulator: Running, sql_rows: Rows
) -> None:
    simulator.control.generate(seed=1, contacts=200, lists=1, campaigns=0, events=0)
    with psycopg.connect(crm_url) as connection, closing(Control(simulator.url)) as control:
        assert fill_if_empty(connection, control) > 200
        assert fill_if_empty(connection, control) == 0
    known = {c["email"].lower() for c in simulator.control.truth_contacts() if c["email"]}
    emails = [row["preferred_email"] for row in sql_rows("SELECT preferred_email FROM crm_contact")]
    shared = [email for email in emails if email.lower() in known]
    assert len(shared) > 150
    assert len(set(shared)) < len(shared)
    assert any(email not in known for email in shared)
    assert len(emails) > len(shared)


def test_several_who_find_it_empty_at_once_fill_it_once(
    crm_url: str, simulator: Running, sql_rows: Rows
) -> None:
    simulator.control.generate(seed=1, contacts=50, lists=1, campaigns=0, events=0)

    def fill(_: int) -> int:
        with psycopg.connect(crm_url) as connection, closing(Control(simulator.url)) as control:
            return fill_if_empty(connection, control)

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(fill, range(4)))
    (row,) = sql_rows("SELECT count(*) AS n FROM crm_contact")
    assert sorted(added) == [0, 0, 0, row["n"]]
