"""What the API's rows become: typed, tolerant of nulls, unknown fields and odd times.

Each record's fields are the columns of its page statement in include/sql, by the same names.
A `parse_…` returns None for a row that lacks its own id: the caller counts it.
"""

import re
from collections.abc import Callable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from constant_contact.api import vendor

_INT4 = 2**31
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Record = TypeVar("Record")


def parse_rows(
    rows: Sequence[Any], parse: Callable[[dict[str, Any]], Record | None]
) -> tuple[list[Record], int]:
    """Read the rows of a page; return its records and how many rows were none."""
    parsed = (parse(row) if isinstance(row, dict) else None for row in rows)
    records = [record for record in parsed if record is not None]
    return records, len(rows) - len(records)


def text(value: Any) -> str | None:
    """A text; numbers become one; "" and null are None."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def identifier(value: Any) -> str | None:
    """An id as all of ours are: a UUID in small letters, since in capitals it is the same one."""
    found = text(value)
    return found.lower() if found and _UUID.fullmatch(found) else found


def cut(shown: str, most: int) -> str:
    """The beginning of a text that is as long as the vendor allows.

    Counted are UTF-16 units, which the vendor may count: an emoji is two, and stays whole.
    """
    units = shown.encode("utf-16-le", "replace")[: 2 * most]
    return units.decode("utf-16-le", "ignore")


def moment(value: Any) -> datetime | None:
    """A time in UTC of an ISO-8601 text; a bare date is its midnight, no offset means UTC.

    None where it is no time, or one of the calendar's first and last years, which could be written
    and not be read again: in another zone it may lie outside the calendar.
    """
    if not isinstance(value, str) or not value:
        return None
    # RFC 3339 allows a small t and z.
    parsed = _instant(value) or _instant(value.strip().upper()) or _instant(value[:10])
    # PostgreSQL takes no offset of more than 15 hours, Python of nearly a day.
    return parsed.astimezone(UTC) if parsed and MINYEAR < parsed.year < MAXYEAR else None


def iso(at: datetime) -> str:
    """A time as the vendor's filters take it: UTC, milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _instant(value: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def number(value: Any) -> int | None:
    """A count; None where the API has none, or something that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = int(float(value))
    except (ValueError, OverflowError):
        return None
    return parsed if -_INT4 <= parsed < _INT4 else None


def id_array(value: Any) -> str | None:
    """Ids as PostgreSQL writes an array, in order: COPY takes it as it is."""
    if not isinstance(value, list):
        return None
    return _id_array(frozenset(each for each in value if isinstance(each, str)))


# Few combinations of lists occur among many contacts.
@lru_cache(maxsize=4096)
def _id_array(ids: frozenset[str]) -> str:
    told = sorted({identifier(each) or "" for each in ids})
    plain = (each.replace("\\", "\\\\").replace('"', '\\"') for each in told)
    return "{%s}" % ",".join(f'"{each}"' for each in plain)  # noqa: UP031


class ListRecord(NamedTuple):
    """`ContactList` of getLists."""

    list_id: str
    name: str | None
    description: str | None
    favorite: bool | None
    membership_count: int | None
    created_at: datetime | None
    updated_at: datetime | None
    deleted_at: datetime | None


def parse_list(row: dict[str, Any]) -> ListRecord | None:
    """Read one row of getLists."""
    if (list_id := identifier(row.get("list_id"))) is None:
        return None
    favorite = row.get("favorite")
    return ListRecord(
        list_id,
        text(row.get("name")),
        text(row.get("description")),
        favorite if isinstance(favorite, bool) else None,
        number(row.get("membership_count")),
        moment(row.get("created_at")),
        moment(row.get("updated_at")),
        moment(row.get("deleted_at")),
    )


class ContactRecord(NamedTuple):
    """`ContactResource` of getContacts, without what the CRM owns (names) or no job needs.

    Attributes:
        list_ids: As PostgreSQL writes an array, in order; None where they were not asked for.
    """

    contact_id: str
    email_address: str | None
    permission_to_send: str | None
    opt_out_source: str | None
    opt_out_date: datetime | None
    opt_in_source: str | None
    opt_in_date: datetime | None
    opt_out_reason: str | None
    created_at: datetime | None
    updated_at: datetime | None
    deleted_at: datetime | None
    list_ids: str | None


def parse_contact(row: dict[str, Any]) -> ContactRecord | None:
    """Read one contact; one that has a telephone only has no `email_address`."""
    if (contact_id := identifier(row.get("contact_id"))) is None:
        return None
    email = row.get("email_address")
    if not isinstance(email, dict):
        email = {}
    return ContactRecord(
        contact_id,
        text(email.get("address")),
        text(email.get("permission_to_send")),
        text(email.get("opt_out_source")),
        moment(email.get("opt_out_date")),
        text(email.get("opt_in_source")),
        moment(email.get("opt_in_date")),
        text(email.get("opt_out_reason")),
        moment(row.get("created_at")),
        moment(row.get("updated_at")),
        moment(row.get("deleted_at")),
        id_array(row.get("list_memberships")),
    )


class CampaignRecord(NamedTuple):
    """`EmailCampaigns` of retrieveEmailCampaignsUsingGET."""

    campaign_id: str
    name: str | None
    type: str | None
    type_code: int | None
    current_status: str | None
    created_at: datetime | None
    updated_at: datetime | None


def parse_campaign(row: dict[str, Any]) -> CampaignRecord | None:
    """Read one campaign, of the collection or by itself."""
    if (campaign_id := identifier(row.get("campaign_id"))) is None:
        return None
    return CampaignRecord(
        campaign_id,
        text(row.get("name")),
        text(row.get("type")),
        number(row.get("type_code")),
        text(row.get("current_status")),
        moment(row.get("created_at")),
        moment(row.get("updated_at")),
    )


class SummaryRecord(NamedTuple):
    """`BulkEmailCampaignSummary`: one campaign that was sent, with contacts by activity type."""

    campaign_id: str
    type: str | None
    last_sent_at: datetime | None
    unique_counts: dict[str, int | None]


def parse_summary(row: dict[str, Any]) -> SummaryRecord | None:
    """Read one row of the summary report."""
    if (campaign_id := identifier(row.get("campaign_id"))) is None:
        return None
    counts = row.get("unique_counts")
    if not isinstance(counts, dict):
        counts = {}
    return SummaryRecord(
        campaign_id,
        text(row.get("campaign_type")),
        moment(row.get("last_sent_date")),
        {each.activity_type: number(counts.get(each.path_part)) for each in vendor.TRACKERS},
    )


class CampaignActivityRecord(NamedTuple):
    """`ActivityReference`: one activity of a campaign."""

    campaign_activity_id: str
    campaign_id: str
    role: str | None


def parse_campaign_activity(row: dict[str, Any], campaign_id: str) -> CampaignActivityRecord | None:
    """Read one activity reference of retrieveEmailCampaignUsingGET."""
    if (campaign_activity_id := identifier(row.get("campaign_activity_id"))) is None:
        return None
    return CampaignActivityRecord(campaign_activity_id, campaign_id, text(row.get("role")))


class EventRecord(NamedTuple):
    """One row of a tracker report; `ordinal` tells identical rows of one page apart."""

    contact_id: str
    occurred_at: datetime
    url_id: str
    ordinal: int
    link_url: str | None
    device_type: str | None
    bounce_code: str | None
    opt_out_reason: str | None


EventKey = tuple[str, datetime, str]


def event_key(event: EventRecord) -> EventKey:
    """What identical events of a stream have in common."""
    return event.contact_id, event.occurred_at, event.url_id


def parse_events(
    rows: Sequence[Any], seen: dict[EventKey, int] | None = None
) -> tuple[list[EventRecord], int]:
    """Read rows of a tracker; return their events and how many rows had no contact or no time.

    Args:
        rows: Newest first.
        seen: How often each event has come before; counts on, so that identical ones differ in
            their ordinal.
    """
    seen = {} if seen is None else seen
    events = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        contact_id = identifier(row.get("contact_id"))
        occurred_at = moment(row.get("created_time"))
        if contact_id is None or occurred_at is None:
            continue
        url_id = text(row.get("url_id")) or ""
        key = (contact_id, occurred_at, url_id)
        seen[key] = ordinal = seen.get(key, 0) + 1
        events.append(
            EventRecord(
                contact_id,
                occurred_at,
                url_id,
                ordinal,
                text(row.get("link_url")),
                text(row.get("device_type")),
                text(row.get("bounce_code")),
                text(row.get("opt_out_reason")),
            )
        )
    return events, len(rows) - len(events)
