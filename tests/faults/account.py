"""The small account and CRM that the fault tests run on; everything in it has a fixed time."""

from datetime import datetime
from functools import partial
from typing import Any

import psycopg

from constant_contact.api import vendor
from simulator.control import Control
from tests.support import UNLIMITED, contact_id, set_flag, vendor_contact

NOW = "2024-06-01T00:00:00Z"
VENDOR_TODAY = datetime.fromisoformat("2024-06-02T00:00:00Z")
CONTACTS = 32
# So that a small account has several pages of everything.
PAGES = {
    "LISTS_PER_PAGE": 5,
    "CONTACTS_PER_PAGE": 5,
    "CAMPAIGNS_PER_PAGE": 3,
    "SUMMARIES_PER_PAGE": 2,
    "EVENTS_PER_PAGE": 5,
    "ACTIVITIES_PER_STATS_CALL": 2,
}


OLD_CONTACT = contact_id(0)[:-12]


def list_id(number: int) -> str:
    return f"00000000-0000-4000-8001-{number:012d}"


def activity(number: int) -> str:
    return f"00000000-0000-4000-9000-{number:012d}"


def make_account(control: Control) -> None:
    """The vendor as new: lists, contacts, campaigns and events of spring 2024."""
    control.reset()
    control.limits(**UNLIMITED)
    control.clock(now=NOW, frozen=True)
    control.load(
        lists=_lists(), contacts=_contacts(), campaigns=_campaigns(), events=_events(opens=8)
    )


def small_pages() -> None:
    """For a process of its own; a test monkeypatches."""
    for name, size in PAGES.items():
        setattr(vendor, name, size)


def _lists() -> list[dict[str, Any]]:
    return [
        {
            "list_id": list_id(number),
            "name": f"List {number}",
            "created_at": f"2024-01-{number:02}T00:00:00Z",
            "deleted_at": "2024-02-01T00:00:00Z" if number == 7 else None,
        }
        for number in range(1, 14)
    ]


def _contacts() -> list[dict[str, Any]]:
    contacts = []
    for number in range(1, CONTACTS + 1):
        email: dict[str, Any] = {"address": f"u{number}@example.com"}
        if number in {6, 10, 11}:
            email |= {
                "permission_to_send": "unsubscribed",
                "opt_out_source": "Account" if number == 10 else "Contact",
                "opt_out_reason": "too much",
                "opt_out_date": f"2024-04-{number:02}T00:00:00Z",
            }
        at = f"2024-03-{1 + number // 2:02}T10:{number:02}:00Z"
        contact = vendor_contact(
            number, email["address"], first_name=f"First{number}", created_at=at, updated_at=at
        )
        contacts.append(contact | {"email_address": email})
    return contacts


def _campaigns() -> list[dict[str, Any]]:
    made = []
    for number in range(1, 8):
        is_sent = number <= 5
        made.append(
            {
                "campaign_id": f"00000000-0000-4000-9001-{number:012d}",
                "name": f"News {number}",
                "created_at": f"2024-05-{number:02}T08:00:00Z",
                "updated_at": f"2024-05-{number:02}T09:00:00Z",
                "current_status": "Done" if number != 7 else "Draft",
                "type_code": vendor.AB_TEST_TYPE_CODE if number == 6 else 10,
                "last_sent_date": f"2024-05-{number:02}T10:00:00Z" if is_sent else None,
                "campaign_activities": [
                    {"role": "primary_email", "campaign_activity_id": activity(number)},
                    {"role": "permalink", "campaign_activity_id": activity(100 + number)},
                ],
            }
        )
    return made


def _events(opens: int) -> list[dict[str, Any]]:
    """The first campaign has three pages of sends and two of opens and clicks."""
    events: list[dict[str, Any]] = []

    def add(kind: str, campaign: int, people: range, **detail: Any) -> None:
        for number in people:
            at = f"2024-05-{campaign:02}T{11 + len(events) % 12:02}:{number:02}:00Z"
            events.append(
                {
                    "type": kind,
                    "campaign_activity_id": activity(campaign),
                    "contact_id": contact_id(number),
                    "created_time": at,
                }
                | detail
            )

    add("sends", 1, range(1, 14))
    add("opens", 1, range(1, 1 + opens), device_type="mobile")
    add("clicks", 1, range(1, 8), url_id="7", link_url="https://example.com/a")
    add("bounces", 1, range(12, 14), bounce_code="F")
    add("forwards", 1, range(3, 4))
    add("optouts", 1, range(11, 12), opt_out_reason="too much")
    add("sends", 2, range(1, 7))
    add("opens", 2, range(1, 3), device_type="computer")
    add("sends", 3, range(20, 24))
    # Two of each alike: the same person in the same second.
    return events + events[13:15]


def make_crm(connection: psycopg.Connection[Any]) -> None:
    """People of the CRM: most are contacts, some share an address, some are not there."""
    people: list[tuple[str, str | None, bool]] = [
        (f"c{number:02}", f"u{number}@example.com", number in {5, 6, 10, 11})
        for number in range(1, 29)
    ]
    people += [("c40", " U1@Example.com ", False), ("c41", None, False)]
    people += [("c42", "nobody@example.com", True)]
    connection.cursor().executemany(
        "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email) VALUES (%s, %s, %s)",
        people,
    )


def edit_contacts(control: Control) -> None:
    """An afternoon at the vendor: edits, opt-outs, deletions, an address that changes hands."""
    control.clock(advance_s=1800)
    for number in range(12, 19):
        control.update_contact(contact_id(number), last_name="Edited")
    for number in range(1, 7):
        control.unsubscribe(contact_id(number), source="Contact", reason="enough")
    control.update_contact(contact_id(20), email="gone20@example.com")
    control.delete_contact(contact_id(20))
    control.update_contact(contact_id(31), email="u20@example.com")
    control.delete_contact(contact_id(21))


def purge_a_contact(control: Control) -> None:
    edit_contacts(control)
    control.purge_contact(contact_id(22))


def add_opens(control: Control) -> None:
    """More people open the first two campaigns than were read."""
    control.clock(advance_s=1800)
    control.add_events(
        [
            {
                "type": "opens",
                "campaign_activity_id": activity(campaign),
                "contact_id": contact_id(number),
                "created_time": f"2024-06-01T00:{number:02}:00Z",
            }
            for campaign in (1, 2)
            for number in range(1, 8)
        ]
    )


def flag_people(connection: psycopg.Connection[Any]) -> None:
    """Each kind of change of Do Not Email; c05 waits since it was linked."""

    change = partial(set_flag, connection)
    change("c07", True)
    change("c08", True, "moved", True)
    change("c09", True, "wrote a letter")
    change("c10", False)  # the account's own opt-out: is undone
    change("c11", False)  # the contact's: is held
    change("c42", False)  # linked to no contact
    change("c01", True, "", True)  # shares its address with c40
    change("c40", True, "", True)
    change("c13", True)
    change("c13", False)  # thought better of it
    change("c14", True)  # is deleted at the vendor


def delete_flagged(control: Control) -> None:
    control.clock(advance_s=1800)
    control.delete_contact(contact_id(14))


def want_lists(connection: psycopg.Connection[Any]) -> None:
    """Each kind of request: of contacts that exist, of new ones, of those who said no."""
    new = [(f"n{number:02}", f"new{number}@example.com", False) for number in range(1, 13)]
    new += [("n13", "NEW1@example.com", False), ("n14", "no@example.com", True)]
    new += [("n15", f"{'long' * 10}@example.com", False), ("n16", "refused@nowhere", False)]
    connection.cursor().executemany(
        "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email, first_name)"
        " VALUES (%s, %s, %s, 'First')",
        new,
    )
    wanted = [(f"c{number:02}", 1, "add") for number in range(1, 29)]
    wanted += [(f"c{number:02}", 2, "add") for number in range(1, 9)]
    wanted += [(f"c{number:02}", 3, "remove") for number in range(12, 18)]
    wanted += [(contact, 1, "add") for contact, _, _ in new]
    wanted += [("n13", 2, "add"), ("c40", 2, "remove"), ("c41", 1, "add"), ("c42", 1, "remove")]
    wanted += [("c02", 7, "add"), ("c03", 99, "add"), ("nobody", 1, "add")]
    connection.cursor().executemany(
        "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES (%s, %s, %s)",
        [(contact, list_id(number), action) for contact, number, action in wanted],
    )


def delete_wanted(control: Control) -> None:
    """Since the night: some are on the list already, one is deleted, one appeared."""
    control.clock(advance_s=1800)
    for number in range(11, 18):
        lists = [list_id(3)] if number != 13 else [list_id(3), list_id(1)]
        control.update_contact(contact_id(number), list_memberships=lists)
    control.delete_contact(contact_id(14))
    control.load(contacts=[vendor_contact(90, "new5@EXAMPLE.com", first_name="Own")])
    control.unsubscribe(contact_id(15), source="Contact")
