"""What the jobs rely on when they read campaigns, reports and bulk jobs."""

from functools import partial
from typing import Final

from constant_contact.api import vendor
from constant_contact.sync.check.assumptions import Assumption, Side

_read = partial(Assumption, side=Side.READS)


CAMPAIGNS_PER_PAGE: Final = _read(
    name="campaigns_per_page",
    states=f"A page has up to {vendor.CAMPAIGNS_PER_PAGE} campaigns.",
    source="retrieveEmailCampaignsUsingGET: limit",
    otherwise="A refused limit fails the job; smaller pages cost more calls.",
)
CAMPAIGN_STATUSES: Final = _read(
    name="campaign_statuses",
    states="current_status is one of the contract's values.",
    source="EmailCampaigns.current_status",
    otherwise="A campaign of another status is asked for its activities, and these for reports.",
)
CAMPAIGN_DATES: Final = _read(
    name="campaign_dates",
    states="after_date brings the campaigns that were updated since, and no others.",
    source="retrieveEmailCampaignsUsingGET: after_date",
    otherwise="What it brings too much costs calls; of what it leaves out, a new name is not seen. "
    "A sent campaign is found by the summary report.",
)
SUMMARIES_PER_PAGE: Final = _read(
    name="summaries_per_page",
    states=f"A page has the summaries of up to {vendor.SUMMARIES_PER_PAGE} campaigns.",
    source="getAllBulkEmailCampaignSummaries: limit",
    otherwise="A refused limit fails the job; smaller pages cost more calls.",
)
SUMMARY_ORDER: Final = _read(
    name="summary_order",
    states="The campaign that was sent last comes first.",
    source="getAllBulkEmailCampaignSummaries",
    otherwise="Nothing: every page is read each night.",
    remedy="Nothing.",
)
SUMMARY_FIELDS: Final = _read(
    name="summary_fields",
    states="Each summary has six unique counts.",
    source="BulkEmailCampaignSummary.unique_counts",
    otherwise="The count that is left out is not compared with the ledger; such campaigns are "
    "counted in the log.",
)
ROLES: Final = _read(
    name="roles",
    states="An activity's role is primary_email, resend or permalink.",
    source="ActivityReference.role",
    otherwise="An activity of another role is asked for its reports; whether it has any is shown.",
)
STATS_OF_TEN: Final = _read(
    name="stats_of_ten",
    states="One call brings the statistics of ten activities.",
    source="getEmailCampaignActivitySummary: campaign_activity_ids",
    otherwise="A call that is refused is repeated for each activity: ten times the calls.",
)
UNKNOWN_STATS: Final = _read(
    name="unknown_stats",
    states="The statistics of unknown activities are left out, and the others come.",
    source="getEmailCampaignActivitySummary: errors",
    otherwise="A call that is refused is repeated for each activity.",
)
STATS_FIELDS: Final = _read(
    name="stats_fields",
    states="Statistics count sends, opens, clicks, bounces, forwards and opt-outs.",
    source="StatsEmailActivity",
    otherwise="A tracker without a count is read every night while its campaign is young.",
)
SUMMARY_COUNTS: Final = _read(
    name="summary_counts",
    states="A campaign's summary counts contacts, as the unique counts of its statistics.",
    source="not documented",
    otherwise="What another way to count explains for three campaigns and half of them (all "
    "events, a contact once a campaign or a link) is compared that way. Else those that count "
    "more than the ledger has are findings on the overview.",
)
EVENTS_PER_PAGE: Final = _read(
    name="events_per_page",
    states=f"A page of a tracker has up to {vendor.EVENTS_PER_PAGE} events.",
    source="getSends: limit",
    otherwise="A tracker that refuses the limit is named, and asked again a day later; smaller "
    "pages cost more calls.",
)
TRACKER_ORDER: Final = _read(
    name="tracker_order",
    states="A tracker shows the newest event first.",
    source="getSends",
    otherwise="Where the counts say that events are missing, the tracker is read to its end.",
    remedy="Run constant_contact_activities with reread=true if the overview has findings.",
)
TRACKER_COUNTS: Final = _read(
    name="tracker_counts",
    states="Statistics count as many events as the trackers list.",
    source="StatsEmailActivity.em_sends and its siblings",
    otherwise="Where more are counted than listed, the tracker is read whole once, and the "
    "shortfall is shown. A tracker is read when its count moves: while the statistics lag, its "
    "events come later.",
    remedy="Compare again after a day. If it stays so, run constant_contact_activities with "
    "reread=true each week.",
)
EVENT_FIELDS: Final = _read(
    name="event_fields",
    states="Each event has a contact and a time.",
    source="TrackingActivity.contact_id, created_time",
    otherwise="An event without one cannot be stored; they are counted and named in the log.",
)
EVENT_TYPES: Final = _read(
    name="event_types",
    states="The rows of a tracker say that they are of its type.",
    source="TrackingActivity.tracking_activity_type",
    otherwise="They are kept as the tracker's type, counted and named in the log.",
)
CLICKED_LINKS: Final = _read(
    name="clicked_links",
    states="A click names its link.",
    source="ClicksTrackingActivity.url_id, link_url",
    otherwise="The click is kept without it; clicks of one contact at one time differ by "
    "their order.",
)
DEVICE_TYPES: Final = _read(
    name="device_types",
    states="A device is one of the contract's.",
    source="StatsEmailActivity: em_opens_all_…",
    otherwise="It is kept as it is, counted and named in the log.",
)
BOUNCE_CODES: Final = _read(
    name="bounce_codes",
    states="A bounce code is one of the contract's.",
    source="BouncesTrackingActivity.bounce_code",
    otherwise="It is kept as it is, counted and named in the log.",
)
UNKNOWN_REPORTS: Final = _read(
    name="unknown_reports",
    states="A report that does not exist is refused, with the vendor's words.",
    source="getSends: 404",
    otherwise="A tracker of an activity without reports ends the run red each night; the others "
    "are read.",
)
JOBS_PER_PAGE: Final = _read(
    name="jobs_per_page",
    states=f"A page has up to {vendor.ACTIVITIES_PER_PAGE} bulk jobs.",
    source="getActivityStatusCollection: limit",
    otherwise="A refused limit stops memberships while more than one of their bulk jobs is open.",
)
JOB_STATES: Final = _read(
    name="job_states",
    states="A bulk job's state is one of the contract's.",
    source="Activity.state",
    otherwise="A job in another state counts as not ended for a day; then the mirror decides.",
)
