"""What can be set, at the start by flags and later through the control API."""

from dataclasses import dataclass, field, fields
from typing import Any

#: Units of a text, and the encoding whose code units they are.
UNITS = {"character": "utf-32-le", "utf16": "utf-16-le", "byte": "utf-8"}
_CHOICES = {
    "next_null_style": ("absent", "null", "href_null", "no_links"),
    "summary_counts": ("activities", "contacts", "events"),
    "text_unit": tuple(UNITS),
    "contacts_count": ("matching", "page", "account"),
}
SCOPES = ("contact_data", "campaign_data", "account_read", "offline_access")


@dataclass
class Limits:
    """0 switches a limit off."""

    calls_per_second: float = 4
    calls_per_day: int = 10_000
    token_calls_per_second: float = 1
    bulk_queue: int = 1000
    latency_ms: float = 0
    jitter_ms: float = 0


@dataclass
class Settings:
    """How the vendor behaves."""

    client_id: str = "demo-api-key"
    client_secret: str = "demo-secret"  # noqa: S105 - of the demo, and said so
    #: Further applications of the account, always active: API key to secret.
    other_applications: dict[str, str] = field(default_factory=dict)
    #: Empty: any redirect URI on loopback is registered.
    redirect_uris: list[str] = field(default_factory=list)
    rotating: bool = True
    access_token_ttl_s: float = 86_400
    #: A bulk activity is done at this poll of its status, or `bulk_seconds` after it was queued,
    #: whichever comes first. 0 polls: at once. Negative seconds: never by the clock.
    bulk_polls: int = 2
    bulk_seconds: float = 30
    #: States that the next bulk activities end in; when empty: completed.
    bulk_outcomes: list[str] = field(default_factory=list)
    stats_lag_s: float = 0
    #: Whether a contact counts as updated when it joins or leaves lists; the contract is silent.
    lists_update_contacts: bool = True
    #: Whether the account's opt-out becomes the contact's own when the contact then asks; likewise.
    wishes_replace_opt_outs: bool = True
    #: Other names for roles of activities and statuses of campaigns, which the contract does not
    #: know: by the contract's name.
    role_names: dict[str, str] = field(default_factory=dict)
    status_names: dict[str, str] = field(default_factory=dict)
    #: How the summary report counts, of which the contract is silent: the contacts of each activity
    #: (activities), of the campaign (contacts), or all events (events).
    summary_counts: str = "activities"
    #: What contacts_count counts, of which the contract says two things: contacts that meet the
    #: criteria (matching), those of the page (page); or all of the account (account).
    contacts_count: str = "matching"
    #: How the last page says so: absent | null (``"next": null``) | href_null | no_links.
    next_null_style: str = "absent"
    #: What the longest texts are counted in: character | utf16 | byte; the contract is silent.
    text_unit: str = "character"
    # What a vendor does otherwise than its contract says or than the simulator takes it to say: the
    # mutations of `mutations` set these, one at a time.
    #: Parameters of queries that count as not given.
    ignored_parameters: list[str] = field(default_factory=list)
    #: Of every reply.
    extra_headers: dict[str, str] = field(default_factory=dict)
    #: Whether status=all lists deleted contacts, and GET shows one by id.
    deleted_in_all: bool = True
    deleted_by_id: bool = True
    #: Whether `updated_after` goes by the date of an opt-out, too.
    updated_after_sees_opt_outs: bool = False
    links_used_once: bool = False
    #: Which reports come oldest first: trackers, summaries.
    oldest_first: list[str] = field(default_factory=list)
    refuse_unknown_stats: bool = False
    #: By how much statistics count more opens than the tracker lists.
    surplus_opens: int = 0
    #: Other names for the sources of opt-outs, by the contract's name.
    opt_out_source_names: dict[str, str] = field(default_factory=dict)
    #: Whether a PUT nulls scalars that it leaves out, and keeps the lists.
    put_nulls: bool = True
    put_keeps_lists: bool = True
    #: Whether an import overwrites names, and leaves unsubscribed contacts alone.
    import_overwrites: bool = True
    import_keeps_opt_outs: bool = True


def update(target: Limits | Settings, changes: dict[str, Any]) -> None:
    """Set the named fields, keeping each field's type.

    Raises:
        ValueError: no such field, or a value of another type.
    """
    known = {each.name for each in fields(target)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"no such setting: {name}; there are {', '.join(sorted(known))}")
        kind = type(getattr(target, name))
        if kind in (int, float) and (
            isinstance(value, bool) or not isinstance(value, (int, float))
        ):
            raise ValueError(f"{name} must be a number")
        if kind not in (int, float) and not isinstance(value, kind):
            raise ValueError(f"{name} must be a {kind.__name__}")
        for choice, values in _CHOICES.items():
            if name == choice and value not in values:
                raise ValueError(f"{name} is {', '.join(values[:-1])} or {values[-1]}")
        setattr(target, name, value)
