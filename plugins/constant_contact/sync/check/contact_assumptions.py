"""What the jobs rely on when they call the vendor and read lists and contacts."""

from functools import partial
from typing import Final

from constant_contact.api import vendor
from constant_contact.sync.check.assumptions import Assumption, Side

_read = partial(Assumption, side=Side.READS)

_AUTHORIZE: Final = (
    "Authorize again: Browse → Constant Contact → Connection → Authorize… (docs/tokens.md)."
)

TOKEN: Final = _read(
    name="token",
    states="The access token is accepted.",
    source="getUserPrivileges",
    otherwise="Every job refreshes the token once, then fails and says who must authorize again.",
    remedy=_AUTHORIZE,
)
CREDENTIALS: Final = _read(
    name="credentials",
    states="The token endpoint takes the API key, its secret and the refresh token.",
    source="OAuth 2.0 (RFC 6749, section 6), the contract's oauth2_access_code",
    otherwise="The jobs run until the access token expires, within a day; then all of them fail "
    "and say what must be corrected.",
    remedy="Copy key and secret from the active application into the connection, then authorize "
    "again (docs/tokens.md).",
)
SCOPES: Final = _read(
    name="scopes",
    states="The grant has the scopes contact_data and campaign_data.",
    source="getLists, retrieveEmailCampaignsUsingGET: security",
    otherwise="The jobs that lack the scope fail with 403 and name it; the others run.",
    remedy="Put the scope into the connection's field scope, then authorize again.",
)
PRIVILEGES: Final = _read(
    name="privileges",
    states="The user who authorized may read and write contacts and read lists, campaigns and "
    "their reports.",
    source="x-authorization-privileges of each operation",
    otherwise="The jobs that lack one fail with 403 and name the user's privileges.",
    remedy="Authorize as the account's owner or an account manager.",
)
CALL_LIMITS: Final = _read(
    name="call_limits",
    states="No reply says how many calls are left: the connection's plan is what is counted by.",
    source="not documented",
    otherwise="The same: the budget counts by the connection's rate_plan.",
    remedy="Compare the limit that the headers show with the connection's rate_plan.",
)
CLOCKS: Final = _read(
    name="clocks",
    states="The vendor's clock and this machine's agree to the minute.",
    source="not documented",
    otherwise="Changes are read by the vendor's own times, with an hour of overlap. The day's "
    "calls are counted by the database's clock, so the day may end early or late; a contact that "
    "is created while a full pass reads may have the pass read twice.",
    remedy="Set this machine's clock by NTP.",
)
LISTS_PER_PAGE: Final = _read(
    name="lists_per_page",
    states=f"A page has up to {vendor.LISTS_PER_PAGE} lists.",
    source="getLists: limit",
    otherwise="A refused limit fails the job; smaller pages cost more calls.",
)
LIST_COUNTS: Final = _read(
    name="list_counts",
    states="Each list tells how many contacts it has.",
    source="getLists: include_membership_count",
    otherwise="The list is mirrored without a count, and is not compared with the mirror.",
)
CONTACTS_PER_PAGE: Final = _read(
    name="contacts_per_page",
    states=f"A page has up to {vendor.CONTACTS_PER_PAGE} contacts.",
    source="getContacts: limit",
    otherwise="A refused limit fails the job; smaller pages cost more calls.",
)
CONTACT_COUNT: Final = _read(
    name="contact_count",
    states="A listing of contacts tells how many there are.",
    source="getContacts: include_count",
    otherwise="A contact that moved to another page while pages were read is found a week later.",
)
CONTACT_COUNTS: Final = _read(
    name="contact_counts",
    states="The account counts its contacts, by permission and in total.",
    source="countContact",
    otherwise="The mirror's contacts are compared with the counts that there are; without any, not "
    "at all.",
)
LIST_MEMBERSHIPS: Final = _read(
    name="list_memberships",
    states="A listing of contacts has the lists of each.",
    source="getContacts: include",
    otherwise="The mirror keeps the lists that it knows; their members' numbers are findings; a "
    "membership that a bulk job's counters do not prove is tried again, then ends with the reason.",
)
PERMISSIONS: Final = _read(
    name="permissions",
    states="permission_to_send is one of the contract's values.",
    source="EmailAddress.permission_to_send",
    otherwise="The contact is mirrored, linked and counted by that value. It does not pass for "
    "one that has not opted out: an opt-out goes out, and is believed when it shows as such.",
)
TIMES: Final = _read(
    name="times",
    states="Times have an offset from UTC.",
    source="ContactResource.created_at: date-time",
    otherwise="A time without one is taken as UTC; a text that is no time as none.",
)
PAGE_LINKS: Final = _read(
    name="page_links",
    states="A page links to the next one of the same listing, and that has other rows.",
    source="_links.next.href of each listing",
    otherwise="A link to another host or listing is not followed and fails the job; so do ten "
    "pages, one after the other, without a new row. A link that leads back makes the listing start "
    "again, three times; then the job fails.",
    remedy="Check the connection's field Host, and any proxy before the API.",
)
LINK_LIFE: Final = _read(
    name="link_life",
    states="A link to a page is good more than once.",
    source="not documented",
    otherwise="A job that was killed reads its listing from the start instead of from its page.",
)
STATUS_ALL: Final = _read(
    name="status_all",
    states="status=all lists deleted contacts, too.",
    source="getContacts: status",
    otherwise="A deleted contact keeps its link until the weekly full pass asks after it by id.",
)
DELETION_DATES: Final = _read(
    name="deletion_dates",
    states="A deleted contact has deleted_at.",
    source="ContactResource.deleted_at",
    otherwise="It stays linked, as unsubscribed; nothing is sent to it.",
)
DELETED_BY_ID: Final = _read(
    name="deleted_by_id",
    states="A deleted contact is shown when it is asked for by id.",
    source="getContact",
    otherwise="404 counts as deleted just so.",
)
OPT_OUT_FIELDS: Final = _read(
    name="opt_out_fields",
    states="An unsubscribed contact shows when it opted out, and who did it: Account or Contact.",
    source="EmailAddress.opt_out_source, opt_out_date",
    otherwise="An opt-out without a known source is taken back only if we made it.",
)
OPTOUT_AFTER: Final = _read(
    name="optout_after",
    states="optout_after brings the contacts that opted out since, and no others.",
    source="getContacts: optout_after",
    otherwise="What it leaves out is seen by the weekly full pass, and before any opt-in, which "
    "asks for the contact first. What it brings too much costs calls.",
    remedy="Run constant_contact_contacts with full=true each night until this holds.",
)
OPT_OUTS_UNSEEN: Final = _read(
    name="opt_outs_unseen",
    states="updated_after does not bring a contact that only unsubscribed.",
    source="not documented",
    otherwise="Nothing: each night reads by updated_after and by optout_after.",
    remedy="Nothing.",
)
UPDATED_AFTER: Final = _read(
    name="updated_after",
    states="updated_after brings the contacts that changed since, and no others.",
    source="getContacts: updated_after",
    otherwise="What it brings too much costs calls; what it leaves out is read by the weekly full "
    "pass. Readings overlap by an hour, so the bound itself does not matter.",
)
MALFORMED_IDS: Final = _read(
    name="malformed_ids",
    states="A contact id that is no UUID is refused, with the vendor's error_key or error_message.",
    source="getContact: 400",
    otherwise="An opt-out of a contact that is linked to such an id waits, and the run is red; the "
    "others go on.",
    remedy="Clear links in the CRM that are no UUIDs.",
)
UNKNOWN_IDS: Final = _read(
    name="unknown_ids",
    states="An unknown contact id is answered with 404, with the vendor's words.",
    source="getContact: 404",
    otherwise="A purged contact is not taken for gone: its link stays, and an opt-out of it fails "
    "with the reason and is tried again, ever more rarely.",
)
