"""Mutations of calls, lists and contacts."""

from typing import Any

from simulator.mutations.mutation import Mutation, fault, no_500, nulls, refusal, unknown

_HTML: dict[str, Any] = {
    "status": 500,
    "body": "<html><title>Error</title></html>",
    "content_type": "text/html",
}
_FORBIDDEN: dict[str, Any] = {"status": 403, "body": refusal("forbidden", "You lack a privilege.")}
_SOME_PRIVILEGES = [{"privilege_id": 20, "privilege_name": "contacts:read"}]

CONTACTS = (
    Mutation(
        "credentials",
        "the secret is refused",
        faults=(
            fault(
                "status", "^/oauth2/.*/token$", status=401,
                body={"error": "invalid_client", "error_description": "Refused."},
            ),
        ),
    ),
    Mutation(
        "credentials",
        "the refresh token is refused",
        faults=(
            fault(
                "status", "^/oauth2/.*/token$", status=400,
                body={"error": "invalid_grant", "error_description": "Refused."},
            ),
        ),
    ),
    Mutation("token", "every call is answered 401", faults=(fault("unauthorized", "^/v3/"),)),
    Mutation(
        "scopes",
        "campaigns and reports are answered 403",
        faults=(fault("status", "^/v3/(emails|reports)", **_FORBIDDEN),),
    ),
    Mutation(
        "privileges",
        "the user may read contacts and nothing else; writes are answered 403",
        faults=(
            fault("status", "privileges$", status=200, body=_SOME_PRIVILEGES),
            *(fault("status", "^/v3/", method=verb, **_FORBIDDEN) for verb in ("POST", "PUT")),
        ),
    ),
    Mutation(
        "call_limits",
        "replies say how many calls the day has",
        settings={"extra_headers": {"x-ratelimit-limit-day": "10000"}},
    ),
    Mutation("clocks", "the vendor's clock is two hours ahead", ahead_s=7200),
    Mutation("clocks", "the vendor's clock is two hours behind", ahead_s=-7200),
    Mutation("lists_per_page", "limit=500 is refused", faults=(no_500("^/v3/contact_lists$"),)),
    Mutation(
        "list_counts",
        "no list tells its members' number",
        faults=(nulls("^/v3/contact_lists$", "membership_count"),),
    ),
    Mutation("contacts_per_page", "limit=500 is refused", faults=(no_500("^/v3/contacts$"),)),
    Mutation(
        "contact_count",
        "include_count is ignored",
        settings={"ignored_parameters": ["include_count"]},
    ),
    Mutation(
        "contact_counts",
        "the counts are null",
        faults=(
            nulls(
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
        faults=(unknown("^/v3/contacts", "permission_to_send"),),
    ),
    Mutation(
        "times", "times have no offset", faults=(fault("naive_times", "^/v3/", method="GET"),)
    ),
    Mutation(
        "page_links",
        "links between contacts lead to another host",
        faults=(fault("foreign_next", "^/v3/contacts$", method="GET"),),
    ),
    Mutation(
        "page_links",
        "the link of a page of contacts leads to itself",
        faults=(fault("repeated_page", "^/v3/contacts$", method="GET"),),
    ),
    Mutation("link_life", "a link works once", settings={"links_used_once": True}),
    Mutation(
        "status_all", "status=all leaves deleted ones out", settings={"deleted_in_all": False}
    ),
    Mutation(
        "deletion_dates",
        "a deleted contact has no deleted_at",
        faults=(nulls("^/v3/contacts", "deleted_at"),),
    ),
    Mutation("deleted_by_id", "a deleted contact is 404", settings={"deleted_by_id": False}),
    Mutation(
        "opt_out_fields",
        "no opt-out has a source",
        faults=(nulls("^/v3/contacts", "opt_out_source"),),
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
            fault(
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
        faults=(fault("other_refusal", "^/v3/contacts/[^/]+$", instead_of=400, **_HTML),),
    ),
    Mutation(
        "unknown_ids",
        "an unknown contact is answered with 400",
        faults=(
            fault(
                "other_refusal", "^/v3/contacts/[^/]+$", instead_of=404, status=400,
                body=refusal("contacts.api.invalid"),
            ),
        ),
    ),
)  # fmt: skip
