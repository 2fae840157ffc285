"""Which path and method is which operation, and the scope its contract asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator import routes_account, routes_contacts, routes_emails, routes_reports
from simulator.call import Call, Reply
from simulator.trackers import TRACKERS

Handler = Callable[[Call], Reply]
CONTACT, CAMPAIGN, ACCOUNT = "contact_data", "campaign_data", "account_read"


@dataclass(frozen=True)
class Route:
    """One operation; `scope` None: any token will do."""

    template: str
    method: str
    scope: str | None
    handler: Handler


_REPORTS = "/v3/reports"
_TRACKING = f"{_REPORTS}/email_reports/{{campaign_activity_id}}/tracking"

ROUTES = (
    Route("/v3/account/summary", "GET", ACCOUNT, routes_account.summary),
    Route("/v3/account/user/privileges", "GET", None, routes_account.privileges),
    Route("/v3/activities", "GET", CONTACT, routes_account.activities),
    Route("/v3/activities/contacts_json_import", "POST", CONTACT, routes_account.import_contacts),
    Route("/v3/activities/add_list_memberships", "POST", CONTACT, routes_account.add_memberships),
    Route(
        "/v3/activities/remove_list_memberships",
        "POST",
        CONTACT,
        routes_account.remove_memberships,
    ),
    Route("/v3/activities/{activity_id}", "GET", CONTACT, routes_account.activity),
    Route("/v3/contacts", "GET", CONTACT, routes_contacts.contacts),
    Route("/v3/contacts", "POST", CONTACT, routes_contacts.create_contact),
    Route("/v3/contacts/counts", "GET", CONTACT, routes_contacts.counts),
    Route("/v3/contacts/resubscribe/{contact_id}", "PUT", CONTACT, routes_contacts.resubscribe),
    Route("/v3/contacts/{contact_id}", "GET", CONTACT, routes_contacts.contact),
    Route("/v3/contacts/{contact_id}", "PUT", CONTACT, routes_contacts.replace_contact),
    Route("/v3/contacts/{contact_id}", "DELETE", CONTACT, routes_contacts.delete_contact),
    Route("/v3/contact_lists", "GET", CONTACT, routes_contacts.lists),
    Route("/v3/contact_lists", "POST", CONTACT, routes_contacts.create_list),
    Route("/v3/contact_lists/{list_id}", "GET", CONTACT, routes_contacts.contact_list),
    Route("/v3/contact_lists/{list_id}", "PUT", CONTACT, routes_contacts.replace_list),
    Route("/v3/contact_lists/{list_id}", "DELETE", CONTACT, routes_contacts.delete_list),
    Route("/v3/emails", "GET", CAMPAIGN, routes_emails.emails),
    Route("/v3/emails/{campaign_id}", "GET", CAMPAIGN, routes_emails.email),
    *(Route(f"{_TRACKING}/{each}", "GET", CAMPAIGN, routes_reports.tracking) for each in TRACKERS),
    Route(
        f"{_REPORTS}/email_reports/{{campaign_activity_id}}/links",
        "GET",
        CAMPAIGN,
        routes_reports.links,
    ),
    Route(
        f"{_REPORTS}/summary_reports/email_campaign_summaries",
        "GET",
        CAMPAIGN,
        routes_reports.summaries,
    ),
    Route(
        f"{_REPORTS}/stats/email_campaign_activities/{{campaign_activity_ids}}",
        "GET",
        CAMPAIGN,
        routes_reports.activity_stats,
    ),
    Route(
        f"{_REPORTS}/stats/email_campaigns/{{campaign_ids}}",
        "GET",
        CAMPAIGN,
        routes_reports.campaign_stats,
    ),
    Route(
        f"{_REPORTS}/contact_reports/{{contact_id}}/activity_details",
        "GET",
        CONTACT,
        routes_reports.contact_details,
    ),
)

_BY_LENGTH: dict[int, list[tuple[list[str], Route]]] = {}
for _each in ROUTES:
    _parts = _each.template.split("/")
    _BY_LENGTH.setdefault(len(_parts), []).append((_parts, _each))


def find(path: str) -> tuple[dict[str, Route], dict[str, str]]:
    """The routes of this path by method, and the values of its placeholders.

    A word in a template wins over a placeholder: no contact has the id "counts".
    """
    given = path.split("/")
    best: dict[str, Route] = {}
    args: dict[str, str] = {}
    fewest = 99
    for parts, route in _BY_LENGTH.get(len(given), ()):
        found: dict[str, str] = {}
        for want, have in zip(parts, given, strict=True):
            if want == have:
                continue
            if not want.startswith("{") or not have:
                break
            found[want[1:-1]] = have
        else:
            if len(found) < fewest:
                best, fewest = {}, len(found)
            if len(found) == fewest:
                best[route.method] = route
                args = found
    if best and "/tracking/" in path:
        args["tracker"] = given[-1]
    return best, args
