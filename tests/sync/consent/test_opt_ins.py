"""Held opt-ins: the contact is asked once, by a person's word, and only its own answer counts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import BudgetSpent, ChangesRefused, WriteUncertain
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_ins import OptInsReport, ask_confirmation, dismiss
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import LinksReport, link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import wait_for_a_waiter

Ask = Callable[..., OptInsReport]
NEWS = "00000000-0000-4000-8001-000000000001"
ANN = contact_id(1)


@pytest.fixture
def held(
    simulator: Running,
    client: Client,
    crm: Database,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Flag,
    sql_rows: Rows,
) -> int:
    """Ann asked to be left alone, then the CRM cleared the flag; returns the held change."""
    simulator.control.load(
        lists=[{"list_id": NEWS, "name": "News"}], contacts=[vendor_contact(1, "ann@example.com")]
    )
    sync_contacts(client, crm)
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    set_do_not_email("c1", True, by_contact=True)
    push_opt_outs(client, crm)
    set_do_not_email("c1", False)
    assert push_opt_outs(client, crm).held == 1
    (row,) = sql_rows("SELECT max(change_id) AS change_id FROM crm_opt_out_change")
    return int(row["change_id"])


@pytest.fixture
def ask(client: Client, crm: Database, held: int) -> Ask:
    return lambda: ask_confirmation(client, crm, change_id=held, list_ids=[NEWS], by="joe")


def status(sql_rows: Rows, change_id: int) -> str:
    (row,) = sql_rows("SELECT status FROM crm_opt_out_change WHERE change_id = %s", change_id)
    return str(row["status"])


def mails(simulator: Running) -> int:
    return int(simulator.control.truth()["resubscribe_emails_sent"])


def night(client: Client, crm: Database) -> LinksReport:
    sync_contacts(client, crm, full=True)
    return link_contacts(crm)


def test_the_change_is_taken_before_its_contact_as_whoever_carries_or_erases_it_does(
    crm_url: str, held: int, ask: Ask, sql_rows: Rows
) -> None:
    free = "SELECT 1 FROM crm_opt_out_change WHERE change_id = %s FOR UPDATE SKIP LOCKED"
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(crm_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ANN])
            asked = pool.submit(ask)
            wait_for_a_waiter(sql_rows)
            assert other.execute(free, [held]).fetchall() == []
        assert asked.result().confirmations == 1


def test_the_contact_is_asked_and_its_own_answer_ends_the_change(
    simulator: Running, client: Client, crm: Database, held: int, ask: Ask, sql_rows: Rows
) -> None:
    assert ask().confirmations == 1
    assert mails(simulator) == 1
    night(client, crm)
    push_opt_outs(client, crm)
    assert status(sql_rows, held) == "held"
    assert simulator.control.truth_contact(ANN)["permission"] == "unsubscribed"
    simulator.control.resubscribe(ANN)
    assert night(client, crm).opt_ins_requeued == 1
    push_opt_outs(client, crm)
    assert status(sql_rows, held) == "done"
    assert simulator.control.truth_contact(ANN)["permission"] != "unsubscribed"


def test_the_mail_goes_once_ever_and_who_asked_for_it_is_kept(
    simulator: Running, ask: Ask, sql_rows: Rows
) -> None:
    ask()
    with pytest.raises(ChangesRefused, match="Constant Contact sends it once ever"):
        ask()
    assert mails(simulator) == 1
    (kept,) = sql_rows("SELECT decided_by FROM ctct_consent WHERE decision = 'confirmation_asked'")
    assert kept["decided_by"] == "joe"


def test_a_mail_that_may_have_been_sent_is_not_sent_again(
    simulator: Running, ask: Ask, held: int, sql_rows: Rows
) -> None:
    simulator.control.add_fault("reset_after", match={"path": "resubscribe"})
    with pytest.raises(WriteUncertain, match="not sent twice"):
        ask()
    with pytest.raises(ChangesRefused, match="once ever"):
        ask()
    assert mails(simulator) == 1
    assert status(sql_rows, held) == "held"


def test_a_mail_is_known_and_not_sent_twice_when_the_database_is_lost_meanwhile(
    simulator: Running,
    client: Client,
    held: int,
    ask: Ask,
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = client.put

    def put_and_lose(path: str, body: Any) -> dict[str, Any]:
        answer = put(path, body)
        sql_rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        return answer

    monkeypatch.setattr(client, "put", put_and_lose)
    assert ask().confirmations == 1
    with pytest.raises(ChangesRefused, match="once ever"):
        ask()
    assert mails(simulator) == 1
    kept = sql_rows("SELECT call_status FROM ctct_consent WHERE decision = 'confirmation_asked'")
    assert kept == [{"call_status": 200}]
    assert status(sql_rows, held) == "held"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 400}, ChangesRefused),
        ({"status": 409}, ChangesRefused),
        ({"status": 429, "body": {"error_key": "quota_exceeded", "error_message": "x"}},
         BudgetSpent),
    ],
)  # fmt: skip
def test_a_mail_that_was_not_sent_may_be_asked_for_again(
    simulator: Running, ask: Ask, sql_rows: Rows, fault: dict[str, Any], error: type[Exception]
) -> None:
    simulator.control.add_fault("status", match={"path": "resubscribe"}, params=fault)
    with pytest.raises(error):
        ask()
    sql_rows("UPDATE ctct_api_budget SET spent_day_utc = NULL")
    assert ask().confirmations == 1
    assert mails(simulator) == 1


def test_nobody_is_asked_whom_the_crm_keeps_from_being_mailed_by_now(
    simulator: Running, ask: Ask, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    with pytest.raises(ChangesRefused, match="is no opt-in that is held"):
        ask()
    assert mails(simulator) == 0


def test_nobody_is_asked_at_an_address_whose_other_owner_says_no(
    simulator: Running,
    held: int,
    ask: Ask,
    add_crm_contact: Callable[..., None],
) -> None:
    add_crm_contact("bob", "ann@example.com", constant_contact_id=ANN, do_not_email=True)
    with pytest.raises(ChangesRefused, match="another one with the same address"):
        ask()
    assert mails(simulator) == 0


def test_nobody_is_asked_who_says_no_while_the_mail_waits_for_its_turn(
    simulator: Running, crm: Database, held: int, client: Client, set_do_not_email: Flag
) -> None:
    class Slow:
        """The contact is flagged between the claim and the call."""

        last_call = None

        def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
            raise AssertionError("asked all the same")

    flagged = _FlaggedAfterClaim(crm, lambda: set_do_not_email("c1", True))
    with pytest.raises(ChangesRefused):
        ask_confirmation(Slow(), flagged, change_id=held, list_ids=[NEWS], by="joe")  # type: ignore[arg-type]
    assert mails(simulator) == 0


class _FlaggedAfterClaim(Database):
    """A CRM that changes right after the mail was claimed."""

    def __init__(self, crm: Database, change: Callable[[], None]) -> None:
        vars(self).update(vars(crm))
        self._change = change
        self._transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        with super().transaction() as connection:
            yield connection
        self._transactions += 1
        # The first one looks at the CRM.
        if self._transactions == 2:
            self._change()


def test_while_the_vendor_waits_for_the_contacts_answer_the_change_stays_held(
    client: Client, crm: Database, held: int, ask: Ask, sql_rows: Rows
) -> None:
    ask()
    sql_rows("UPDATE ctct_contact SET permission_to_send = 'pending_confirmation'")
    assert link_contacts(crm).opt_ins_requeued == 0
    assert status(sql_rows, held) == "held"


def test_a_confirmation_needs_a_list(client: Client, crm: Database, held: int) -> None:
    with pytest.raises(ChangesRefused, match="list_ids"):
        ask_confirmation(client, crm, change_id=held, list_ids=[], by="joe")


def test_a_dismissed_wish_leaves_the_contact_unsubscribed(
    simulator: Running, client: Client, crm: Database, held: int, sql_rows: Rows
) -> None:
    assert dismiss(crm, change_id=held, by="joe").dismissed == 1
    assert status(sql_rows, held) == "done"
    night(client, crm)
    push_opt_outs(client, crm)
    assert simulator.control.truth_contact(ANN)["permission"] == "unsubscribed"
    with pytest.raises(ChangesRefused):
        dismiss(crm, change_id=held, by="joe")


def test_where_only_the_vendor_says_no_it_is_told_and_nothing_is_changed(
    client: Client, crm: Database, held: int, sql_rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert night(client, crm).only_vendor_says_no == 1
    assert "such as c1" in caplog.text
    (row,) = sql_rows("SELECT * FROM crm_consent_difference")
    assert (row["contact_id"], row["opt_out_source"]) == ("c1", "Contact")
    assert status(sql_rows, held) == "held"
