"""Opens by programs: within seconds of the sending, by someone who clicked nothing."""

from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.interactions import project_interactions
from simulator.server import Running
from tests.support import Add, Rows, contact_id
from tests.sync.engagement.one_campaign import load, night, of_ann

AT_ONCE, LATER = "2026-05-01T10:00:04.000Z", "2026-05-01T10:00:11.000Z"
AUTOMATIC, OPENED = "Opened “May News” (probably automatic)", "Opened “May News”"


@pytest.fixture
def ann(add_crm_contact: Add) -> None:
    add_crm_contact("c1", "ann@example.com")


def opens(sql_rows: Rows) -> list[str]:
    """The opens' descriptions, oldest first."""
    rows = sql_rows(
        "SELECT description FROM crm_interaction WHERE activity_type = 'open'"
        " ORDER BY occurred_at, interaction_id"
    )
    return [row["description"] for row in rows]


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("events", "shown"),
    [
        pytest.param([of_ann("sends"), of_ann("opens", AT_ONCE)], AUTOMATIC, id="at once"),
        pytest.param([of_ann("sends"), of_ann("opens", LATER)], OPENED, id="later"),
        pytest.param(
            [of_ann("sends"), of_ann("opens", AT_ONCE), of_ann("clicks", LATER)],
            OPENED,
            id="at once, and clicked",
        ),
        pytest.param([of_ann("opens", AT_ONCE)], OPENED, id="no sending known"),
        pytest.param(
            [of_ann("sends", contact_id=contact_id(2)), of_ann("opens", AT_ONCE)],
            OPENED,
            id="sent to someone else",
        ),
        pytest.param(
            [
                of_ann("sends"),
                of_ann("opens", AT_ONCE),
                of_ann("clicks", LATER, contact_id=contact_id(2)),
            ],
            AUTOMATIC,
            id="someone else clicked",
        ),
    ],
)
def test_an_open_within_seconds_of_the_sending_and_without_a_click_is_probably_automatic(
    simulator: Running,
    client: Client,
    crm: Database,
    sql_rows: Rows,
    events: list[dict[str, Any]],
    shown: str,
) -> None:
    load(simulator, *events)
    night(client, crm)
    assert opens(sql_rows) == [shown]
    flags = sql_rows("SELECT probably_automatic FROM ctct_interaction WHERE activity_type = 'open'")
    assert flags == [{"probably_automatic": shown == AUTOMATIC}]


@pytest.mark.usefixtures("ann")
def test_a_click_that_comes_nights_later_takes_the_flag_away(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    bob = contact_id(2)
    load(
        simulator,
        of_ann("sends"), of_ann("opens", AT_ONCE),
        of_ann("sends", contact_id=bob), of_ann("opens", AT_ONCE, contact_id=bob),
    )  # fmt: skip
    sql_rows(
        "INSERT INTO crm_contact (contact_id, preferred_email) VALUES ('c2', 'bob@example.com')"
    )
    night(client, crm)
    assert opens(sql_rows) == [AUTOMATIC, AUTOMATIC]
    simulator.control.add_events([of_ann("clicks", "2026-05-09T08:00:00.000Z")])
    report = night(client, crm)
    assert (report.of_new_events, report.judged_anew) == (1, 1)
    shown = sql_rows(
        "SELECT contact_id, description FROM crm_interaction WHERE activity_type = 'open'"
    )
    assert {row["contact_id"]: row["description"] for row in shown} == {
        "c1": OPENED,
        "c2": AUTOMATIC,
    }
    assert str(project_interactions(crm)) == "nothing to do"


@pytest.mark.usefixtures("ann")
def test_a_sending_that_comes_to_the_ledger_after_the_open_sets_the_flag(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    load(simulator, of_ann("opens", AT_ONCE), of_ann("opens", LATER))
    night(client, crm)
    assert opens(sql_rows) == [OPENED, OPENED]
    simulator.control.add_events([of_ann("sends")])
    assert night(client, crm).judged_anew == 1
    assert opens(sql_rows) == [AUTOMATIC, OPENED]


@pytest.mark.usefixtures("ann")
def test_everyone_who_shares_the_address_sees_the_same(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows, add_crm_contact: Add
) -> None:
    load(simulator, of_ann("sends"), of_ann("opens", AT_ONCE), of_ann("opens", AT_ONCE))
    add_crm_contact("c2", "ann@example.com")
    night(client, crm)
    assert opens(sql_rows) == [AUTOMATIC] * 4
    simulator.control.add_events([of_ann("clicks", LATER)])
    assert night(client, crm).judged_anew == 4
    assert opens(sql_rows) == [OPENED] * 4
