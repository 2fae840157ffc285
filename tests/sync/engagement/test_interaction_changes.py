"""Interactions that exist follow the settings, and the names of campaigns."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.interactions import project_interactions
from simulator.server import Running
from tests.support import Calls, Rows, contact_id
from tests.sync.engagement.one_campaign import CAMPAIGN, load, night, of_ann

EVENTS = [of_ann("sends"), of_ann("opens", "2026-05-02T10:00:00Z"), of_ann("optouts")]
NO_SENDS = {"open", "click", "bounce", "forward", "opt_out"}
NO_OPENS = NO_SENDS - {"open"} | {"send"}


@pytest.fixture
def account(simulator: Running, add_crm_contact: Callable[..., None]) -> Running:
    load(simulator, *EVENTS)
    add_crm_contact("c1", "ann@example.com")
    return simulator


def shown(sql_rows: Rows) -> list[str]:
    rows = sql_rows("SELECT activity_type FROM crm_interaction ORDER BY activity_type")
    return [row["activity_type"] for row in rows]


def everything(sql_rows: Rows) -> list[dict[str, Any]]:
    rows = sql_rows("SELECT * FROM crm_interaction ORDER BY interaction_id")
    return [{name: row[name] for name in row if name != "loaded_at"} for row in rows]


def test_a_type_that_is_left_out_is_in_the_ledger_and_not_in_the_crm(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    night(client, crm, activity_types=NO_SENDS)
    assert shown(sql_rows) == ["open", "opt_out"]
    assert sql_rows("SELECT count(*) AS n FROM ctct_engagement") == [{"n": 3}]


def test_a_type_that_is_taken_out_leaves_and_comes_back_whole_for_no_call(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    night(client, crm)
    before = everything(sql_rows)
    calls()
    assert project_interactions(crm, activity_types=NO_SENDS).left_out == 1
    assert shown(sql_rows) == ["open", "opt_out"]
    assert str(project_interactions(crm, activity_types=NO_SENDS)) == "nothing to do"
    assert project_interactions(crm).of_new_types == 1
    assert everything(sql_rows) == before
    assert str(project_interactions(crm)) == "nothing to do"
    assert calls() == 0


def test_what_happened_while_a_type_was_out_comes_back_with_it_to_old_and_new_links(
    account: Running,
    client: Client,
    crm: Database,
    sql_rows: Rows,
    add_crm_contact: Callable[..., None],
) -> None:
    night(client, crm, activity_types=NO_OPENS)
    account.control.add_events([of_ann("opens", "2026-05-03T10:00:00Z")])
    add_crm_contact("c2", "ann@example.com")
    night(client, crm, activity_types=NO_OPENS)
    assert shown(sql_rows) == ["opt_out", "opt_out", "send", "send"]
    add_crm_contact("c3", "ann@example.com")
    night(client, crm)
    each = [row["contact_id"] for row in sql_rows("SELECT contact_id FROM crm_interaction")]
    assert {contact: each.count(contact) for contact in each} == {"c1": 4, "c2": 4, "c3": 4}


def names(sql_rows: Rows) -> set[tuple[str, str]]:
    rows = sql_rows("SELECT campaign_name, description FROM crm_interaction")
    return {(row["campaign_name"], row["description"]) for row in rows}


def test_a_new_name_of_a_campaign_reaches_the_interactions_that_exist(
    account: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    night(client, crm)
    account.control.rename_campaign(CAMPAIGN, "Spring News")
    calls()
    assert night(client, crm).renamed == 3
    assert calls("/tracking/") == 0
    assert names(sql_rows) == {
        ("Spring News", "Was sent “Spring News”"),
        ("Spring News", "Opened “Spring News”"),
        ("Spring News", "Unsubscribed through “Spring News”"),
    }
    assert str(night(client, crm)) == "nothing to do"


def test_a_name_that_comes_after_the_events_reaches_them_too(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.add_fault(
        "nulls", match={"path": "/emails"}, params={"fields": ["name"]}, times=9
    )
    night(client, crm)
    account.control.clear_faults()
    assert (None, "Was sent an email") in names(sql_rows)
    assert night(client, crm).renamed == 3
    assert ("May News", "Was sent “May News”") in names(sql_rows)


def test_a_rename_touches_no_interaction_of_another_campaign(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    account.control.send_campaign(name="June News", contact_ids=[contact_id(1)])
    night(client, crm)
    before = sql_rows("SELECT xmin, * FROM crm_interaction WHERE campaign_name = 'June News'")
    account.control.rename_campaign(CAMPAIGN, "Spring News")
    assert night(client, crm).renamed == 3
    assert before == sql_rows(
        "SELECT xmin, * FROM crm_interaction WHERE campaign_name = 'June News'"
    )
