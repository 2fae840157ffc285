"""The vendor's half of the story, in the simulator."""

from datetime import UTC, datetime

from local.demo.campaigns import Calendar, day_lists, new_list
from local.demo.story import Story, rows_of_openers
from simulator.control import Control


def edit_account(control: Control, story: Story, calendar: Calendar, seed: int) -> None:
    """People leave, move, join and read; a list goes, a list comes, a newsletter is sent."""
    now = datetime.now(UTC)
    old, last = calendar.newsletters[2], calendar.newsletters[-1]
    for contact_id in story.leaving:
        control.unsubscribe(
            contact_id, reason="Too many emails", campaign_activity_id=last.activity_id
        )
    for contact_id, address in story.readdressed.items():
        control.update_contact(contact_id, email=address)
    for contact_id in story.deleted:
        control.delete_contact(contact_id)
    for contact_id, newcomer in story.moved.items():
        address = newcomer["email_address"]["address"]
        control.update_contact(contact_id, email=f"formerly.{address}")
        control.delete_contact(contact_id)
    control.load(lists=[new_list(seed, now)], contacts=[*story.moved.values(), *story.joined])
    # Contacts that have not opened it before: only those move the campaign's summary.
    opened = {row["contact_id"] for row in control.truth_events(old.activity_id, "opens")}
    late = next(each for each in story.openers if each not in opened)
    control.add_events(rows_of_openers(story.openers, late, (old, last)))
    control.delete_list(day_lists(seed, calendar).goes)
    _send_draft(control, calendar, now)


def _send_draft(control: Control, calendar: Calendar, now: datetime) -> None:
    """Send it to the members of the first list; the calendar has it as sent from here on."""
    at = now.isoformat(timespec="milliseconds")
    to = calendar.living_lists[:1]
    control.send_campaign(campaign_id=calendar.draft_id, list_ids=to, sent_at=at)
    draft = next(each for each in calendar.campaigns if each["campaign_id"] == calendar.draft_id)
    draft |= {"current_status": "Done", "updated_at": at}
    draft["campaign_activities"][0]["sent_at"] = at
