"""Read the whole account through the vendor's own SDK and print what was found, as JSON.

Runs in an environment of its own, which has the SDK and not this project:
``python read_everything.py BASE_URL ACCESS_TOKEN``. Every answer passes through the SDK's models,
so a body that the vendor's contract does not allow is an error here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from constant_contact_api_client import ApiClient, Configuration
from constant_contact_api_client.api.bulk_activities_api import BulkActivitiesApi
from constant_contact_api_client.api.contact_lists_api import ContactListsApi
from constant_contact_api_client.api.contacts_api import ContactsApi
from constant_contact_api_client.api.contacts_reporting_api import ContactsReportingApi
from constant_contact_api_client.api.email_campaigns_api import EmailCampaignsApi
from constant_contact_api_client.api.email_reporting_api import EmailReportingApi

TRACKERS = {
    "sends": "get_email_sends_report",
    "opens": "get_email_opens_report",
    "unique_opens": "get_unique_opens_report",
    "didnotopens": "get_did_not_opens_report",
    "clicks": "get_clicks_report",
    "forwards": "get_forwards_report",
    "optouts": "get_optouts_report",
    "bounces": "get_bounces_report",
}


class Reader:
    def __init__(self, base_url: str, token: str) -> None:
        self.client = ApiClient(Configuration(host=f"{base_url}/v3", access_token=token))

    def pages(self, method: Any, *args: Any, **query: Any) -> list[Any]:
        """All pages of an operation. The SDK cannot follow next links by itself: its transport
        and the model of the first page read the others."""
        found = [method(*args, **query)]
        while href := self._next(found[-1]):
            parts = urlsplit(href)
            request = self.client.param_serialize(
                method="GET",
                resource_path=parts.path.removeprefix("/v3"),
                query_params=parse_qsl(parts.query),
                auth_settings=["oauth2_access_code"],
            )
            answer = self.client.call_api(*request)
            answer.read()
            model = type(found[0]).__name__
            found.append(self.client.response_deserialize(answer, {"200": model}).data)
        return found

    @staticmethod
    def _next(page: Any) -> str | None:
        links = page.links
        return links.next.href if links is not None and links.next is not None else None


def main(base_url: str, token: str) -> dict[str, Any]:
    reader = Reader(base_url, token)
    lists_api, contacts_api = ContactListsApi(reader.client), ContactsApi(reader.client)
    emails, reports = EmailCampaignsApi(reader.client), EmailReportingApi(reader.client)
    lists = [
        each
        for page in reader.pages(lists_api.get_all_lists, limit=3, include_membership_count="all")
        for each in page.lists
    ]
    contacts = [
        each
        for page in reader.pages(
            contacts_api.get_all_contacts,
            status="all",
            limit=200,
            include="list_memberships",
        )
        for each in page.contacts
    ]
    campaigns = [
        each
        for page in reader.pages(emails.get_all_email_campaigns, limit=5)
        for each in page.campaigns
    ]
    activities = [
        activity.campaign_activity_id
        for each in campaigns
        for activity in emails.get_email_campaign_by_id(each.campaign_id).campaign_activities
    ]
    reported, stats, events, links = [], {}, Counter(), 0
    for at in range(0, len(activities), 10):
        chunk = ",".join(activities[at : at + 10])
        for result in reports.get_email_campaign_activity_report(chunk).results:
            reported.append(result.campaign_activity_id)
            stats[result.campaign_activity_id] = result.stats.to_dict()
    rows: dict[str, list[str]] = {}
    for activity in reported:
        for name, operation in TRACKERS.items():
            method = getattr(reports, operation)
            for page in reader.pages(method, activity, limit="100"):
                events[name] += len(page.tracking_activities)
                rows.setdefault(name, []).extend(
                    f"{each.contact_id} {each.created_time.isoformat()}"
                    for each in page.tracking_activities
                )
        links += len(
            reports.get_campaign_activity_link_report(activity, no_clicks=True).link_click_counts
        )
    summaries = [
        each
        for page in reader.pages(reports.get_email_campaign_report, limit="5")
        for each in page.bulk_email_campaign_summaries
    ]
    sent = ",".join(each.campaign_id for each in summaries)
    details = ContactsReportingApi(reader.client).get_contact_tracking_report
    first = contacts[0].contact_id
    return {
        "lists": {each.list_id: each.membership_count for each in lists},
        "contacts": Counter("deleted" if each.deleted_at else "live" for each in contacts),
        "contact_ids": [each.contact_id for each in contacts],
        "permissions": Counter(
            each.email_address.permission_to_send
            for each in contacts
            if each.email_address and not each.deleted_at
        ),
        "campaigns": len(campaigns),
        "activities": len(activities),
        "reported": reported,
        "events": events,
        "stats": stats,
        "links": links,
        "summaries": [each.unique_counts.sends for each in summaries],
        "campaign_stats": [
            each.stats.em_sends for each in reports.get_email_stats_report(sent).results
        ],
        "of_first_contact": sum(
            len(page.tracking_activities)
            for page in reader.pages(
                details, first, tracking_activities_list=["em_sends", "em_opens"], limit="5"
            )
        ),
        "first_contact_rows": sum(
            row.startswith(first) for name in ("sends", "opens") for row in rows[name]
        ),
        "counts": contacts_api.get_contact_counts().to_dict(),
        "bulk": len(BulkActivitiesApi(reader.client).get_all_activities().activities),
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
