"""What the vendor fixes, as data, each with its source.

Sources: the V3 contract by operationId, the vendor's API guide by page, or its staff's word in
the developer forum.
"""

from dataclasses import dataclass
from typing import Final

DEFAULT_BASE_URL: Final = "https://api.cc.email"
DEFAULT_API_VERSION: Final = "v3"
# https://developer.constantcontact.com/api_guide/auth_overview.html
DEFAULT_AUTHORIZE_URL: Final = "https://authz.constantcontact.com/oauth2/default/v1/authorize"
DEFAULT_TOKEN_URL: Final = "https://authz.constantcontact.com/oauth2/default/v1/token"  # noqa: S105
REQUIRED_SCOPES: Final = ("contact_data", "campaign_data", "offline_access")

# Either kind of refresh token dies after so long without use (vendor staff); we warn before.
REFRESH_IDLE_DAYS: Final = 180
REFRESH_WARN_DAYS: Final = 150
# getUserPrivileges: needs no scope, so a 403 there means a deactivated application.
PRIVILEGES_PATH: Final = "/account/user/privileges"

# The largest page each listing gives; the default is 50, so every call names it.
LISTS_PER_PAGE: Final = 500  # getLists: limit by its text; its maximum says 1000
CONTACTS_PER_PAGE: Final = 500  # getContacts: limit
CAMPAIGNS_PER_PAGE: Final = 500  # retrieveEmailCampaignsUsingGET: limit
SUMMARIES_PER_PAGE: Final = 500  # getAllBulkEmailCampaignSummaries: limit
EVENTS_PER_PAGE: Final = 500  # getSends and its siblings: limit
ACTIVITIES_PER_STATS_CALL: Final = 10  # getEmailCampaignActivitySummary: maximum

CONTACTS_PER_CHANGE: Final = 500  # postListAddContact: source.contact_ids, maxItems
LISTS_PER_CHANGE: Final = 50  # postListAddContact: list_ids
LISTS_PER_CONTACT: Final = 50  # postListAddContact: its text
ACTIVITIES_PER_PAGE: Final = 500  # getActivityStatusCollection: limit
JOBS_FAILED: Final = frozenset({"failed", "timed_out"})  # Activity.state; likewise below
JOBS_ENDED: Final = JOBS_FAILED | {"completed", "cancelled"}
JOB_STATES: Final = JOBS_ENDED | {"initialized", "processing"}
# bulkImportContactsJSON drops what is beyond 4 MB and 40,000 contacts without a word. Headroom:
# bytes are estimated, and the contact at the edge of a batch belongs to it.
IMPORT_BYTES: Final = 3_500_000
IMPORT_CONTACTS: Final = 39_500
IMPORT_EMAIL_CHARS: Final = 50  # JsonImportContact.email: maxLength
EMAIL_CHARS: Final = 80  # EmailAddressPost.address: maxLength
NAME_CHARS: Final = 50  # ContactPostRequest.first_name, last_name: maxLength
ANNIVERSARY_CHARS: Final = 10  # ContactPutRequest.anniversary: maxLength

OPT_OUT_REASON_CHARS: Final = 255  # EmailAddressPut.opt_out_reason: maxLength

# ActivityReference.role: the permalink is a web page and has no report. An activity of another
# role, or of none, may have one.
REPORTED_ROLES: Final = frozenset({"primary_email", "resend"})
UNREPORTED_ROLES: Final = frozenset({"permalink"})
# EmailCampaigns.current_status. What was sent is in the summary report, or has no report; a
# campaign of another status may have reports that the summary leaves out.
CAMPAIGN_STATUSES: Final = frozenset(
    {"Draft", "Scheduled", "Executing", "Done", "Error", "Removed"}
)
# EmailAddress.permission_to_send, .opt_out_source; StatsEmail names the devices;
# BouncesTrackingActivity.bounce_code.
PERMISSIONS: Final = frozenset(
    {"explicit", "implicit", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"}
)
OPT_OUT_SOURCES: Final = frozenset({"Account", "Contact"})
DEVICE_TYPES: Final = frozenset({"computer", "mobile", "tablet", "other", "none"})
BOUNCE_CODES: Final = frozenset("BDFSVXZ")
AB_TEST_TYPE_CODE: Final = 57  # EmailCampaigns.type_code


@dataclass(frozen=True)
class RatePlan:
    """How many calls one API key has; the day ends at 00:00 UTC."""

    calls_per_second: float
    calls_per_day: int


# https://developer.constantcontact.com/api_guide/intro.html (rate limits); the partner plan by the
# integration guide this project follows. Vendor staff have also named 10/s: a setting overrides.
RATE_PLANS: Final = {
    "standard": RatePlan(calls_per_second=4, calls_per_day=10_000),
    "partner": RatePlan(calls_per_second=20, calls_per_day=250_000),
}


@dataclass(frozen=True)
class Tracker:
    """One engagement report of a campaign activity.

    Attributes:
        activity_type: The CRM's word for it, as in the table ctct_activity_type.
        path_part: Last part of `/reports/email_reports/{id}/tracking/…` (getSends and siblings);
            also its name in UniqueEmailCounts, the summary report's count of contacts.
        count_field: Its number of rows in StatsEmailActivity. Opens and clicks have one that
            counts repeats; of the others the vendor gives distinct recipients only.
    """

    activity_type: str
    path_part: str
    count_field: str

    @property
    def row_type(self) -> str:
        """What its rows say they are: TrackingActivity.tracking_activity_type."""
        return f"em_{self.path_part}"


TRACKERS: Final = (
    Tracker("send", "sends", "em_sends"),
    Tracker("open", "opens", "em_opens_all"),
    Tracker("click", "clicks", "em_clicks_all"),
    Tracker("bounce", "bounces", "em_bounces"),
    Tracker("forward", "forwards", "em_forwards"),
    Tracker("opt_out", "optouts", "em_optouts"),
)
TRACKER_BY_TYPE: Final = {tracker.activity_type: tracker for tracker in TRACKERS}
