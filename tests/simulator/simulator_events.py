"""Events of the simulated account, and where its reports are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator_client import Api

NOBODY = "00000000-0000-0000-0000-000000000000"
STATS = "/reports/stats/email_campaign_activities"


def tracking(activity: str, tracker: str) -> str:
    return f"/reports/email_reports/{activity}/tracking/{tracker}"


def rows(api: Api, activity: str, tracker: str, **query: Any) -> list[dict[str, Any]]:
    pages = api.pages(tracking(activity, tracker), **query)
    return [each for page in pages for each in page["tracking_activities"]]


def event(sent: dict[str, Any], who: int, kind: str, at: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "campaign_activity_id": sent["activity"],
        "contact_id": sent["ids"][who],
        "created_time": f"2026-03-01T{at}Z",
        **more,
    }
