"""An account of one campaign, for what becomes of single events."""

from collections.abc import Sequence
from typing import Any

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import InteractionsReport, project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from simulator.server import Running
from tests.support import contact_id, vendor_contact

CAMPAIGN = "00000000-0000-4000-8800-000000000001"
ACTIVITY = "00000000-0000-4000-9000-000000000001"
SENT_AT = "2026-05-01T10:00:00.000Z"


ANN_AND_BOB = ("ann@example.com", "bob@example.com")


def load(
    simulator: Running, *events: dict[str, Any], addresses: Sequence[str] = ANN_AND_BOB
) -> None:
    """May News, and contacts 1, 2, …; `events` beside, of Ann unless they say otherwise."""
    simulator.control.load(
        contacts=[vendor_contact(number, each) for number, each in enumerate(addresses, 1)],
        campaigns=[
            {
                "campaign_id": CAMPAIGN,
                "name": "May News",
                "last_sent_date": SENT_AT,
                "campaign_activities": [
                    {
                        "role": "primary_email",
                        "campaign_activity_id": ACTIVITY,
                        "sent_at": SENT_AT,
                    }
                ],
            }
        ],
        events=[of_ann(each["type"], **each) for each in events],
    )


def of_ann(kind: str, created_time: str = SENT_AT, **fields: Any) -> dict[str, Any]:
    """An event of the campaign's one activity."""
    given = {"campaign_activity_id": ACTIVITY, "contact_id": contact_id(1)}
    if kind == "clicks":
        given |= {"url_id": "7", "link_url": "https://example.com/a"}
    return given | {"created_time": created_time} | fields | {"type": kind}


def night(client: Client, crm: Database, **options: Any) -> InteractionsReport:
    """All that leads to interactions; `options` are those of their projection."""
    sync_contacts(client, crm)
    link_contacts(crm)
    sync_campaigns(client, crm, active_days=10_000)
    sync_engagement(client, crm)
    return project_interactions(crm, **options)
