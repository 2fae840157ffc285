"""Summaries that leave counts out, or write them oddly, make no false finding and hide none."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from simulator.server import Running
from tests.sync.upkeep.comparison import LONG_AGO, Night


def summaries(account: Running, change: Callable[[dict[str, Any]], None]) -> None:
    """The summary report has other counts from now on."""
    from simulator.routes_reports import stats

    shown = [
        {
            "campaign_id": each.campaign_id,
            "last_sent_date": LONG_AGO,
            "unique_counts": stats.summary_counts(account.world, [
                activity for activity in each.activities if activity.reported
            ]),
        }
        for each in account.world.campaigns.campaigns.values()
        if each.reported
    ]  # fmt: skip
    for row in shown:
        change(row)
    account.control.add_fault(
        "status", match={"path": "summaries"}, times=99,
        params={"status": 200, "body": {"bulk_email_campaign_summaries": shown}},
    )  # fmt: skip


def as_text(row: dict[str, Any]) -> None:
    row["unique_counts"] = {name: str(count) for name, count in row["unique_counts"].items()}


def as_decimal(row: dict[str, Any]) -> None:
    row["unique_counts"] = {name: f"{count}.0" for name, count in row["unique_counts"].items()}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(as_text, 1, id="as text"),
        pytest.param(as_decimal, 1, id="as decimal text"),
        pytest.param(lambda row: row.pop("unique_counts"), 0, id="left out"),
        pytest.param(lambda row: row["unique_counts"].clear(), 0, id="empty"),
        pytest.param(lambda row: row.update(unique_counts=None), 0, id="null"),
        pytest.param(
            lambda row: row.update(unique_counts=dict.fromkeys(row["unique_counts"], 0)), 0,
            id="zero",
        ),
        pytest.param(
            lambda row: row.update(unique_counts=dict.fromkeys(row["unique_counts"], -1)), 0,
            id="negative",
        ),
    ],
)  # fmt: skip
def test_odd_counts_are_read_or_left_alone(
    account: Running, night: Night, lose: Callable[..., str],
    change: Callable[[dict[str, Any]], None], found: int,
) -> None:  # fmt: skip
    summaries(account, change)
    assert night().findings == 0
    lose()
    assert night().findings == found


def test_a_campaign_that_an_activity_is_not_shown_of_says_that_all_reports_are_stored(
    account: Running, night: Night
) -> None:
    summaries(account, lambda row: row["unique_counts"].update(sends=900))
    assert night().reasons == {"not_shown": 6}


def test_counts_that_a_summary_leaves_out_are_told(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    summaries(account, lambda row: row["unique_counts"].pop("opens"))
    assert sync_campaigns(client, crm).uncounted == 6
    assert "the summary report leaves out counts of 6 campaigns" in caplog.text


def test_counts_that_a_summary_leaves_out_later_leave_a_finding_as_it_is(
    account: Running, night: Night, lose: Callable[..., str]
) -> None:
    night()
    lose()
    assert night().findings == 1
    summaries(account, lambda row: row.pop("unique_counts"))
    assert night().findings == 1
