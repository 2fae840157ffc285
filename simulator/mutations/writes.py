"""Mutations of what is written."""

from simulator.mutations.mutation import Mutation, failing, fault, nulls, refusal

WRITES = (
    Mutation(
        "own_list",
        "no list can be made",
        faults=(
            fault(
                "status", "^/v3/contact_lists$", method="POST", status=400,
                body=refusal("lists.api.limit"),
            ),
        ),
    ),
    Mutation(
        "unsubscribed_creation",
        "an unsubscribed contact may not be created with lists",
        faults=(
            fault(
                "status", "^/v3/contacts$", method="POST", status=400,
                holds=r'"unsubscribed".*"list_memberships": \["',
                body=refusal("contacts.api.validation.error"),
            ),
        ),
    ),
    Mutation(
        "taken_address",
        "409 does not name the contact",
        faults=(
            fault(
                "other_refusal", "^/v3/contacts$", method="POST", instead_of=409, status=409,
                body=refusal("contacts.api.conflict", "Email already exists"),
            ),
        ),
    ),
    Mutation("email_search", "email is ignored", settings={"ignored_parameters": ["email"]}),
    Mutation(
        "opt_in",
        "permissions cannot be given by PUT",
        faults=(
            fault(
                "status", "^/v3/contacts/", method="PUT", status=400,
                holds='"permission_to_send": "implicit"',
                body=refusal("contacts.api.validation.error"),
            ),
        ),
    ),
    Mutation("bulk_add", "each such job fails", faults=(failing("add_list_memberships"),)),
    Mutation("put_nulls", "a PUT keeps what it leaves out", settings={"put_nulls": False}),
    Mutation(
        "put_keeps_lists",
        "a PUT without lists takes the contact off all",
        settings={"put_keeps_lists": False},
    ),
    Mutation("bulk_remove", "each such job fails", faults=(failing("remove_list_memberships"),)),
    Mutation(
        "membership_counters",
        "they are null",
        faults=(nulls("^/v3/activities", "items_completed_count"),),
    ),
    Mutation("import", "each import fails", faults=(failing("contacts_json_import"),)),
    Mutation(
        "import_counters", "they are null", faults=(nulls("^/v3/activities", "person_count"),)
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
            fault(
                "status", "^/v3/contacts/", method="PUT", status=200, body={},
                holds='"unsubscribed"',
            ),
        ),
    ),
    Mutation(
        "opt_out_reason",
        "an opt-out with a reason is refused",
        faults=(
            fault(
                "status", "^/v3/contacts/", method="PUT", holds="opt_out_reason", status=400,
                body=refusal("contacts.api.validation.error"),
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
            fault(
                "status", "^/v3/", method="DELETE", status=405, body=refusal("method.not_allowed")
            ),
        ),
    ),
)  # fmt: skip
