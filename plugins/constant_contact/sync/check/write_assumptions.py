"""What the jobs rely on when they write to the vendor."""

from functools import partial
from typing import Final

from constant_contact.sync.check.assumptions import Assumption, Side

_write = partial(Assumption, side=Side.WRITES)


OWN_LIST: Final = _write(
    name="own_list",
    states="A list can be made.",
    source="createList",
    otherwise="Nothing: no job makes a list. The writing check cannot go on.",
    remedy="Authorize as a user with the privilege contacts:lists:write.",
)
UNSUBSCRIBED_CREATION: Final = _write(
    name="unsubscribed_creation",
    states="A contact can be created as unsubscribed, with lists.",
    source="not documented",
    otherwise="It is created without lists; if that is refused, too, its request is rejected "
    "with the reason.",
    remedy="Nothing.",
)
TAKEN_ADDRESS: Final = _write(
    name="taken_address",
    states="To create a contact with a known address is refused with 409, and names the contact.",
    source="createContact: 409",
    otherwise="Without the name, the address is searched for. Without the 409, a contact may be "
    "there twice: both are mirrored, and its CRM contact is linked to one.",
)
EMAIL_SEARCH: Final = _write(
    name="email_search",
    states="A search for an address finds its contact, however it is written, and no other.",
    source="getContacts: email",
    otherwise="Others that it brings are left out. A contact that it does not find is learned of "
    "by the 409 at its creation, or by the next night.",
)
OPT_IN: Final = _write(
    name="opt_in",
    states="The account's own opt-out can be taken back.",
    source="putContact: email_address.permission_to_send",
    otherwise="The change fails with the vendor's reason; the contact stays unsubscribed.",
    remedy="Take opt-outs back at Constant Contact, or ask the contact to confirm.",
)
PUT_NULLS: Final = _write(
    name="put_nulls",
    states="A PUT nulls the properties that it leaves out.",
    source="putContact",
    otherwise="Nothing: each PUT sends them all as they were.",
    remedy="Nothing.",
)
PUT_KEEPS_LISTS: Final = _write(
    name="put_keeps_lists",
    states="A PUT without list_memberships keeps them.",
    source="putContact",
    otherwise="A contact whose opt-out is taken back is on no list, as after the opt-out itself.",
    remedy="Request the memberships again.",
)
BULK_ADD: Final = _write(
    name="bulk_add",
    states="A bulk job puts a contact on a list.",
    source="postListAddContact",
    otherwise="The request is tried again, then ends as failed with the job's error.",
)
BULK_REMOVE: Final = _write(
    name="bulk_remove",
    states="A bulk job takes a contact off a list.",
    source="postListRemoveContact",
    otherwise="The request is tried again, then ends as failed with the job's error.",
)
MEMBERSHIP_COUNTERS: Final = _write(
    name="membership_counters",
    states="Such a job counts the contacts that it was given and those that it came to.",
    source="ActivityListsMembership.status",
    otherwise="The contacts are read again, and the mirror decides.",
)
IMPORT: Final = _write(
    name="import",
    states="An import puts a contact on a list.",
    source="bulkImportContactsJSON",
    otherwise="Its contacts are created one by one; more than 1,000 end as failed with the reason.",
)
IMPORT_COUNTERS: Final = _write(
    name="import_counters",
    states="An import counts its contacts, and those that it refused.",
    source="ActivityImport.status",
    otherwise="The mirror decides; the contacts are read after each import anyway.",
)
IMPORT_OVERWRITES: Final = _write(
    name="import_overwrites",
    states="An import overwrites the names of a contact that exists.",
    source="bulkImportContactsJSON",
    otherwise="Nothing: a contact that is known to exist is not imported.",
    remedy="Nothing.",
)
IMPORT_KEEPS_OPT_OUTS: Final = _write(
    name="import_keeps_opt_outs",
    states="An import leaves an unsubscribed contact unsubscribed.",
    source="bulkImportContactsJSON: cannot_add_to_list_count",
    otherwise="A contact that is known to say no is not imported. One that unsubscribes at the "
    "vendor in the seconds before its import is mailed again.",
    remedy="Do not import: send the exported check to the maintainers first.",
)
BULK_TIME: Final = _write(
    name="bulk_time",
    states="A bulk job of one contact ends within a minute.",
    source="not documented",
    otherwise="The job is looked at again later, ever more rarely, for a day; then the mirror "
    "decides.",
    remedy="Nothing.",
)
OPT_OUT: Final = _write(
    name="opt_out",
    states="A PUT unsubscribes a contact.",
    source="putContact: email_address.permission_to_send",
    otherwise="A PUT that is answered as done and shows nothing is repeated; the change waits and "
    "the run is red.",
    remedy="Unsubscribe at Constant Contact until this holds.",
)
OPT_OUT_REASON: Final = _write(
    name="opt_out_reason",
    states="An opt-out may have a reason, and shows it.",
    source="EmailAddressPut.opt_out_reason",
    otherwise="An opt-out that is refused with its reason is sent without.",
    remedy="Nothing.",
)
OPT_OUT_SOURCE: Final = _write(
    name="opt_out_source",
    states="An opt-out by the account shows the source Account.",
    source="EmailAddress.opt_out_source",
    otherwise="It counts as the contact's own: the account does not take it back by itself.",
    remedy="Take opt-outs back at Constant Contact.",
)
REMOVAL: Final = _write(
    name="removal",
    states="The list and the contact can be deleted.",
    source="the vendor's SDK: delete_list, delete_contact",
    otherwise="Nothing: no job deletes anything.",
    remedy="Run the check again: it removes them. Or delete them at Constant Contact.",
)
