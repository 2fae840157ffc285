"""The account at the simulated vendor: loaded, written down when the demo ends, loaded again.

The simulator forgets everything when it stops, and the CRM does not. So that a second demo finds
the same account, with the opt-outs that the first one sent, the first one writes down what the
simulator knows to be true and the second one loads that.
"""

import gzip
import json
from typing import Any

from local.demo.campaigns import Calendar
from local.demo.people import JSON, Person
from simulator.control import Control

_EVENTS_A_LOAD = 20_000


def load_new(
    control: Control, people: list[Person], calendar: Calendar, events: list[JSON]
) -> None:
    """Fill an empty account."""
    contacts = [record for person in people for record in (person.former, person.vendor) if record]
    contacts.sort(key=lambda record: str(record["created_at"]))
    control.load(lists=calendar.lists, contacts=contacts, campaigns=calendar.campaigns)
    _load_events(control, events)


def write_down(control: Control, campaigns: list[JSON]) -> bytes:
    """Everything `load_again` needs; the control API does not tell the campaigns."""
    account = {
        "lists": control.truth()["lists"],
        "contacts": list(control.truth_contacts()),
        "campaigns": campaigns,
        "events": list(control.truth_events()),
    }
    return gzip.compress(json.dumps(account).encode(), compresslevel=1)


def load_again(control: Control, written: bytes) -> None:
    """Fill an empty account with what `write_down` gave."""
    account: dict[str, list[JSON]] = json.loads(gzip.decompress(written))
    for each in account["lists"]:
        if each.pop("deleted"):
            each["deleted_at"] = "2026-01-01T00:00:00Z"
    control.load(
        lists=account["lists"],
        contacts=[_resource(contact) for contact in account["contacts"]],
        campaigns=account["campaigns"],
    )
    for event in account["events"]:
        event["type"] = event.pop("tracking_activity_type")
    _load_events(control, account["events"])


def _load_events(control: Control, events: list[JSON]) -> None:
    for start in range(0, len(events), _EVENTS_A_LOAD):
        control.load(events=events[start : start + _EVENTS_A_LOAD])


def _resource(contact: dict[str, Any]) -> JSON:
    """A contact as the vendor shows it, of a contact as the control API tells it."""
    record: JSON = {
        "contact_id": contact["contact_id"],
        "first_name": contact["first_name"],
        "last_name": contact["last_name"],
        "list_memberships": contact["lists"],
        "create_source": contact["create_source"],
        "update_source": contact["update_source"],
        "created_at": contact["created_at"],
        "updated_at": contact["updated_at"],
    } | contact["extras"]
    if contact["email"] is not None:
        record["email_address"] = {
            "address": contact["email"],
            "permission_to_send": contact["permission"],
            "opt_out_source": contact["opt_out_source"],
            "opt_out_date": contact["opt_out_date"],
            "opt_out_reason": contact["opt_out_reason"],
        }
        if contact["permission"] != "unsubscribed":
            del record["email_address"]["opt_out_source"]
    if contact["deleted"]:
        # A deletion is an opt-out by the account at that time, or one that was there before.
        record["deleted_at"] = contact["opt_out_date"] or contact["updated_at"]
    return record
