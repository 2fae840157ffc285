"""Who asks to be forgotten is, and is never written to again."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import BulkPending, ChangesRefused, ServerFault, SettingError
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.bulk_memberships import Wanted
from constant_contact.sync.memberships.choices import choose, foretell
from constant_contact.sync.memberships.push import MembershipsReport
from constant_contact.sync.upkeep.erasure import ErasureReport
from simulator.server import Running
from tests.support import Add, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import answers, made

ACTIVITY = "00000000-0000-4000-9000-000000000001"
ANN, BOB, ANN_ANEW = contact_id(1), contact_id(2), contact_id(4)
Erase = Callable[..., ErasureReport]


@pytest.fixture
def known(
    simulator: Running,
    client: Client,
    crm: Database,
    lists: list[str],
    add_crm_contact: Add,
    set_do_not_email: Callable[..., None],
) -> None:
    """Ann and Bob clicked; Ann asked to be left alone, and was."""
    at = "2026-05-01T10:00:00.000Z"
    click = {"type": "clicks", "campaign_activity_id": ACTIVITY}
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")],
        campaigns=[
            {
                "name": "May News",
                "last_sent_date": at,
                "campaign_activities": [
                    {"role": "primary_email", "campaign_activity_id": ACTIVITY, "sent_at": at}
                ],
            }
        ],
        events=[
            click
            | {
                "contact_id": each,
                "created_time": at,
                "url_id": each,
                "link_url": f"https://x/{each}",
            }
            for each in (ANN, BOB)
        ],
    )
    add_crm_contact("c1", "Ann@Example.com", first_name="Ann")
    add_crm_contact("c2", "bob@example.com")
    everything(client, crm)
    set_do_not_email("c1", True, "Ann Lee asked by telephone", by_contact=True)
    push_opt_outs(client, crm)


def everything(client: Client, crm: Database, **options: Any) -> None:
    sync_contacts(client, crm, full=True)
    link_contacts(crm)
    sync_campaigns(client, crm)
    sync_engagement(client, crm, **options)
    project_interactions(crm)


def everything_kept(sql_rows: Rows) -> str:
    """All that the database holds, but the CRM's contacts, which are the CRM's to erase."""
    tables = sql_rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND relname <> 'crm_contact' ORDER BY relname"
    )
    return "\n".join(str(sql_rows(f"SELECT * FROM {each['relname']}")) for each in tables)


@pytest.mark.usefixtures("known")
def test_nothing_that_tells_of_the_person_is_left_whatever_is_read_again(
    client: Client, crm: Database, lists: list[str], forget: Erase, sql_rows: Rows
) -> None:
    sync_lists(client, crm)
    kept = choose(crm, lists[0], "add", Wanted(search="bob@example.com"), by="joe")
    for wanted in (
        Wanted(search="ann@example.com", contact_ids=["c2"]),
        Wanted(search="Example"),
        Wanted(contact_ids=["c1", "c2"], search="bob"),
    ):
        foretell(crm, choose(crm, lists[0], "add", wanted, by="joe"))
    sql_rows(
        "INSERT INTO ctct_bulk_activity (kind, list_ids, contacts, state, error)"
        " VALUES ('add', '{l}', 1, 'done', %s)", f"no contact {ANN}",
    )  # fmt: skip
    assert "ann@example.com" in everything_kept(sql_rows)
    report = forget("c1")
    assert (report.interactions, report.events, report.addresses_suppressed) == (1, 1, 1)
    everything(client, crm, reread=True)
    left = everything_kept(sql_rows)
    assert "ann@example.com" not in left.lower()
    assert "Ann Lee" not in left
    assert f"https://x/{ANN}" not in left
    assert sql_rows("SELECT choice_id FROM ctct_choice") == [{"choice_id": kept}]
    assert sql_rows("SELECT contact_id FROM ctct_choice_contact") == [{"contact_id": "c2"}]
    assert sql_rows("SELECT error FROM ctct_bulk_activity") == [{"error": "no contact erased"}]
    (events,) = sql_rows("SELECT count(*) AS n FROM ctct_engagement WHERE contact_id = %s", ANN)
    (shown,) = sql_rows("SELECT array_agg(contact_id) AS of FROM crm_interaction")
    assert (events["n"], shown["of"]) == (0, ["c2"])
    # The log of calls too: those made afterwards ask the vendor about no erased contact.
    assert not [call for call in sql_rows("SELECT path FROM ctct_api_call") if ANN in call["path"]]
    (link,) = sql_rows("SELECT constant_contact_id AS id FROM crm_contact WHERE contact_id = 'c1'")
    assert link["id"] is None
    # The other's click, and that of no contact: the report still adds up, and is not read for more.
    (stream,) = sql_rows("SELECT * FROM ctct_engagement_stream WHERE activity_type = 'click'")
    assert (stream["stored_count"], stream["shortfall"]) == (2, 0)


@pytest.mark.usefixtures("known", "nobody_was_wronged")
def test_nobody_creates_the_person_anew_or_puts_them_on_a_list(
    simulator: Running,
    crm: Database,
    client: Client,
    forget: Erase,
    push_lists: Callable[..., MembershipsReport],
    want: Callable[..., None],
    add_crm_contact: Add,
    sql_rows: Rows,
) -> None:
    simulator.control.delete_contact(ANN)
    sql_rows("DELETE FROM crm_contact WHERE contact_id = 'c1'")
    forget("c1")
    sync_contacts(client, crm, full=True)
    add_crm_contact("c9", " ANN@example.com")
    want("c9")
    assert push_lists().rejected == 1
    assert "asked to be forgotten" in str(answers(sql_rows)[("c9", 1)][1])
    assert made(simulator, "POST", "/contacts") == 0


@pytest.mark.usefixtures("known")
def test_that_the_person_said_no_stays(forget: Erase, sql_rows: Rows) -> None:
    before = sql_rows("SELECT * FROM ctct_consent ORDER BY consent_id")
    forget("c1")
    assert sql_rows("SELECT * FROM ctct_consent ORDER BY consent_id") == before
    (change,) = sql_rows("SELECT * FROM crm_opt_out_change")
    assert (change["requested_by_contact"], change["status"]) == (True, "done")
    assert change["reason"] is None


@pytest.mark.usefixtures("known")
def test_an_opt_in_that_waits_is_not_carried_afterwards(
    client: Client,
    crm: Database,
    forget: Erase,
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> None:
    set_do_not_email("c1", False)
    assert push_opt_outs(client, crm).held == 1
    forget("c1")
    (change,) = sql_rows("SELECT status FROM crm_opt_out_change WHERE NOT do_not_email")
    assert change["status"] == "superseded"


@pytest.mark.usefixtures("known")
def test_a_repeated_erasure_decides_nothing_anew(
    client: Client,
    crm: Database,
    forget: Erase,
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> None:
    decided = "SELECT change_id, decision, detail FROM ctct_consent ORDER BY consent_id"
    for flag in (False, True, False):
        set_do_not_email("c1", flag)
    assert push_opt_outs(client, crm).superseded == 2
    before = sql_rows(decided)
    forget("c1")
    once = sql_rows(decided)
    # Only of the opt-in that waited: the one that a newer change replaced was decided before.
    (added,) = [row for row in once if row not in before]
    assert added["detail"] == "The person was erased."
    forget("c1")
    assert sql_rows(decided) == once


@pytest.mark.usefixtures("known")
def test_whom_the_vendor_may_still_mail_is_not_erased(forget: Erase, sql_rows: Rows) -> None:
    with pytest.raises(ChangesRefused, match="may still mail"):
        forget("c2")
    assert sql_rows("SELECT * FROM ctct_erased") == []


def test_whom_the_vendor_may_mail_is_not_erased_because_nobody_has_linked_them_yet(
    simulator: Running, client: Client, crm: Database, add_crm_contact: Add, forget: Erase
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm)
    add_crm_contact("c1", "ann@example.com")
    with pytest.raises(ChangesRefused, match="may still mail"):
        forget("c1")


@pytest.mark.usefixtures("known")
def test_of_another_contact_with_the_same_address_nothing_is_left_either(
    simulator: Running, client: Client, crm: Database, forget: Erase, sql_rows: Rows
) -> None:
    simulator.control.purge_contact(ANN)
    simulator.control.load(
        contacts=[vendor_contact(4, "ann@example.com")],
        # Alike, but for whose it is.
        events=[
            {
                "type": "clicks",
                "campaign_activity_id": ACTIVITY,
                "contact_id": ANN_ANEW,
                "created_time": "2026-05-01T10:00:00.000Z",
                "url_id": ANN,
                "link_url": f"https://x/{ANN}",
            }
        ],
    )
    sync_contacts(client, crm)
    sync_engagement(client, crm, reread=True)
    with pytest.raises(ChangesRefused, match=ANN_ANEW):
        forget("c1")
    simulator.control.unsubscribe(ANN_ANEW)
    assert forget("c1").events == 2
    everything(client, crm, reread=True)
    assert "ann@example.com" not in everything_kept(sql_rows).lower()
    assert sql_rows("SELECT count(DISTINCT contact_id) AS n FROM ctct_engagement") == [{"n": 3}]
    erased = sql_rows("SELECT constant_contact_id AS id FROM ctct_erased ORDER BY 1")
    assert [row["id"] for row in erased] == [ANN, ANN_ANEW]


@pytest.mark.usefixtures("known")
def test_of_a_deleted_contact_that_the_link_has_left_nothing_is_left_either(
    simulator: Running,
    client: Client,
    crm: Database,
    forget: Erase,
    sql_rows: Rows,
) -> None:
    simulator.control.delete_contact(ANN)
    simulator.control.load(contacts=[vendor_contact(4, "ann.lee@example.com")])
    sql_rows(
        "UPDATE crm_contact SET preferred_email = %s WHERE contact_id = 'c1'", "ann.lee@example.com"
    )
    everything(client, crm)
    (link,) = sql_rows("SELECT constant_contact_id AS id FROM crm_contact WHERE contact_id = 'c1'")
    assert link["id"] == ANN_ANEW
    push_opt_outs(client, crm)
    assert "ann@example.com" in everything_kept(sql_rows)
    assert forget("c1").addresses_suppressed == 2
    everything(client, crm, reread=True)
    assert "@example.com" not in everything_kept(sql_rows).replace("bob@example.com", "")
    (events,) = sql_rows("SELECT count(*) AS n FROM ctct_engagement WHERE contact_id = %s", ANN)
    assert events["n"] == 0


@pytest.mark.parametrize(("status", "body"), [(404, "<html>lost</html>"), (200, {})])
@pytest.mark.usefixtures("known")
def test_what_is_no_answer_of_the_vendors_does_not_let_anybody_be_erased(
    simulator: Running, forget: Erase, sql_rows: Rows, status: int, body: Any
) -> None:
    simulator.control.add_fault(
        "status", match={"path": f"/contacts/{BOB}"}, times=9,
        params={"status": status, "body": body},
    )  # fmt: skip
    with pytest.raises(ServerFault):
        forget("c2")
    assert sql_rows("SELECT * FROM ctct_erased") == []


@pytest.mark.usefixtures("known")
def test_who_shares_the_address_is_not_erased_along_unasked(
    simulator: Running, forget: Erase, add_crm_contact: Add
) -> None:
    add_crm_contact("c3", "ann@example.com")
    with pytest.raises(SettingError, match="c3"):
        forget("c1")
    assert forget(vendors=ANN).contacts == 2


@pytest.mark.usefixtures("known")
def test_a_call_on_its_way_is_waited_for(forget: Erase, sql_rows: Rows) -> None:
    sql_rows(
        "INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts, state)"
        " VALUES (1, 'add', '{l}', 1, 'queued')"
    )
    sql_rows("INSERT INTO ctct_bulk_activity_row VALUES (1, 'c1', 'l', 'add', now(), %s)", ANN)
    with pytest.raises(BulkPending):
        forget("c1")


def test_somebody_unknown_is_said_to_be(forget: Erase) -> None:
    with pytest.raises(SettingError, match="nothing is known"):
        forget("nobody")
    with pytest.raises(SettingError, match="nothing is known"):
        forget(vendors=contact_id(99))


def test_an_erased_person_whom_the_crm_still_has_is_seen_and_not_kept_anew_by_each_look(
    crm: Database, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO crm_contact (contact_id, preferred_email, first_name)"
             " VALUES ('c1', 'ann@example.com', 'Ann')")  # fmt: skip
    see_contacts(crm)
    sql_rows(
        "INSERT INTO ctct_objection (source, email_digest, objected_at)"
        " VALUES ('erasure', ctct_email_digest('new@example.com'), now())"
    )
    sql_rows("UPDATE crm_contact SET preferred_email = 'New@example.com'")
    assert [see_contacts(crm).changed for _ in range(2)] == [1, 0]
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert [see_contacts(crm).changed for _ in range(2)] == [1, 0]
    (kept,) = sql_rows("SELECT email_address, first_name, do_not_email FROM ctct_link")
    assert kept == {"email_address": None, "first_name": None, "do_not_email": True}
