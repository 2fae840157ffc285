"""Two accounts over one CRM: each its own links and rows, and an objection counts for both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import LinksReport, link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.bulk_memberships import Chosen, request_memberships
from constant_contact.sync.memberships.push import push_memberships
from constant_contact.sync.upkeep.erasure import erase, person
from constant_contact.sync.upkeep.restore import flag_lost_opt_outs
from simulator.server import Running
from tests.accounts.conftest import Eu
from tests.support import Add, Flag, Rows, contact_id, set_flag, vendor_contact
from tests.sync.consent.outbox import FLAG_BACK
from tests.sync.memberships.requests import list_id, on_lists

OURS, THEIRS = contact_id(1), contact_id(1001)


def permission(simulator: Running, contact: str) -> str:
    return str(simulator.control.truth_contact(contact)["permission"])


@pytest.fixture
def link(client: Client, crm: Database, eu: Eu) -> Callable[[], tuple[LinksReport, LinksReport]]:
    """A night's contacts of both accounts."""

    def run() -> tuple[LinksReport, LinksReport]:
        sync_contacts(client, crm)
        sync_contacts(eu.client, eu.crm)
        return link_contacts(crm), link_contacts(eu.crm)

    return run


@pytest.fixture
def ann(simulator: Running, eu: Eu, add_crm_contact: Add, link: Callable[[], Any]) -> str:
    """A contact of the CRM, linked to both accounts, by another id in each."""
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    eu.simulator.control.load(contacts=[vendor_contact(1001, "Ann@example.com")])
    add_crm_contact("c1", "ann@example.com", first_name="Ann")
    link()
    return "c1"


def test_each_account_links_the_same_contact_to_its_own(
    ann: str, sql_rows: Rows, eu_rows: Rows
) -> None:
    assert sql_rows("SELECT constant_contact_id FROM crm_contact") == [
        {"constant_contact_id": OURS}
    ]
    assert eu_rows("SELECT contact_id, first_name, constant_contact_id FROM ctct_link") == [
        {"contact_id": "c1", "first_name": "Ann", "constant_contact_id": THEIRS}
    ]


def test_a_link_moves_and_is_cleared_in_its_own_account_only(
    ann: str, eu: Eu, link: Callable[[], Any], sql_rows: Rows, eu_rows: Rows
) -> None:
    eu.simulator.control.purge_contact(THEIRS)
    eu.simulator.control.load(contacts=[vendor_contact(1002, "ann@example.com")])
    sync_contacts(eu.client, eu.crm, full=True)
    assert link_contacts(eu.crm).relinked == 1
    eu.simulator.control.purge_contact(contact_id(1002))
    sync_contacts(eu.client, eu.crm, full=True)
    assert link_contacts(eu.crm).unlinked == 1
    assert eu_rows("SELECT constant_contact_id FROM ctct_link") == [{"constant_contact_id": None}]
    assert sql_rows("SELECT constant_contact_id FROM crm_contact") == [
        {"constant_contact_id": OURS}
    ]


@pytest.mark.parametrize("by_contact", [True, False])
def test_an_opt_out_reaches_both_and_so_does_its_end(
    simulator: Running, client: Client, crm: Database, eu: Eu, ann: str,
    set_do_not_email: Flag, by_contact: bool,
) -> None:  # fmt: skip
    set_do_not_email(ann, True, reason="enough", by_contact=by_contact)
    assert push_opt_outs(client, crm).unsubscribed == 1
    assert push_opt_outs(eu.client, eu.crm).unsubscribed == 1
    for vendor, contact in ((simulator, OURS), (eu.simulator, THEIRS)):
        truth = vendor.control.truth_contact(contact)
        assert (truth["permission"], truth["opt_out_reason"]) == ("unsubscribed", "enough")
        assert truth["opt_out_source"] == ("Contact" if by_contact else "Account")
    set_do_not_email(ann, False)
    ended = push_opt_outs(client, crm), push_opt_outs(eu.client, eu.crm)
    assert [report.held for report in ended] == [by_contact, by_contact]
    assert permission(eu.simulator, THEIRS) == ("unsubscribed" if by_contact else "implicit")
    assert eu.simulator.control.truth()["policy_violations"] == []


def test_a_change_that_the_crm_writes_itself_reaches_both(eu: Eu, ann: str, sql_rows: Rows) -> None:
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, requested_by_contact)"
        " VALUES ('c1', TRUE, TRUE)"
    )
    assert push_opt_outs(eu.client, eu.crm).unsubscribed == 1
    assert permission(eu.simulator, THEIRS) == "unsubscribed"


def test_who_was_flagged_before_is_unsubscribed_when_linked(
    eu: Eu, add_crm_contact: Add, link: Callable[[], Any], sql_rows: Rows
) -> None:
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    eu.simulator.control.load(contacts=[vendor_contact(1001, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    assert link()[1].opt_outs_queued == 1
    assert push_opt_outs(eu.client, eu.crm).unsubscribed == 1


def test_an_opt_out_goes_out_although_its_contact_has_left_the_crm(
    eu: Eu, ann: str, set_do_not_email: Flag, sql_rows: Rows, add_crm_contact: Add, eu_rows: Rows
) -> None:
    set_do_not_email(ann, True)
    sql_rows("DELETE FROM crm_contact")
    assert push_opt_outs(eu.client, eu.crm).unsubscribed == 1
    # And a contact that gets its id later is another one.
    add_crm_contact(ann, "bob@example.com")
    link_contacts(eu.crm)
    assert eu_rows("SELECT constant_contact_id FROM ctct_link") == [{"constant_contact_id": None}]


def test_memberships_of_one_do_not_touch_the_other(
    simulator: Running, client: Client, crm: Database, eu: Eu, ann: str,
    add_crm_contact: Add, sql_rows: Rows, eu_rows: Rows,
) -> None:  # fmt: skip
    for vendor in (simulator, eu.simulator):
        vendor.control.load(lists=[{"list_id": list_id(1), "name": "One"}])
    sync_lists(client, crm)
    sync_lists(eu.client, eu.crm)
    add_crm_contact("c2", "new@example.com", first_name="Nea")
    request = "INSERT INTO crm_list_membership (contact_id, list_id) VALUES (%s, %s)"
    for wanted in ("c1", "c2"):
        eu_rows(request, wanted, list_id(1))
    at_once: dict[str, Any] = {"waits_s": (0, 0, 0), "grace_s": 0}
    report = push_memberships(eu.client, eu.crm, **at_once)
    assert (report.added, report.created) == (2, 1)
    assert on_lists(eu.simulator) == {"Ann@example.com": {1}, "new@example.com": {1}}
    assert push_memberships(client, crm, **at_once).added == 0
    assert on_lists(simulator) == {"ann@example.com": set()}
    assert sql_rows("SELECT * FROM crm_list_membership") == []


def test_interactions_are_each_accounts_own_and_the_crm_can_show_both(
    simulator: Running, client: Client, crm: Database, eu: Eu, add_crm_contact: Add,
    link: Callable[[], Any], sql_rows: Rows,
) -> None:  # fmt: skip
    happened = {}
    for account, vendor, seed in (("default", simulator, 3), ("eu", eu.simulator, 4)):
        vendor.control.generate(seed=seed, contacts=20, lists=1, campaigns=1, events=60)
        for number, contact in enumerate(vendor.control.truth_contacts()):
            add_crm_contact(f"{account}{number}", contact["email"])
    link()
    for one_client, database in ((client, crm), (eu.client, eu.crm)):
        sync_campaigns(one_client, database)
        sync_engagement(one_client, database)
        project_interactions(database)
    for account, vendor, schema in (
        ("default", simulator, "public"), ("eu", eu.simulator, "constant_contact_eu"),
    ):  # fmt: skip
        linked = {
            row["id"]
            for row in sql_rows(f"SELECT constant_contact_id AS id FROM {schema}.ctct_link")
        }
        happened[account] = sum(
            event["contact_id"] in linked for event in vendor.control.truth_events()
        )
    shown = sql_rows(
        "SELECT account, count(*) AS n FROM ("
        " SELECT 'default' AS account, * FROM public.crm_interaction"
        " UNION ALL SELECT 'eu', * FROM constant_contact_eu.crm_interaction"
        ") AS both_accounts GROUP BY account"
    )
    assert {row["account"]: row["n"] for row in shown} == happened
    assert min(happened.values()) > 0


def test_calls_are_counted_and_logged_by_account(
    client: Client, crm: Database, eu: Eu, sql_rows: Rows, eu_rows: Rows
) -> None:
    sync_lists(client, crm)
    for _ in range(2):
        sync_lists(eu.client, eu.crm)
    calls = "SELECT calls FROM ctct_api_budget"
    assert (sql_rows(calls), eu_rows(calls)) == ([{"calls": 1}], [{"calls": 2}])


def test_whom_one_account_erased_the_other_does_not_create(
    client: Client, crm: Database, eu: Eu, ann: str, simulator: Running,
    add_crm_contact: Add, sql_rows: Rows, eu_rows: Rows,
) -> None:  # fmt: skip
    eu.simulator.control.purge_contact(THEIRS)
    eu.simulator.control.load(lists=[{"list_id": list_id(1), "name": "One"}])
    sync_lists(eu.client, eu.crm)
    sync_contacts(eu.client, eu.crm, full=True)
    simulator.control.delete_contact(OURS)
    erase(client, crm, person(crm, contact_id=ann, constant_contact_id=None), by="joe")
    sql_rows("DELETE FROM crm_contact")
    add_crm_contact("c9", "ANN@example.com")
    eu_rows("INSERT INTO crm_list_membership (contact_id, list_id) VALUES ('c9', %s)", list_id(1))
    assert push_memberships(eu.client, eu.crm, waits_s=(0, 0, 0), grace_s=0).rejected == 1
    assert on_lists(eu.simulator) == {}


def test_what_was_written_about_a_person_goes_in_the_account_that_never_had_them(
    client: Client, crm: Database, eu: Eu, ann: str, simulator: Running, link: Callable[[], Any],
    set_do_not_email: Flag, sql_rows: Rows, eu_rows: Rows,
) -> None:  # fmt: skip
    accounts = ((client, crm), (eu.client, eu.crm))

    def night() -> None:
        link()
        for api, tables in accounts:
            push_opt_outs(api, tables)

    eu.simulator.control.purge_contact(THEIRS)
    eu_rows("UPDATE ctct_link SET constant_contact_id = NULL")
    eu_rows("TRUNCATE ctct_contact, ctct_former_key")
    night()
    set_do_not_email(ann, True, reason="Ann Lee asked by telephone", by_contact=True)
    night()
    simulator.control.delete_contact(OURS)
    sql_rows("DELETE FROM crm_contact")
    night()
    for api, tables in accounts:
        erase(api, tables, person(tables, contact_id=ann, constant_contact_id=None), by="joe")
    for rows in (sql_rows, eu_rows):
        for table in ("crm_opt_out_change", "ctct_objection"):
            assert rows(f"SELECT reason FROM {table} WHERE reason IS NOT NULL") == []


def test_a_flag_lost_by_a_restore_is_set_again_by_the_account_that_knows_of_it(
    eu: Eu, ann: str, link: Callable[[], Any], sql_rows: Rows, eu_rows: Rows
) -> None:
    eu.simulator.control.unsubscribe(THEIRS)
    link()
    eu.crm.seam = replace(eu.crm.seam, flag_back=FLAG_BACK)
    since = datetime.now(UTC) - timedelta(days=1)
    for flagged in (1, 0):
        see_contacts(eu.crm)
        assert flag_lost_opt_outs(eu.crm, restored_to=since).flagged == flagged
    assert sql_rows("SELECT do_not_email FROM crm_contact") == [{"do_not_email": True}]
    queued = "SELECT contact_id, do_not_email, reason FROM crm_opt_out_change"
    assert eu_rows(queued) == sql_rows(queued)
    assert "before the CRM was restored" in sql_rows(queued)[0]["reason"]


def test_a_list_that_an_account_does_not_have_is_answered_with_its_own_dag(
    crm: Database, eu: Eu
) -> None:
    for tables, dag_id in ((crm, "constant_contact_lists"), (eu.crm, "constant_contact_eu_lists")):
        with pytest.raises(SettingError, match=f"and {dag_id} learns of new ones"):
            request_memberships(tables, list_id(77), Chosen(["c1"]))


def test_linking_that_changes_nothing_does_not_wait_for_whoever_sets_the_flag(
    eu: Eu, ann: str, crm_url: str
) -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(crm_url) as clerk:
        set_flag(clerk, ann, True)
        assert pool.submit(link_contacts, eu.crm).result(60).linked == 0
