"""/reports."""

from typing import Any

from simulator import stats, trackers
from simulator.call import Call, Reply
from simulator.campaigns import Activity, Campaign
from simulator.clock import iso
from simulator.errors import invalid, not_found, refused
from simulator.events import BOUNCE_CODES, TYPES
from simulator.ids import is_uuid

MAX_STATS_ACTIVITIES, MAX_STATS_CAMPAIGNS = 10, 150
LANDING_PAGE_TYPES = {"p_contact_open", "p_contact_click", "p_contact_add", "p_contact_update"}
CONTACT_TYPES = {f"em_{each}" for each in TYPES} | LANDING_PAGE_TYPES


def tracking(call: Call) -> Reply:
    """GET /reports/email_reports/{campaign_activity_id}/tracking/…."""
    tracker = call.path_args["tracker"]
    own = {"clicks": {"url_id"}, "bounces": {"bounce_code"}}.get(tracker, set())
    call.read_query({"limit"} | own)
    activity = _activity(call)
    page = call.page(500, 500)
    url_id = call.value("url_id") if tracker == "clicks" else None
    if url_id is not None and not url_id.isdigit():
        raise call.bad("url_id must be a whole number")
    codes = call.values("bounce_code")
    for code in codes:
        if code not in BOUNCE_CODES:
            raise call.bad(f"bounce_code is invalid: {code!r}")
    total, found = trackers.positions(activity, tracker, url_id, codes)
    if "trackers" in call.world.settings.oldest_first:
        at = trackers.slice_oldest_first(total, found, page.offset, page.limit)
    else:
        at = trackers.slice_newest_first(total, found, page.offset, page.limit)
    rows = trackers.rows(call.world, activity, tracker, at)
    links = call.links(page, total, required=tracker in ("optouts", "bounces"))
    return Reply(200, {"tracking_activities": rows, **links})


def links(call: Call) -> Reply:
    """GET /reports/email_reports/{campaign_activity_id}/links."""
    call.read_query({"no_clicks"})
    activity = _activity(call)
    all_links = call.flag("no_clicks", False)
    unique = stats._counts(call.world, activity, "clicks").unique_by_detail
    counts = [
        {
            "link_url": link.url,
            "url_id": link.url_id,
            "unique_clicks": unique.get(number, 0),
        }
        for number, link in enumerate(activity.links)
        if all_links or unique.get(number, 0)
    ]
    return Reply(200, {"campaign_activity_id": activity.activity_id, "link_click_counts": counts})


def summaries(call: Call) -> Reply:
    """GET /reports/summary_reports/email_campaign_summaries."""
    call.read_query({"limit"})
    page = call.page(50, 500)
    sent = [each for each in call.world.campaigns.campaigns.values() if _sent(each)]
    sent.sort(key=lambda each: (-each.last_sent_ms, each.campaign_id))
    if "summaries" in call.world.settings.oldest_first:
        sent.reverse()
    shown, total = [], dict[str, int]()
    for campaign in sent[page.offset : page.offset + page.limit]:
        numbers = stats.campaign_stats(call.world, _sent(campaign))
        for name, number in numbers.items():
            total[name] = total.get(name, 0) + number
        shown.append(
            {
                "campaign_id": campaign.campaign_id,
                "campaign_type": campaign.type,
                "last_sent_date": iso(campaign.last_sent_ms),
                "unique_counts": stats.summary_counts(call.world, _sent(campaign)),
            }
        )
    body: dict[str, Any] = {"bulk_email_campaign_summaries": shown}
    if shown:
        body["aggregate_percents"] = stats.percents(total)
    return Reply(200, body | call.links(page, len(sent)))


def activity_stats(call: Call) -> Reply:
    """GET /reports/stats/email_campaign_activities/…."""
    results, errors = [], []
    for each in _ids(call, "campaign_activity_ids", MAX_STATS_ACTIVITIES):
        activity = call.world.campaigns.activities.get(each)
        if activity is None or not activity.reported:
            if call.world.settings.refuse_unknown_stats:
                raise not_found("campaign_activity_ids", single=True)
            errors.append(_stats_error("campaign_activity", each))
            continue
        results.append(
            {
                "campaign_id": activity.campaign.campaign_id,
                "campaign_activity_id": each,
                "stats": stats.activity_stats(call.world, activity),
                "last_refresh_time": iso(stats.refreshed_ms(call.world)),
            }
        )
    return Reply(200, {"results": results, "errors": errors})


def campaign_stats(call: Call) -> Reply:
    """GET /reports/stats/email_campaigns/…."""
    results, errors = [], []
    for each in _ids(call, "campaign_ids", MAX_STATS_CAMPAIGNS):
        campaign = call.world.campaigns.campaigns.get(each)
        activities = _sent(campaign) if campaign else []
        if not activities:
            errors.append(_stats_error("campaign", each))
            continue
        numbers = stats.campaign_stats(call.world, activities)
        results.append(
            {
                "campaign_id": each,
                "stats": numbers,
                "percents": stats.all_percents(numbers),
                "last_refresh_time": iso(stats.refreshed_ms(call.world)),
            }
        )
    return Reply(200, {"results": results, "errors": errors})


def contact_details(call: Call) -> Reply:
    """Activity of one contact, newest first."""
    call.read_query(
        {
            "tracking_activities_list",
            "tracking_activity_type",
            "include_campaign_activity_names",
            "limit",
        }
    )
    # The contract calls the list comma-delimited and its collectionFormat multi: both are read.
    as_list = [t for each in call.values("tracking_activities_list") for t in each.split(",")]
    as_array = call.values("tracking_activity_type")
    if bool(as_list) == bool(as_array):
        raise call.bad("give either tracking_activities_list or tracking_activity_type")
    for each in (*as_list, *as_array):
        if each not in CONTACT_TYPES:
            raise call.bad(f"tracking activity type is invalid: {each!r}")
    with_names = call.flag("include_campaign_activity_names", True)
    page = call.page(100, 100)
    world = call.world
    try:
        row = world.contacts.find(call.path_args["contact_id"])
    except ValueError as error:
        raise invalid("contact_id is not a UUID") from error
    if row is None:
        raise not_found("contact_id", single=True)
    found = []
    for activity in world.campaigns.activities.values():
        if not activity.reported:
            continue
        for name in (*as_list, *as_array):
            stream = activity.streams.get(name.removeprefix("em_"))
            if stream is not None and len(stream):
                for at in stream.rows["at_ms"][stream.rows["contact"] == row].tolist():
                    found.append((at, name, activity))
    found.sort(key=lambda each: -each[0])
    shown = []
    for at, name, activity in found[page.offset : page.offset + page.limit]:
        item = {
            "contact_id": world.contacts.id_text(row),
            "campaign_activity_id": activity.activity_id,
            "created_time": iso(at),
            "tracking_activity_type": name,
        }
        if with_names:
            item["campaign_activity_name"] = activity.campaign.name
        shown.append(item)
    return Reply(200, {"tracking_activities": shown, **call.links(page, len(found))})


def _activity(call: Call) -> Activity:
    activity = call.world.campaigns.activities.get(call.path_args["campaign_activity_id"].lower())
    if activity is None or not activity.reported:
        raise not_found("campaign_activity_id", single=True)
    return activity


def _sent(campaign: Campaign) -> list[Activity]:
    """The activities of a campaign that have reports."""
    return [each for each in campaign.activities if each.reported]


def _ids(call: Call, name: str, most: int) -> list[str]:
    call.read_query(set())
    ids = [each.lower() for each in call.path_args[name].split(",")]
    if len(ids) > most:
        raise call.bad(f"{name}: at most {most}")
    for each in ids:
        if not is_uuid(each):
            raise refused(
                404,
                f"reportingsvc.not_found.invalid_path_param.{name}",
                f"Invalid {name}: {each}",
                single=True,
            )
    return ids


def _stats_error(what: str, each: str) -> dict[str, str]:
    return {
        "error_key": f"reportingsvc.not_found.invalid_path_param.{what}_ids",
        "error_message": f"Could not find any stats for {what} {each}.",
    }
