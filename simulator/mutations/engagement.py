"""Mutations of campaigns, reports and bulk jobs that are read."""

from typing import Any

from simulator.mutations.mutation import Mutation, fault, no_500, nulls, refusal, unknown

_HTML: dict[str, Any] = {
    "status": 500,
    "body": "<html><title>Error</title></html>",
    "content_type": "text/html",
}

ENGAGEMENT = (
    Mutation("campaigns_per_page", "limit=500 is refused", faults=(no_500("^/v3/emails$"),)),
    Mutation(
        "campaign_statuses",
        "Done is called Sent",
        settings={"status_names": {"Done": "Sent"}},
    ),
    Mutation(
        "campaign_dates", "after_date is ignored", settings={"ignored_parameters": ["after_date"]}
    ),
    Mutation(
        "summaries_per_page", "limit=500 is refused", faults=(no_500("/summary_reports/"),)
    ),
    Mutation(
        "summary_order", "the oldest comes first", settings={"oldest_first": ["summaries"]}
    ),
    Mutation(
        "summary_fields",
        "no summary counts opens",
        faults=(nulls("/summary_reports/", "opens"),),
    ),
    Mutation(
        "roles",
        "primary_email has another name",
        settings={"role_names": {"primary_email": "encore"}},
    ),
    Mutation(
        "stats_of_ten",
        "more than two ids are refused",
        faults=(
            fault(
                "status", "/email_campaign_activities/(?:[^,]*,){2}", status=400,
                body=refusal("reportingsvc.too_many"),
            ),
        ),
    ),
    Mutation(
        "unknown_stats",
        "one unknown id refuses the call",
        settings={"refuse_unknown_stats": True},
    ),
    Mutation(
        "stats_fields",
        "statistics do not count all opens",
        faults=(nulls("/stats/", "em_opens_all"),),
    ),
    Mutation("summary_counts", "all events are counted", settings={"summary_counts": "events"}),
    Mutation("events_per_page", "limit=500 is refused", faults=(no_500("/tracking/"),)),
    Mutation("tracker_order", "the oldest comes first", settings={"oldest_first": ["trackers"]}),
    Mutation(
        "tracker_counts",
        "statistics count more opens than are listed",
        settings={"surplus_opens": 5},
    ),
    Mutation(
        "event_fields",
        "clicks have no time",
        faults=(nulls("/tracking/clicks", "created_time"),),
    ),
    Mutation(
        "event_types",
        "rows have a type that is not the tracker's",
        faults=(unknown("/tracking/", "tracking_activity_type"),),
    ),
    Mutation(
        "clicked_links",
        "clicks do not name their link",
        faults=(nulls("/tracking/clicks", "url_id", "link_url"),),
    ),
    Mutation(
        "device_types", "all devices are new ones", faults=(unknown("/tracking/", "device_type"),)
    ),
    Mutation(
        "bounce_codes", "all codes are new ones", faults=(unknown("/tracking/", "bounce_code"),)
    ),
    Mutation(
        "unknown_reports",
        "a report that does not exist is answered with 500 and HTML",
        faults=(fault("other_refusal", "/tracking/", instead_of=404, **_HTML),),
    ),
    Mutation("jobs_per_page", "limit=500 is refused", faults=(no_500("^/v3/activities$"),)),
    Mutation(
        "job_states",
        "each state has a new name",
        faults=(unknown("^/v3/activities", "state"),),
    ),
)  # fmt: skip
