"""The vendor's own SDK, in the environment that `make judge` makes: as the bare loop, by models.

That environment has no PostgreSQL driver; it lends ours, after the SDK has loaded what it needs.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from constant_contact_api_client import (  # type: ignore[import-not-found, unused-ignore]
    ApiClient,
    Configuration,
)
from constant_contact_api_client.api.contacts_api import (  # type: ignore[import-not-found, unused-ignore]
    ContactsApi,
)
from constant_contact_api_client.api.email_campaigns_api import (  # type: ignore[import-not-found, unused-ignore]
    EmailCampaignsApi,
)
from constant_contact_api_client.api.email_reporting_api import (  # type: ignore[import-not-found, unused-ignore]
    EmailReportingApi,
)

from local.bench.gauge import Gauge
from local.bench.rivals import CONTACTS, COPY_CONTACTS, COPY_EVENTS, EVENTS

_TRACKERS = (
    "get_email_sends_report",
    "get_email_opens_report",
    "get_clicks_report",
    "get_bounces_report",
    "get_forwards_report",
    "get_optouts_report",
)
_REPORTED = ("primary_email", "resend")


def contacts(
    gauge: Gauge, *, url: str, token: str, crm_url: str, site_packages: str
) -> dict[str, Any]:
    """A full pass."""
    rows = 0
    client = ApiClient(Configuration(host=f"{url}/v3", access_token=token))
    listing = partial(
        ContactsApi(client).get_all_contacts,
        status="all",
        limit=500,
        include_count=True,
        include="list_memberships",
    )
    with _connected(crm_url, site_packages) as connection, gauge:
        connection.execute(CONTACTS)
        for page in _pages(client, listing):
            with connection.cursor() as cursor, cursor.copy(COPY_CONTACTS) as copy:
                for contact in page.contacts:
                    copy.write_row(_contact(contact))
            rows += len(page.contacts)
    return {"rows": rows}


def events(
    gauge: Gauge, *, url: str, token: str, crm_url: str, site_packages: str
) -> dict[str, Any]:
    """Every campaign, its activities, their six reports: in a loop, as a script would."""
    rows = stream = 0
    client = ApiClient(Configuration(host=f"{url}/v3", access_token=token))
    reports = EmailReportingApi(client)
    with _connected(crm_url, site_packages) as connection, gauge:
        connection.execute(EVENTS)
        for activity_id in _activity_ids(client, reports):
            for name in _TRACKERS:
                stream += 1
                report = partial(getattr(reports, name), activity_id, limit="500")
                for page in _pages(client, report):
                    with connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as copy:
                        for event in page.tracking_activities:
                            rows += 1
                            copy.write_row(_event(stream, rows, event))
    return {"rows": rows}


def _connected(crm_url: str, site_packages: str) -> Any:
    sys.path.append(site_packages)
    return import_module("psycopg").connect(crm_url, autocommit=True)


def _pages(client: Any, first: Callable[[], Any]) -> Iterator[Any]:
    """All pages of what `first` asks for.

    The SDK cannot follow next links by itself: its transport and its model read the others.
    """
    page = first()
    model = type(page).__name__
    while True:
        yield page
        if page.links is None or page.links.next is None:
            return
        parts = urlsplit(page.links.next.href)
        request = client.param_serialize(
            method="GET",
            resource_path=parts.path.removeprefix("/v3"),
            query_params=parse_qsl(parts.query),
            auth_settings=["oauth2_access_code"],
        )
        answer = client.call_api(*request)
        answer.read()
        page = client.response_deserialize(answer, {"200": model}).data


def _activity_ids(client: Any, reports: Any) -> list[str]:
    emails = EmailCampaignsApi(client)
    return [
        activity.campaign_activity_id
        for page in _pages(client, partial(reports.get_email_campaign_report, limit="500"))
        for campaign in page.bulk_email_campaign_summaries
        for activity in emails.get_email_campaign_by_id(campaign.campaign_id).campaign_activities
        if activity.role in _REPORTED
    ]


def _contact(contact: Any) -> tuple[Any, ...]:
    email = contact.email_address
    return (
        contact.contact_id,
        email and email.address,
        email and email.permission_to_send,
        email and email.opt_out_source,
        email and email.opt_out_date,
        email and email.opt_out_reason,
        contact.created_at,
        contact.updated_at,
        contact.deleted_at,
        contact.list_memberships,
    )


def _event(stream: int, number: int, event: Any) -> tuple[Any, ...]:
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
