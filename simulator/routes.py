"""Which path and method is which operation, and the scope its contract asks for."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import compile_path

from simulator import routes_account as account
from simulator import routes_contacts as contacts
from simulator import routes_emails as emails
from simulator import routes_reports as reports
from simulator.call import Call, Reply
from simulator.trackers import TRACKERS

CONTACT, CAMPAIGN, ACCOUNT = "contact_data", "campaign_data", "account_read"


@dataclass(frozen=True)
class Route:
    """One operation; `scope` None: any token will do."""

    template: str
    method: str
    scope: str | None
    handler: Callable[[Call], Reply]


_ACTIVITY = "/v3/reports/email_reports/{campaign_activity_id}"
_SUMMARIES = "/v3/reports/summary_reports/email_campaign_summaries"
_ACTIVITY_STATS = "/v3/reports/stats/email_campaign_activities/{campaign_activity_ids}"
_CAMPAIGN_STATS = "/v3/reports/stats/email_campaigns/{campaign_ids}"
_DETAILS = "/v3/reports/contact_reports/{contact_id}/activity_details"

#: A word stands before a placeholder in its place: no contact has the id "counts".
ROUTES = (
    Route("/v3/account/summary", "GET", ACCOUNT, account.summary),
    Route("/v3/account/user/privileges", "GET", None, account.privileges),
    Route("/v3/activities", "GET", CONTACT, account.activities),
    Route("/v3/activities/contacts_json_import", "POST", CONTACT, account.import_contacts),
    Route("/v3/activities/add_list_memberships", "POST", CONTACT, account.add_memberships),
    Route("/v3/activities/remove_list_memberships", "POST", CONTACT, account.remove_memberships),
    Route("/v3/activities/{activity_id}", "GET", CONTACT, account.activity),
    Route("/v3/contacts", "GET", CONTACT, contacts.contacts),
    Route("/v3/contacts", "POST", CONTACT, contacts.create_contact),
    Route("/v3/contacts/counts", "GET", CONTACT, contacts.counts),
    Route("/v3/contacts/resubscribe/{contact_id}", "PUT", CONTACT, contacts.resubscribe),
    Route("/v3/contacts/{contact_id}", "GET", CONTACT, contacts.contact),
    Route("/v3/contacts/{contact_id}", "PUT", CONTACT, contacts.replace_contact),
    Route("/v3/contacts/{contact_id}", "DELETE", CONTACT, contacts.delete_contact),
    Route("/v3/contact_lists", "GET", CONTACT, contacts.lists),
    Route("/v3/contact_lists", "POST", CONTACT, contacts.create_list),
    Route("/v3/contact_lists/{list_id}", "GET", CONTACT, contacts.contact_list),
    Route("/v3/contact_lists/{list_id}", "PUT", CONTACT, contacts.replace_list),
    Route("/v3/contact_lists/{list_id}", "DELETE", CONTACT, contacts.delete_list),
    Route("/v3/emails", "GET", CAMPAIGN, emails.emails),
    Route("/v3/emails/{campaign_id}", "GET", CAMPAIGN, emails.email),
    *(Route(f"{_ACTIVITY}/tracking/{t}", "GET", CAMPAIGN, reports.tracking) for t in TRACKERS),
    Route(f"{_ACTIVITY}/links", "GET", CAMPAIGN, reports.links),
    Route(_SUMMARIES, "GET", CAMPAIGN, reports.summaries),
    Route(_ACTIVITY_STATS, "GET", CAMPAIGN, reports.activity_stats),
    Route(_CAMPAIGN_STATS, "GET", CAMPAIGN, reports.campaign_stats),
    Route(_DETAILS, "GET", CONTACT, reports.contact_details),
)
_PATTERNS = {each.template: compile_path(each.template)[0] for each in ROUTES}


def find(path: str) -> tuple[dict[str, Route], dict[str, str]]:
    """The routes of this path by method, and the values of its placeholders."""
    for template, pattern in _PATTERNS.items():
        if match := pattern.match(path):
            found = {each.method: each for each in ROUTES if each.template == template}
            args = match.groupdict()
            if "/tracking/" in path:
                args["tracker"] = path.rpartition("/")[2]
            return found, args
    return {}, {}
