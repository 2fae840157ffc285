"""An answer that is lost, or a session that ends while the vendor answers: whose opt-out it was."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import DatabaseUnavailable
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Flag, Rows
from tests.sync.consent.outbox import changes, puts, wait_for_a_waiter

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def end_sessions(sql_rows: Rows) -> Callable[[], None]:
    """End what is idle in a transaction, as a server's or a person's time limit does."""

    def end() -> None:
        sql_rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
        )

    return end


def test_an_answer_is_kept_though_the_session_ended_meanwhile(
    simulator: Running, client: Client, crm: Database, ann: str, set_do_not_email: Flag,
    sql_rows: Rows, end_sessions: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    set_do_not_email("c1", True)
    put = client.put

    def put_and_end(path: str, body: Any) -> Any:
        answer = put(path, body)
        end_sessions()
        return answer

    monkeypatch.setattr(client, "put", put_and_end)
    assert push_opt_outs(client, crm, workers=1).unsubscribed == 1
    assert changes(sql_rows) == [("c1", "done", True)]
    (kept,) = sql_rows(
        "SELECT permission_before, permission_after FROM ctct_consent WHERE call_method = 'PUT'"
    )
    assert kept == {"permission_before": "implicit", "permission_after": "unsubscribed"}
    assert puts(simulator) == 1


def test_who_has_lost_its_session_waits_for_the_next_worker_and_keeps_nothing_from_it(
    client: Client, crm: Database, crm_url: str, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    end_sessions: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    set_do_not_email("c1", True)
    put = client.put
    with ThreadPoolExecutor(1) as pool, psycopg.connect(crm_url) as next_worker:

        def put_and_end(path: str, body: Any) -> Any:
            answer = put(path, body)
            end_sessions()
            next_worker.execute("SELECT FROM crm_opt_out_change FOR UPDATE")
            return answer

        monkeypatch.setattr(client, "put", put_and_end)
        pushed = pool.submit(push_opt_outs, client, crm, workers=1)
        wait_for_a_waiter(sql_rows)
        with psycopg.connect(crm_url, options="-c lock_timeout=5s") as its_second:
            # As it does before its PUT.
            its_second.execute("UPDATE ctct_contact SET mirrored_at = now()")
        assert not pushed.done()
        next_worker.commit()
        assert pushed.result().unsubscribed == 1
    assert changes(sql_rows) == [("c1", "done", True)]


def test_an_opt_in_that_came_through_after_the_next_worker_looked_is_taken_back(
    simulator: Running, client: Client, crm: Database, ann: str, set_do_not_email: Flag,
    sql_rows: Rows, end_sessions: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for flag in (True, False):
        set_do_not_email("c1", flag)
        if flag:
            push_opt_outs(client, crm)
    put = client.put

    def put_and_end(path: str, body: Any) -> Any:
        answer = put(path, body)
        end_sessions()
        # The next worker has seen her as she was before, and that she says no again.
        sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
        sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
        sql_rows("UPDATE crm_opt_out_change SET status = 'superseded' WHERE status = 'pending'")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(client, "put", put_and_end)
        push_opt_outs(client, crm, workers=1)
    push_opt_outs(client, crm)
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_nobody_is_opted_in_by_a_run_that_has_lost_its_locks(
    simulator: Running, client: Client, crm: Database, ann: str, set_do_not_email: Flag,
    end_sessions: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for flag in (True, False):
        set_do_not_email("c1", flag)
        if flag:
            push_opt_outs(client, crm)
    get = client.get

    def get_and_end(path: str, params: Any = None) -> Any:
        answer = get(path, params)
        end_sessions()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(client, "get", get_and_end)
        with pytest.raises(DatabaseUnavailable):
            push_opt_outs(client, crm, workers=1)
    assert puts(simulator) == 1
    assert push_opt_outs(client, crm).resubscribed == 1


@pytest.mark.parametrize("is_read_first", [False, True], ids=["carried first", "read first"])
@pytest.mark.parametrize("is_cleared_first", [False, True], ids=["known", "cleared at once"])
def test_an_opt_out_of_a_process_that_was_killed_is_ours_and_can_be_taken_back(
    simulator: Running, client: Client, crm: Database, ann: str, set_do_not_email: Flag,
    sql_rows: Rows, monkeypatch: pytest.MonkeyPatch, is_read_first: bool, is_cleared_first: bool,
) -> None:  # fmt: skip
    sync_contacts(client, crm)
    set_do_not_email("c1", True)
    put = client.put

    def put_and_die(path: str, body: Any) -> Any:
        put(path, body)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(client, "put", put_and_die)
        with pytest.raises(Killed):
            push_opt_outs(client, crm, workers=1)
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    if is_read_first:
        sync_contacts(client, crm)
    if not is_cleared_first:
        assert push_opt_outs(client, crm).unsubscribed == 1
    set_do_not_email("c1", False)
    assert push_opt_outs(client, crm).resubscribed == 1
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def test_an_opt_out_of_the_vendors_people_after_a_put_that_never_arrived_is_theirs(
    simulator: Running, client: Client, crm: Database, ann: str, set_do_not_email: Flag,
    sql_rows: Rows, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    set_do_not_email("c1", True)

    def die(path: str, body: Any) -> Any:
        body()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(client, "put", die)
        with pytest.raises(Killed):
            push_opt_outs(client, crm, workers=1)
    sql_rows("UPDATE ctct_consent SET decided_at = now() - INTERVAL '3 hours'")
    simulator.control.unsubscribe(ann, source="Account")
    assert push_opt_outs(client, crm).unchanged == 1
    set_do_not_email("c1", False)
    assert push_opt_outs(client, crm).held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
