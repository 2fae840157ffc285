"""Mutations: a vendor that differs in one point from what the simulator takes it to be.

Each is data: settings and faults that stay until `reset`. Its point is the name of what a client
may have assumed; a point may have several mutations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.settings import update

if TYPE_CHECKING:
    from simulator.world import World

#: No test makes so many calls.
_ALWAYS = 1_000_000


@dataclass(frozen=True)
class Mutation:
    """One difference.

    Attributes:
        point: What it differs in.
        differs: How, in words.
        settings: Fields of `Settings`.
        faults: As `add_fault` takes them; each hits every call that it matches.
        ahead_s: How far the clock is ahead.
    """

    point: str
    differs: str
    settings: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    ahead_s: float = 0

    def apply(self, world: World) -> None:
        """Let the vendor differ so from now on."""
        update(world.settings, self.settings)
        for fault in self.faults:
            world.faults.add({"times": _ALWAYS, **fault})
        world.clock.set(advance_s=self.ahead_s)

    def as_json(self) -> dict[str, str]:
        """As the control API shows it."""
        return {"point": self.point, "differs": self.differs}


def _refusal(key: str, message: str = "Refused.") -> list[dict[str, str]]:
    return [{"error_key": key, "error_message": message}]


def _fault(
    kind: str, path: str, *, method: str | None = None, query: str | None = None,
    holds: str | None = None, **params: Any,
) -> dict[str, Any]:  # fmt: skip
    match = {"path": path, "method": method, "query": query, "body": holds}
    return {"kind": kind, "match": match, "params": params}


def _no_500(path: str) -> dict[str, Any]:
    refused = _refusal("query.param.invalid", "limit must be from 1 to 100")
    return _fault("status", path, query="limit=500", status=400, body=refused)


def _unknown(path: str, name: str) -> dict[str, Any]:
    return _fault("unknown_fields", path, method="GET", enums=[name])


def _nulls(path: str, *names: str) -> dict[str, Any]:
    return _fault("nulls", path, fields=list(names))


def _failing(kind: str) -> dict[str, Any]:
    return _fault("failed_job", f"^/v3/activities/{kind}$", method="POST")


_HTML: dict[str, Any] = {
    "status": 500,
    "body": "<html><title>Error</title></html>",
    "content_type": "text/html",
}
_FORBIDDEN: dict[str, Any] = {"status": 403, "body": _refusal("forbidden", "You lack a privilege.")}
_SOME_PRIVILEGES = [{"privilege_id": 20, "privilege_name": "contacts:read"}]

MUTATIONS = (
    Mutation("token", "every call is answered 401", faults=(_fault("unauthorized", "^/v3/"),)),
    Mutation(
        "scopes",
        "campaigns and reports are answered 403",
        faults=(_fault("status", "^/v3/(emails|reports)", **_FORBIDDEN),),
    ),
    Mutation(
        "privileges",
        "the user may read contacts and nothing else; writes are answered 403",
        faults=(
            _fault("status", "privileges$", status=200, body=_SOME_PRIVILEGES),
            *(_fault("status", "^/v3/", method=verb, **_FORBIDDEN) for verb in ("POST", "PUT")),
        ),
    ),
    Mutation(
        "call_limits",
        "replies say how many calls the day has",
        settings={"extra_headers": {"x-ratelimit-limit-day": "10000"}},
    ),
    Mutation("clocks", "the vendor's clock is two hours ahead", ahead_s=7200),
    Mutation("clocks", "the vendor's clock is two hours behind", ahead_s=-7200),
    Mutation("lists_per_page", "limit=500 is refused", faults=(_no_500("^/v3/contact_lists$"),)),
    Mutation(
        "list_counts",
        "no list tells its members' number",
        faults=(_nulls("^/v3/contact_lists$", "membership_count"),),
    ),
    Mutation("contacts_per_page", "limit=500 is refused", faults=(_no_500("^/v3/contacts$"),)),
    Mutation(
        "contact_count",
        "include_count is ignored",
        settings={"ignored_parameters": ["include_count"]},
    ),
    Mutation(
        "contact_counts",
        "the counts are null",
        faults=(
            _nulls(
                "^/v3/contacts/counts$", "total", "explicit", "implicit", "pending", "unsubscribed"
            ),
        ),
    ),
    Mutation(
        "list_memberships", "include is ignored", settings={"ignored_parameters": ["include"]}
    ),
    Mutation(
        "permissions",
        "each permission has a new name when it is read",
        faults=(_unknown("^/v3/contacts", "permission_to_send"),),
    ),
    Mutation(
        "times", "times have no offset", faults=(_fault("naive_times", "^/v3/", method="GET"),)
    ),
    Mutation(
        "page_links",
        "links between contacts lead to another host",
        faults=(_fault("foreign_next", "^/v3/contacts$", method="GET"),),
    ),
    Mutation(
        "page_links",
        "the link of a page of contacts leads to itself",
        faults=(_fault("repeated_page", "^/v3/contacts$", method="GET"),),
    ),
    Mutation("link_life", "a link works once", settings={"links_used_once": True}),
    Mutation(
        "status_all", "status=all leaves deleted ones out", settings={"deleted_in_all": False}
    ),
    Mutation(
        "deletion_dates",
        "a deleted contact has no deleted_at",
        faults=(_nulls("^/v3/contacts", "deleted_at"),),
    ),
    Mutation("deleted_by_id", "a deleted contact is 404", settings={"deleted_by_id": False}),
    Mutation(
        "opt_out_fields",
        "no opt-out tells by whom",
        faults=(_nulls("^/v3/contacts", "opt_out_source"),),
    ),
    Mutation(
        "optout_after",
        "optout_after is ignored",
        settings={"ignored_parameters": ["optout_after"]},
    ),
    Mutation(
        "optout_after",
        "optout_after brings nothing",
        faults=(
            _fault(
                "status", "^/v3/contacts$", query="optout_after", status=200,
                body={"contacts": [], "contacts_count": 0},
            ),
        ),
    ),
    Mutation(
        "opt_outs_unseen",
        "updated_after brings unsubscribes, too",
        settings={"updated_after_sees_opt_outs": True},
    ),
    Mutation(
        "updated_after",
        "updated_after is ignored",
        settings={"ignored_parameters": ["updated_after"]},
    ),
    Mutation(
        "malformed_ids",
        "an id that is no UUID is answered with 500 and HTML",
        faults=(_fault("other_refusal", "^/v3/contacts/[^/]+$", instead_of=400, **_HTML),),
    ),
    Mutation(
        "unknown_ids",
        "an unknown contact is answered with 400",
        faults=(
            _fault(
                "other_refusal", "^/v3/contacts/[^/]+$", instead_of=404, status=400,
                body=_refusal("contacts.api.invalid"),
            ),
        ),
    ),
    Mutation("campaigns_per_page", "limit=500 is refused", faults=(_no_500("^/v3/emails$"),)),
    Mutation(
        "campaign_statuses",
        "Done is called Sent",
        settings={"status_names": {"Done": "Sent"}},
    ),
    Mutation(
        "campaign_dates", "after_date is ignored", settings={"ignored_parameters": ["after_date"]}
    ),
    Mutation(
        "summaries_per_page", "limit=500 is refused", faults=(_no_500("/summary_reports/"),)
    ),
    Mutation(
        "summary_order", "the oldest comes first", settings={"oldest_first": ["summaries"]}
    ),
    Mutation(
        "summary_fields",
        "no summary counts opens",
        faults=(_nulls("/summary_reports/", "opens"),),
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
            _fault(
                "status", "/email_campaign_activities/(?:[^,]*,){2}", status=400,
                body=_refusal("reportingsvc.too_many"),
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
        faults=(_nulls("/stats/", "em_opens_all"),),
    ),
    Mutation("summary_counts", "all events are counted", settings={"summary_counts": "events"}),
    Mutation("events_per_page", "limit=500 is refused", faults=(_no_500("/tracking/"),)),
    Mutation("tracker_order", "the oldest comes first", settings={"oldest_first": ["trackers"]}),
    Mutation(
        "tracker_counts",
        "statistics count more opens than are listed",
        settings={"surplus_opens": 5},
    ),
    Mutation(
        "event_fields",
        "clicks have no time",
        faults=(_nulls("/tracking/clicks", "created_time"),),
    ),
    Mutation(
        "event_types",
        "rows have a type that is not the tracker's",
        faults=(_unknown("/tracking/", "tracking_activity_type"),),
    ),
    Mutation(
        "clicked_links",
        "clicks do not name their link",
        faults=(_nulls("/tracking/clicks", "url_id", "link_url"),),
    ),
    Mutation(
        "device_types", "all devices are new ones", faults=(_unknown("/tracking/", "device_type"),)
    ),
    Mutation(
        "bounce_codes", "all codes are new ones", faults=(_unknown("/tracking/", "bounce_code"),)
    ),
    Mutation(
        "unknown_reports",
        "a report that does not exist is answered with 500 and HTML",
        faults=(_fault("other_refusal", "/tracking/", instead_of=404, **_HTML),),
    ),
    Mutation("jobs_per_page", "limit=500 is refused", faults=(_no_500("^/v3/activities$"),)),
    Mutation(
        "job_states",
        "each state has a new name",
        faults=(_unknown("^/v3/activities", "state"),),
    ),
    Mutation(
        "own_list",
        "no list can be made",
        faults=(
            _fault(
                "status", "^/v3/contact_lists$", method="POST", status=400,
                body=_refusal("lists.api.limit"),
            ),
        ),
    ),
    Mutation(
        "unsubscribed_creation",
        "an unsubscribed contact may not be created with lists",
        faults=(
            _fault(
                "status", "^/v3/contacts$", method="POST", status=400,
                holds=r'"unsubscribed".*"list_memberships": \["',
                body=_refusal("contacts.api.validation.error"),
            ),
        ),
    ),
    Mutation(
        "taken_address",
        "409 does not name the contact",
        faults=(
            _fault(
                "other_refusal", "^/v3/contacts$", method="POST", instead_of=409, status=409,
                body=_refusal("contacts.api.conflict", "Email already exists"),
            ),
        ),
    ),
    Mutation("email_search", "email is ignored", settings={"ignored_parameters": ["email"]}),
    Mutation(
        "opt_in",
        "permissions cannot be given by PUT",
        faults=(
            _fault(
                "status", "^/v3/contacts/", method="PUT", status=400,
                holds='"permission_to_send": "implicit"',
                body=_refusal("contacts.api.validation.error"),
            ),
        ),
    ),
    Mutation("bulk_add", "each such job fails", faults=(_failing("add_list_memberships"),)),
    Mutation("put_nulls", "a PUT keeps what it leaves out", settings={"put_nulls": False}),
    Mutation(
        "put_keeps_lists",
        "a PUT without lists takes the contact off all",
        settings={"put_keeps_lists": False},
    ),
    Mutation("bulk_remove", "each such job fails", faults=(_failing("remove_list_memberships"),)),
    Mutation(
        "membership_counters",
        "they are null",
        faults=(_nulls("^/v3/activities", "items_completed_count"),),
    ),
    Mutation("import", "each import fails", faults=(_failing("contacts_json_import"),)),
    Mutation(
        "import_counters", "they are null", faults=(_nulls("^/v3/activities", "person_count"),)
    ),
    Mutation(
        "import_overwrites", "an import keeps names", settings={"import_overwrites": False}
    ),
    Mutation(
        "import_keeps_opt_outs",
        "an import opts unsubscribed contacts in",
        settings={"import_keeps_opt_outs": False},
    ),
    Mutation(
        "bulk_time",
        "bulk jobs never end",
        settings={"bulk_polls": 1_000_000, "bulk_seconds": -1},
    ),
    Mutation(
        "opt_out",
        "an opt-out is answered as done, and nothing is",
        faults=(
            _fault(
                "status", "^/v3/contacts/", method="PUT", status=200, body={},
                holds='"unsubscribed"',
            ),
        ),
    ),
    Mutation(
        "opt_out_reason",
        "an opt-out with a reason is refused",
        faults=(
            _fault(
                "status", "^/v3/contacts/", method="PUT", holds="opt_out_reason", status=400,
                body=_refusal("contacts.api.validation.error"),
            ),
        ),
    ),
    Mutation(
        "opt_out_source",
        "the account's opt-outs are shown as the contact's",
        settings={"opt_out_source_names": {"Account": "Contact"}},
    ),
    Mutation(
        "removal",
        "nothing can be deleted",
        faults=(
            _fault(
                "status", "^/v3/", method="DELETE", status=405, body=_refusal("method.not_allowed")
            ),
        ),
    ),
)  # fmt: skip


def mutate(world: World, point: str, differs: str) -> Mutation:
    """Let the vendor differ in one point.

    Raises:
        ValueError: no such mutation.
    """
    for mutation in MUTATIONS:
        if (mutation.point, mutation.differs) == (point, differs):
            mutation.apply(world)
            return mutation
    raise ValueError(f"there is no such mutation: {point}, {differs}")
