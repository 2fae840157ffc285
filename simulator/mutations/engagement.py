"""Mutations of campaigns, reports and bulk jobs that are read."""

from simulator.mutations.mutation import mutation, nulls, page_500, refused, small_pages, unknown

ENGAGEMENT = (
    mutation("campaigns_per_page", "a limit over 100 is refused", small_pages("^/v3/emails$")),
    mutation("campaign_statuses", "Done is called Sent", status_names={"Done": "Sent"}),
    mutation("campaign_dates", "after_date is ignored", ignored_parameters=["after_date"]),
    mutation("summaries_per_page", "a limit over 100 is refused", small_pages("/summary_reports/")),
    mutation("summary_order", "the oldest comes first", oldest_first=["summaries"]),
    mutation("summary_fields", "no summary counts opens", nulls("/summary_reports/", "opens")),
    mutation("roles", "primary_email has another name", role_names={"primary_email": "encore"}),
    mutation(
        "stats_of_ten",
        "more than two ids are refused",
        refused("/email_campaign_activities/(?:[^,]*,){2}", 400, "reportingsvc.too_many"),
    ),
    mutation("unknown_stats", "one unknown id refuses the call", refuse_unknown_stats=True),
    mutation("stats_fields", "statistics do not count all opens", nulls("/stats/", "em_opens_all")),
    mutation("summary_counts", "all events are counted", summary_counts="events"),
    mutation("events_per_page", "a limit over 100 is refused", small_pages("/tracking/")),
    mutation("tracker_order", "the oldest comes first", oldest_first=["trackers"]),
    mutation("tracker_counts", "statistics count more opens than are listed", surplus_opens=5),
    mutation("event_fields", "clicks have no time", nulls("/tracking/clicks", "created_time")),
    mutation(
        "event_types",
        "rows have a type that is not the tracker's",
        unknown("/tracking/", "tracking_activity_type"),
    ),
    mutation(
        "clicked_links",
        "clicks do not name their link",
        nulls("/tracking/clicks", "url_id", "link_url"),
    ),
    mutation("device_types", "all devices are new ones", unknown("/tracking/", "device_type")),
    mutation("bounce_codes", "all codes are new ones", unknown("/tracking/", "bounce_code")),
    mutation(
        "unknown_reports",
        "a report that does not exist is answered with 500 and HTML",
        page_500("/tracking/", instead_of=404),
    ),
    mutation("jobs_per_page", "a limit over 100 is refused", small_pages("^/v3/activities$")),
    mutation("job_states", "each state has a new name", unknown("^/v3/activities", "state")),
)
