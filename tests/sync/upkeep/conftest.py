"""An account whose campaigns are over, and nights that are compared with its summary."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.upkeep.findings import FindingsReport
from simulator.server import Running
from tests.support import Rows
from tests.sync.upkeep.comparison import LONG_AGO, Night, compared


@pytest.fixture
def account(simulator: Running) -> Running:
    """Campaigns that were sent twice, long ago."""
    simulator.control.generate(
        seed=6, contacts=200, lists=1, campaigns=6, activities_per_campaign=2, events=2400,
        recent_campaigns=0, end=LONG_AGO,
    )  # fmt: skip
    return simulator


@pytest.fixture
def night(client: Client, crm: Database) -> Night:
    def run(**options: Any) -> FindingsReport:
        sync_campaigns(client, crm)
        sync_engagement(client, crm, **options)
        return compared(crm)

    return run


@pytest.fixture
def lose(sql_rows: Rows) -> Callable[[str], str]:
    """Takes the sendings of one campaign out of the ledger; returns its id."""

    def lose(kind: str = "send") -> str:
        (row,) = sql_rows(
            "WITH lost AS (SELECT a.campaign_id, s.stream_id FROM ctct_engagement_stream s"
            " JOIN ctct_campaign_activity a USING (campaign_activity_id)"
            " WHERE activity_type = %s AND stored_count > 5 ORDER BY 1 LIMIT 1)"
            " SELECT * FROM lost",
            kind,
        )
        sql_rows("DELETE FROM ctct_engagement WHERE stream_id = %s", row["stream_id"])
        campaign: str = row["campaign_id"]
        return campaign

    return lose
