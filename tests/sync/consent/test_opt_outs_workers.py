"""Opt-outs by several workers, and what changes while they work."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, changes, crowd, puts, wait_for_a_waiter

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


def test_a_change_that_another_worker_is_at_is_left_to_it(
    crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with psycopg.connect(crm_url) as other:
        other.execute("SELECT 1 FROM crm_opt_out_change FOR UPDATE")
        assert push().unsubscribed == 0
    assert push().unsubscribed == 1


def test_a_contact_that_another_worker_edits_is_waited_for(
    crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push)
            wait_for_a_waiter(sql_rows)
            assert not pushed.done()
        assert pushed.result().unsubscribed == 1


def test_a_change_that_a_newer_one_overtook_is_not_carried(
    simulator: Running, crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            set_do_not_email("c1", False)
        report = pushed.result()
    assert (report.superseded, report.unchanged) == (1, 1)
    assert puts(simulator) == 0
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def test_many_changes_by_several_workers_are_each_carried_once(
    simulator: Running, push: Push, add_crm_contact: Add, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 60)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push(workers=6).unsubscribed == 60
    assert puts(simulator) == 60
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}


def test_a_change_follows_its_link_where_that_moves_meanwhile(
    simulator: Running, crm_url: str, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(2, "ann.lee@example.com")])
    set_do_not_email("c1", True)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            simulator.control.purge_contact(ann)
            sql_rows("UPDATE ctct_link SET constant_contact_id = %s", contact_id(2))
        assert pushed.result().unsubscribed == 1
    assert simulator.control.truth_contact(contact_id(2))["permission"] == "unsubscribed"


def test_a_wish_with_an_older_number_that_is_committed_after_the_look_is_heard(
    simulator: Running,
    crm_url: str,
    push: Push,
    ann: str,
    add_crm_contact: Add,
    set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:
    simulator.control.load(contacts=[vendor_contact(2, "bob@example.com")])
    add_crm_contact("c2", "bob@example.com", constant_contact_id=contact_id(2))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(crm_url) as late:
        late.execute("SET LOCAL constant_contact.requested_by_contact = 'on'")
        late.execute("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c2'")
        set_do_not_email("c1", True)
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ann])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            late.commit()
        assert pushed.result().unsubscribed == 2
    assert simulator.control.truth_contact(contact_id(2))["opt_out_source"] == "Contact"
