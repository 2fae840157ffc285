"""Mutations of what is written."""

from simulator.mutations.mutation import failing, fault, mutation, nulls, refusal, refused

_INVALID = "contacts.api.validation.error"

WRITES = (
    mutation(
        "own_list",
        "no list can be made",
        refused("^/v3/contact_lists$", 400, "lists.api.limit", method="POST"),
    ),
    mutation(
        "unsubscribed_creation",
        "an unsubscribed contact may not be created with lists",
        refused(
            "^/v3/contacts$",
            400,
            _INVALID,
            method="POST",
            holds=r'"unsubscribed".*"list_memberships": \["',
        ),
    ),
    mutation(
        "taken_address",
        "409 does not name the contact",
        fault(
            "other_refusal",
            "^/v3/contacts$",
            method="POST",
            instead_of=409,
            status=409,
            body=refusal("contacts.api.conflict", "Email already exists"),
        ),
    ),
    mutation("email_search", "email is ignored", ignored_parameters=["email"]),
    mutation(
        "opt_in",
        "permissions cannot be given by PUT",
        refused(
            "^/v3/contacts/",
            400,
            _INVALID,
            method="PUT",
            holds='"permission_to_send": "implicit"',
        ),
    ),
    mutation("bulk_add", "each such job fails", failing("add_list_memberships")),
    mutation("put_nulls", "a PUT keeps what it leaves out", put_nulls=False),
    mutation(
        "put_keeps_lists", "a PUT without lists takes the contact off all", put_keeps_lists=False
    ),
    mutation("bulk_remove", "each such job fails", failing("remove_list_memberships")),
    mutation(
        "membership_counters", "they are null", nulls("^/v3/activities", "items_completed_count")
    ),
    mutation("import", "each import fails", failing("contacts_json_import")),
    mutation("import_counters", "they are null", nulls("^/v3/activities", "person_count")),
    mutation("import_overwrites", "an import keeps names", import_overwrites=False),
    mutation(
        "import_keeps_opt_outs",
        "an import opts unsubscribed contacts in",
        import_keeps_opt_outs=False,
    ),
    mutation("bulk_time", "bulk jobs never end", bulk_polls=1_000_000, bulk_seconds=-1),
    mutation(
        "opt_out",
        "an opt-out is answered as done, and nothing is",
        fault(
            "status", "^/v3/contacts/", method="PUT", status=200, body={}, holds='"unsubscribed"'
        ),
    ),
    mutation(
        "opt_out_reason",
        "an opt-out with a reason is refused",
        refused(
            "^/v3/contacts/",
            400,
            _INVALID,
            method="PUT",
            holds="opt_out_reason",
        ),
    ),
    mutation(
        "opt_out_source",
        "the account's opt-outs are shown as the contact's",
        opt_out_source_names={"Account": "Contact"},
    ),
    mutation(
        "removal",
        "nothing can be deleted",
        refused("^/v3/", 405, "method.not_allowed", method="DELETE"),
    ),
)
