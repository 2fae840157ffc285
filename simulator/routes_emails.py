"""/emails."""

from typing import Any

from simulator.call import Call, Reply
from simulator.campaigns import Campaign
from simulator.clock import iso
from simulator.errors import not_found


def emails(call: Call) -> Reply:
    """All campaigns, removed ones too; newest created first. Both dates are exclusive."""
    call.read_query({"limit", "before_date", "after_date"})
    page = call.page(50, 500)
    after, before = call.instant("after_date"), call.instant("before_date")
    chosen = [
        each
        for each in call.world.campaigns.campaigns.values()
        if (after is None or each.updated_ms > after)
        and (before is None or each.updated_ms < before)
    ]
    chosen.sort(key=lambda each: (-each.created_ms, each.campaign_id))
    shown = [as_json(call, each) for each in chosen[page.offset : page.offset + page.limit]]
    return Reply(200, {"campaigns": shown, **call.links(page, len(chosen))})


def email(call: Call) -> Reply:
    """GET /emails/{campaign_id}."""
    call.read_query(set())
    campaign = call.world.campaigns.campaigns.get(call.path_args["campaign_id"].lower())
    if campaign is None:
        raise not_found("campaign_id")
    named = call.world.settings.role_names
    activities = [
        {"campaign_activity_id": each.activity_id, "role": named.get(each.role, each.role)}
        for each in campaign.activities
    ]
    return Reply(200, {"campaign_activities": activities, **as_json(call, campaign)})


def as_json(call: Call, campaign: Campaign) -> dict[str, Any]:
    """The campaign as the contract shows it."""
    return {
        "campaign_id": campaign.campaign_id,
        "created_at": iso(campaign.created_ms),
        "current_status": call.world.settings.status_names.get(campaign.status, campaign.status),
        "name": campaign.name,
        "type": campaign.type,
        "type_code": campaign.type_code,
        "updated_at": iso(campaign.updated_ms),
    }
