"""Mutations of calls, lists and contacts."""

from typing import Any

from simulator.mutations.mutation import (
    fault,
    mutation,
    nulls,
    page_500,
    refusal,
    small_pages,
    unknown,
)

_FORBIDDEN: dict[str, Any] = {"status": 403, "body": refusal("forbidden", "You lack a privilege.")}
_SOME_PRIVILEGES = [{"privilege_id": 20, "privilege_name": "contacts:read"}]


def _no_token(status: int, error: str) -> dict[str, Any]:
    body = {"error": error, "error_description": "Refused."}
    return fault("status", "^/oauth2/.*/token$", status=status, body=body)


CONTACTS = (
    mutation("credentials", "the secret is refused", _no_token(401, "invalid_client")),
    mutation("credentials", "the refresh token is refused", _no_token(400, "invalid_grant")),
    mutation("token", "every call is answered 401", fault("unauthorized", "^/v3/")),
    mutation(
        "scopes",
        "campaigns and reports are answered 403",
        fault("status", "^/v3/(emails|reports)", **_FORBIDDEN),
    ),
    mutation(
        "privileges",
        "the user may read contacts and nothing else; writes are answered 403",
        fault("status", "privileges$", status=200, body=_SOME_PRIVILEGES),
        *(fault("status", "^/v3/", method=verb, **_FORBIDDEN) for verb in ("POST", "PUT")),
    ),
    mutation(
        "call_limits",
        "replies say how many calls the day has",
        extra_headers={"x-ratelimit-limit-day": "10000"},
    ),
    mutation("clocks", "the vendor's clock is two hours ahead", ahead_s=7200),
    mutation("clocks", "the vendor's clock is two hours behind", ahead_s=-7200),
    mutation("lists_per_page", "a limit over 100 is refused", small_pages("^/v3/contact_lists$")),
    mutation(
        "list_counts",
        "no list tells its members' number",
        nulls("^/v3/contact_lists$", "membership_count"),
    ),
    mutation("contacts_per_page", "a limit over 100 is refused", small_pages("^/v3/contacts$")),
    mutation("contact_count", "include_count is ignored", ignored_parameters=["include_count"]),
    mutation(
        "contact_counts",
        "the counts are null",
        nulls("^/v3/contacts/counts$", "total", "explicit", "implicit", "pending", "unsubscribed"),
    ),
    mutation("list_memberships", "include is ignored", ignored_parameters=["include"]),
    mutation(
        "permissions",
        "each permission has a new name when it is read",
        unknown("^/v3/contacts", "permission_to_send"),
    ),
    mutation("times", "times have no offset", fault("naive_times", "^/v3/", method="GET")),
    mutation(
        "page_links",
        "links between contacts lead to another host",
        fault("foreign_next", "^/v3/contacts$", method="GET"),
    ),
    mutation(
        "page_links",
        "the link of a page of contacts leads to itself",
        fault("repeated_page", "^/v3/contacts$", method="GET"),
    ),
    mutation("link_life", "a link works once", links_used_once=True),
    mutation("status_all", "status=all leaves deleted ones out", deleted_in_all=False),
    mutation(
        "deletion_dates",
        "a deleted contact has no deleted_at",
        nulls("^/v3/contacts", "deleted_at"),
    ),
    mutation("deleted_by_id", "a deleted contact is 404", deleted_by_id=False),
    mutation("opt_out_fields", "no opt-out has a source", nulls("^/v3/contacts", "opt_out_source")),
    mutation("optout_after", "optout_after is ignored", ignored_parameters=["optout_after"]),
    mutation(
        "optout_after",
        "optout_after brings nothing",
        fault(
            "status",
            "^/v3/contacts$",
            query="optout_after",
            status=200,
            body={"contacts": [], "contacts_count": 0},
        ),
    ),
    mutation(
        "opt_outs_unseen",
        "updated_after brings unsubscribes, too",
        updated_after_sees_opt_outs=True,
    ),
    mutation("updated_after", "updated_after is ignored", ignored_parameters=["updated_after"]),
    mutation(
        "malformed_ids",
        "an id that is no UUID is answered with 500 and HTML",
        page_500("^/v3/contacts/[^/]+$", instead_of=400),
    ),
    mutation(
        "unknown_ids",
        "an unknown contact is answered with 400",
        fault(
            "other_refusal",
            "^/v3/contacts/[^/]+$",
            instead_of=404,
            status=400,
            body=refusal("contacts.api.invalid"),
        ),
    ),
)
