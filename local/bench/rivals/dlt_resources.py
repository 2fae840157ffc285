"""What the `dlt` rival is told to load; `replace` is the cheapest way to have all rows once."""

from typing import Any, Final

Resource = dict[str, Any]

CONTACTS: Final[list[Resource]] = [
    {
        "name": "contacts",
        "write_disposition": "replace",
        "endpoint": {
            "path": "contacts",
            "params": {
                "status": "all",
                "limit": 500,
                "include_count": "true",
                "include": "list_memberships",
            },
            "data_selector": "contacts",
        },
    }
]

TRACKERS: Final = ("sends", "opens", "clicks", "bounces", "forwards", "optouts")


def _tracker(name: str) -> Resource:
    return {
        "name": name,
        "write_disposition": "replace",
        "endpoint": {
            "path": (
                "reports/email_reports/{resources.activities.campaign_activity_id}/tracking/" + name
            ),
            "params": {"limit": 500},
            "data_selector": "tracking_activities",
            # a permalink has no report
            "response_actions": [{"status_code": 404, "action": "ignore"}],
        },
    }


EVENTS: Final[list[Resource]] = [
    {
        "name": "campaigns",
        "selected": False,
        "endpoint": {
            "path": "reports/summary_reports/email_campaign_summaries",
            "params": {"limit": 500},
            "data_selector": "bulk_email_campaign_summaries",
        },
    },
    {
        "name": "activities",
        "selected": False,
        "endpoint": {
            "path": "emails/{resources.campaigns.campaign_id}",
            "data_selector": "campaign_activities[?role != 'permalink']",
            "paginator": "single_page",
        },
    },
    *map(_tracker, TRACKERS),
]
