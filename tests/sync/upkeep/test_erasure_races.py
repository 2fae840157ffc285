"""An erasure, while others carry what the CRM said of the same person."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ChangesRefused
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.upkeep.erasure import ErasureReport, erase, person
from simulator.server import Running
from tests.support import Rows
from tests.sync.consent.outbox import Push, changes, wait_for_a_waiter

Erase = Callable[..., ErasureReport]
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


@pytest.fixture
def silenced(
    client: Client, crm: Database, ann: str, set_do_not_email: Callable[..., None], push: Push
) -> str:
    """Ann, unsubscribed by the account: it may take that back."""
    sync_contacts(client, crm)
    set_do_not_email("c1", True)
    assert push().unsubscribed == 1
    return ann


def test_an_opt_in_that_is_being_carried_is_waited_for_and_counts(
    simulator: Running,
    crm_url: str,
    silenced: str,
    set_do_not_email: Callable[..., None],
    push: Push,
    forget: Erase,
    sql_rows: Rows,
) -> None:
    set_do_not_email("c1", False)
    with ThreadPoolExecutor(2) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute(LOCK, [silenced])
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows)
            forgotten = pool.submit(forget, "c1")
            wait_for_a_waiter(sql_rows, waiters=2)
        assert pushed.result().resubscribed == 1
        with pytest.raises(ChangesRefused, match="may still mail"):
            forgotten.result()
    assert simulator.control.truth_contact(silenced)["permission"] == "implicit"
    assert sql_rows("SELECT * FROM ctct_erased") == []
    assert changes(sql_rows)[-1] == ("c1", "done", False)


def test_the_vendor_is_asked_when_nobody_edits_the_contact_any_more(
    crm_url: str,
    silenced: str,
    set_do_not_email: Callable[..., None],
    push: Push,
    forget: Erase,
    sql_rows: Rows,
) -> None:
    with ThreadPoolExecutor(2) as pool:
        with psycopg.connect(crm_url) as worker, psycopg.connect(crm_url) as other:
            worker.execute("SELECT 1 FROM crm_opt_out_change FOR UPDATE")
            other.execute(LOCK, [silenced])
            forgotten = pool.submit(forget, "c1")
            wait_for_a_waiter(sql_rows)
            # Too late to be superseded.
            set_do_not_email("c1", False)
            pushed = pool.submit(push, workers=1)
            wait_for_a_waiter(sql_rows, waiters=2)
            worker.rollback()
            wait_for_a_waiter(sql_rows, waiters=2)
        assert pushed.result().resubscribed == 1
        with pytest.raises(ChangesRefused, match="may still mail"):
            forgotten.result()


def test_an_erasure_and_whoever_carries_a_change_do_not_wait_for_each_other(
    crm_url: str, silenced: str, forget: Erase, sql_rows: Rows
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as worker:
            worker.execute("SELECT 1 FROM crm_opt_out_change FOR UPDATE")
            forgotten = pool.submit(forget, "c1")
            wait_for_a_waiter(sql_rows)
            assert worker.execute(TRY_LOCK, [silenced]).fetchone() == (True,)
        assert forgotten.result().contacts == 1


@pytest.mark.usefixtures("nobody_was_wronged")
def test_an_opt_in_that_came_during_the_erasure_is_not_carried(
    simulator: Running, silenced: str, push: Push, forget: Erase, sql_rows: Rows
) -> None:
    forget("c1")
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, constant_contact_id, do_not_email)"
        " VALUES ('c1', %s, FALSE)",
        silenced,
    )
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    sql_rows("DELETE FROM crm_opt_out_change WHERE constant_contact_id IS NULL")
    assert push().superseded == 1
    assert simulator.control.truth_contact(silenced)["permission"] == "unsubscribed"


def test_the_log_of_calls_is_gone_through_when_nobody_is_held_up_any_more(
    crm_url: str, silenced: str, forget: Erase, sql_rows: Rows
) -> None:
    log_call(sql_rows, silenced)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT 1 FROM ctct_api_call FOR UPDATE")
            forgotten = pool.submit(forget, "c1")
            wait_for_a_waiter(sql_rows)
            assert len(sql_rows("SELECT * FROM ctct_erased")) == 1
        assert forgotten.result().calls >= 1


def test_a_log_that_was_not_gone_through_to_the_end_is_by_the_next_try(
    client: Client, crm: Database, silenced: str, forget: Erase, sql_rows: Rows
) -> None:
    log_call(sql_rows, silenced)
    found = person(crm, contact_id="c1", constant_contact_id=None)
    erase(client, crm, found, by="ann-the-officer")
    # Nothing tells any more which of the vendor's contacts it was.
    sql_rows("DELETE FROM crm_opt_out_change")
    assert forget("c1").calls >= 1
    assert [
        row for row in sql_rows("SELECT path FROM ctct_api_call") if silenced in row["path"]
    ] == []
    assert forget("c1").calls == 0


def log_call(sql_rows: Rows, vendors: str) -> None:
    sql_rows(
        "INSERT INTO ctct_api_call (called_at, method, path, duration_ms)"
        " VALUES (now(), 'GET', %s, 1)",
        f"/contacts/{vendors}",
    )
