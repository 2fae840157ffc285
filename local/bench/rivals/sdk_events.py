"""The vendor's own SDK, in the environment that `make judge` makes; see `sdk_contacts`."""

import sys
from functools import partial
from importlib import import_module
from typing import Any

from constant_contact_api_client import (  # type: ignore[import-not-found, unused-ignore]
    ApiClient,
    Configuration,
)
from constant_contact_api_client.api.email_campaigns_api import (  # type: ignore[import-not-found, unused-ignore]
    EmailCampaignsApi,
)
from constant_contact_api_client.api.email_reporting_api import (  # type: ignore[import-not-found, unused-ignore]
    EmailReportingApi,
)

from local.bench.gauge import Gauge
from local.bench.rivals.sdk import pages

_TRACKERS = (
    "get_email_sends_report",
    "get_email_opens_report",
    "get_clicks_report",
    "get_bounces_report",
    "get_forwards_report",
    "get_optouts_report",
)
_REPORTED = ("primary_email", "resend")


def load(
    gauge: Gauge, *, url: str, token: str, crm_url: str, site_packages: str, table: str, copy: str
) -> dict[str, Any]:
    """Every campaign, its activities, their six reports: in a loop, as a script would."""
    sys.path.append(site_packages)
    psycopg = import_module("psycopg")
    rows = stream = 0
    client = ApiClient(Configuration(host=f"{url}/v3", access_token=token))
    reports = EmailReportingApi(client)
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(table)
        for activity_id in _activity_ids(client, reports):
            for name in _TRACKERS:
                stream += 1
                report = partial(getattr(reports, name), activity_id, limit="500")
                for page in pages(client, report):
                    with connection.cursor() as cursor, cursor.copy(copy) as copying:
                        for event in page.tracking_activities:
                            rows += 1
                            copying.write_row(_row(stream, rows, event))
    return {"rows": rows}


def _activity_ids(client: Any, reports: Any) -> list[str]:
    emails = EmailCampaignsApi(client)
    return [
        activity.campaign_activity_id
        for page in pages(client, partial(reports.get_email_campaign_report, limit="500"))
        for campaign in page.bulk_email_campaign_summaries
        for activity in emails.get_email_campaign_by_id(campaign.campaign_id).campaign_activities
        if activity.role in _REPORTED
    ]


def _row(stream: int, number: int, event: Any) -> tuple[Any, ...]:
    return (
        stream,
        number,
        event.created_time,
        event.contact_id,
        str(getattr(event, "url_id", None) or ""),
        getattr(event, "link_url", None),
        getattr(event, "device_type", None),
        getattr(event, "bounce_code", None),
        getattr(event, "opt_out_reason", None),
    )
