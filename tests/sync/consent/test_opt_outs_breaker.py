"""The circuit breaker: a mass opt-out waits for a person."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from constant_contact.errors import (
    ServerFault,
)
from constant_contact.store.database import Database
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id
from tests.sync.consent.outbox import Push, approve, changes, crowd, puts, wait_for_a_waiter

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


def test_the_circuit_breaker_holds_a_mass_opt_out_until_a_person_releases_it(
    simulator: Running, push: Push, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    report = push(breaker_contacts=10)
    assert (report.held, report.unsubscribed) == (12, 0)
    assert puts(simulator) == 0
    (held,) = sql_rows("SELECT DISTINCT detail FROM crm_opt_out_change")
    assert "12 contacts would be unsubscribed" in held["detail"]
    assert push(breaker_contacts=10).unsubscribed == 0
    assert approve(crm) == 12
    released = push(breaker_contacts=10)
    assert (released.held, released.unsubscribed) == (0, 12)


def test_the_breaker_weighs_a_share_of_the_linked_contacts_too(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id IN ('c1', 'c2', 'c3')")
    assert push(breaker_contacts=1, breaker_share=0.25).unsubscribed == 3


def test_opt_ins_that_wait_for_the_contact_are_not_released_with_the_breakers(
    push: Push, crm: Database, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    push()
    assert approve(crm) == 0
    push()
    assert changes(sql_rows)[1][1] == "held"


def test_the_breaker_weighs_what_arrives_while_it_carries(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows, crm_url: str
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c0'")
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [contact_id(0)])
            pushed = pool.submit(push, breaker_contacts=5)
            wait_for_a_waiter(sql_rows)
            sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
        report = pushed.result()
    assert (report.unsubscribed, report.held) == (1, 11)


def test_what_a_person_released_is_not_held_again(
    simulator: Running, push: Push, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 12)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push(breaker_contacts=5)
    approve(crm)
    simulator.control.add_fault("html_503", match={"path": "/contacts/"}, times=999)
    with pytest.raises(ServerFault):
        push(breaker_contacts=5)
    simulator.control.clear_faults()
    report = push(breaker_contacts=5)
    assert report.held == 0
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}
