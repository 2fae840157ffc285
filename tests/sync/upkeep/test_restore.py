"""A CRM that was restored from a backup: no contact that opted out since is mailed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ChangesRefused
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.bulk_memberships import Wanted
from constant_contact.sync.memberships.choices import choose, request_choice, submit
from constant_contact.sync.memberships.push import retry
from constant_contact.sync.upkeep.restore import flag_lost_opt_outs, settle
from simulator.server import Running
from tests import support
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import FLAG_BACK
from tests.sync.memberships.requests import Push, answers, list_id, on_lists

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

ANN, BOB = contact_id(1), contact_id(2)


class Backup:
    """Copies of the CRM database, as `pg_dump` and `pg_restore` make them."""

    def __init__(self, server_url: str, name: str, *sessions: Database | support.Rows) -> None:
        self._server_url, self._name, self._sessions = server_url, name, sessions
        self.made_at: datetime | None = None

    def take(self) -> None:
        self._copy(self._name, f"{self._name}_backup")
        self.made_at = datetime.now(UTC)

    def restore(self) -> None:
        self._run(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._copy(f"{self._name}_backup", self._name)

    def _copy(self, source: str, target: str) -> None:
        self._run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{source}' AND pid <> pg_backend_pid()"
        )
        self._run(f"CREATE DATABASE {target} TEMPLATE {source}")

    def drop(self) -> None:
        self._run(f"DROP DATABASE IF EXISTS {self._name}_backup")

    def _run(self, statement: str) -> None:
        for each in self._sessions:
            each.close()
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def backup(
    postgres_url: str, crm_url: str, crm: Database, sql_rows: support.Rows
) -> Iterator[Backup]:
    with psycopg.connect(crm_url) as connection:
        name = connection.info.dbname
    made = Backup(postgres_url, name, crm, sql_rows)
    yield made
    made.drop()


@pytest.fixture
def people(
    simulator: Running, client: Client, crm: Database, lists: list[str], add_crm_contact: Add
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c2", "bob@example.com")
    sync_lists(client, crm)
    sync_contacts(client, crm)
    link_contacts(crm)


@pytest.fixture
def after_restore(client: Client, crm: Database, backup: Backup) -> Callable[[], Any]:
    """As the DAG does it."""

    def run() -> Any:
        settled = settle(crm, by="ann-the-operator")
        sync_contacts(client, crm, full=True)
        link_contacts(crm)
        assert backup.made_at
        crm.seam = replace(crm.seam, flag_back=FLAG_BACK)
        return settled, flag_lost_opt_outs(crm, restored_to=backup.made_at).flagged

    return run


def permission(simulator: Running, vendors_id: str) -> Any:
    return simulator.control.truth_contact(vendors_id)["permission"]


@pytest.mark.usefixtures("people")
def test_an_opt_in_of_before_does_not_undo_an_opt_out_of_since(
    simulator: Running,
    client: Client,
    crm: Database,
    backup: Backup,
    after_restore: Callable[[], Any],
    set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:
    set_do_not_email("c1", True)
    push_opt_outs(client, crm)
    set_do_not_email("c1", False)
    backup.take()
    push_opt_outs(client, crm)
    assert permission(simulator, ANN) == "implicit"
    # By the account, so that the rules would let a waiting opt-in pass.
    set_do_not_email("c1", True)
    push_opt_outs(client, crm)
    backup.restore()
    settled, flagged = after_restore()
    assert (settled.opt_ins_superseded, flagged) == (1, 1)
    push_opt_outs(client, crm)
    assert permission(simulator, ANN) == "unsubscribed"
    (ann,) = sql_rows("SELECT do_not_email FROM crm_contact WHERE contact_id = 'c1'")
    assert ann["do_not_email"]


@pytest.mark.usefixtures("people")
def test_nobody_is_put_back_on_a_list_they_were_taken_off_since(
    simulator: Running,
    backup: Backup,
    after_restore: Callable[[], Any],
    push_lists: Push,
    want: Callable[..., None],
    sql_rows: Rows,
) -> None:
    want("c2", 1)
    backup.take()
    push_lists()
    want("c2", 1, "remove")
    push_lists()
    backup.restore()
    settled, _ = after_restore()
    assert settled.memberships_failed == 1
    push_lists()
    assert on_lists(simulator)["bob@example.com"] == set()
    assert "restored" in str(answers(sql_rows)[("c2", 1)][1])


@pytest.mark.usefixtures("people")
def test_an_unsubscribe_at_the_vendor_since_is_flagged_and_one_of_before_stays_as_it_was(
    simulator: Running,
    client: Client,
    crm: Database,
    backup: Backup,
    after_restore: Callable[[], Any],
    sql_rows: Rows,
) -> None:
    simulator.control.unsubscribe(ANN, when="2026-01-31T10:00:00Z")
    sync_contacts(client, crm)
    backup.take()
    simulator.control.unsubscribe(BOB)
    backup.restore()
    assert after_restore()[1] == 1
    flags = sql_rows("SELECT contact_id FROM crm_contact WHERE do_not_email")
    assert [each["contact_id"] for each in flags] == ["c2"]
    report = push_opt_outs(client, crm)
    assert (report.unchanged, report.unsubscribed) == (1, 0)


@pytest.mark.usefixtures("people")
def test_a_question_that_waits_in_airflow_is_about_no_later_stop(
    backup: Backup, after_restore: Callable[[], Any], sql_rows: Rows
) -> None:
    hold = "INSERT INTO ctct_hold (noun, detail) VALUES ('opt_outs', 'x') RETURNING hold_id"
    backup.take()
    (asked,) = sql_rows(hold)
    backup.restore()
    after_restore()
    (later,) = sql_rows(hold)
    assert later["hold_id"] > asked["hold_id"] + 1_000_000


@pytest.mark.usefixtures("people")
def test_what_a_restore_settled_is_tried_again_one_by_one_only(
    crm: Database, want: Callable[..., None], sql_rows: Rows
) -> None:
    want("c1", 1)
    want("c2", 1)
    settle(crm, by="ann-the-operator")
    with pytest.raises(ChangesRefused, match="one by one"):
        retry(crm)
    assert retry(crm, contact_id="c2") == 1
    sql_rows("UPDATE crm_list_membership SET status = 'failed' WHERE contact_id = 'c2'")
    assert retry(crm) == 1
    assert [answers(sql_rows)[(who, 1)][0] for who in ("c1", "c2")] == ["failed", "pending"]


@pytest.mark.usefixtures("people")
def test_choices_of_before_are_forgotten_and_those_of_since_have_numbers_of_their_own(
    crm: Database, sql_rows: Rows
) -> None:
    before = [choose(crm, list_id(1), "add", Wanted(["c1"]), by="op") for _ in range(2)]
    for choice_id in before:
        submit(crm, choice_id, edits=0, by="op")
    request_choice(crm, before[0])
    assert settle(crm, by="ann-the-operator").choices_forgotten == 1
    kept = sql_rows("SELECT choice_id FROM ctct_choice NATURAL JOIN ctct_choice_contact")
    assert kept == [{"choice_id": before[0]}]
    assert len(sql_rows("SELECT * FROM ctct_choice_contact")) == 1
    assert choose(crm, list_id(1), "add", Wanted(["c1"]), by="op") > 1_700_000_000
