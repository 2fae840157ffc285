"""What can happen on both sides and between them, each step judged by the model."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.control import ControlError
from tests.faults import model
from tests.faults.faults import ALWAYS, LASTING, PAGE_FAULTS, PAGES_LAST, PASSING, SLOW, Fault
from tests.faults.world import World

if TYPE_CHECKING:
    from datetime import datetime

DAY_S = 24 * 3600
UNKNOWN = ["permission_to_send", "opt_out_source"]
FAULTS = (
    {name: fault for name, fault in (PASSING | PAGE_FAULTS).items() if name not in SLOW}
    | {name: each.fault for name, each in (LASTING | PAGES_LAST).items()}
    | {"unknown consent": Fault("unknown_fields", {"enums": UNKNOWN}, ALWAYS)}
)
ROUND = ("lists", "links", "activities", "opt_outs")


class History:
    """What can happen, one method each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opted_in: dict[str, datetime] = {}
        self.linked: set[tuple[str, str]] = set()
        self.people = 6
        # Campaigns and activities; who left by which.
        self.sent: list[tuple[str, str]] = []
        self.left: set[tuple[str, str]] = set()
        # Whether the vendor has given permissions that are unknown.

    def nothing(self) -> None:
        """What a step that does not matter is shortened to."""

    # what happens in the CRM

    def turn_flag(self, number: int, by_contact: bool) -> None:
        if person := self._person(number):
            self.world.turn_flag(person, by_contact)

    def change_address(self, number: int, address: str | None) -> None:
        if person := self._person(number):
            self.world.execute(
                "UPDATE crm_contact SET preferred_email = %s WHERE contact_id = %s",
                address,
                person,
            )

    def add_person(self, address: str, flag: bool) -> None:
        self.world.execute(
            "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
            " VALUES (%s, %s, %s)",
            f"p{self.people}", address, flag,
        )  # fmt: skip
        self.people += 1

    def remove_person(self, number: int) -> None:
        self.world.execute("DELETE FROM crm_contact WHERE contact_id = %s", self._person(number))

    # what happens at the vendor

    def unsubscribe(self, number: int, source: str) -> None:
        if contact := self._contact(number):
            self.world.control.unsubscribe(contact, source=source, reason="enough")

    def opt_in_again(self, number: int) -> None:
        if contact := self._contact(number):
            self.world.control.resubscribe(contact)
            self.opted_in[contact] = self.world.now

    def change_vendors_address(self, number: int, address: str) -> None:
        if contact := self._contact(number):
            self._unless_taken(self.world.control.update_contact, contact, email=address)

    def sign_up(self, address: str) -> None:
        self._unless_taken(self.world.add_vendor_contact, address)

    def delete(self, number: int) -> None:
        if contact := self._contact(number):
            self.world.control.delete_contact(contact)

    def restore_or_purge(self, number: int, purged: bool) -> None:
        """A deleted contact comes back, or is gone for good and its address is free."""
        if contact := self._contact(number, deleted=True):
            control = self.world.control
            (control.purge_contact if purged else control.restore_contact)(contact)

    def send(self, number: int | None) -> None:
        """A new campaign, or one goes out again."""
        if number is None or not self.sent:
            sent = self.world.control.send_campaign(name="News")
        else:
            campaign, _ = self.sent[number % len(self.sent)]
            sent = self.world.control.send_campaign(campaign_id=campaign, role="resend")
        self.sent.append((sent["campaign_id"], sent["campaign_activity_id"]))

    def engage(self, number: int, kind: str, times: int) -> None:
        contact = self._contact(number)
        if contact and self.sent:
            _, activity = self.sent[number % len(self.sent)]
            self.world.add_events(activity, contact, kind, times)

    def leave_by_a_link_in_a_campaign(self, number: int) -> None:
        contact = self._contact(number)
        if contact and self.sent and (contact, activity := self.sent[-1][1]) not in self.left:
            # Once each: the vendor counts distinct recipients.
            self.left.add((contact, activity))
            self.world.control.unsubscribe(contact, campaign_activity_id=activity)

    # what runs

    def run(self, job: str) -> None:
        before = self.world.scene()
        self.world.run(job)
        after = self._judged(before)
        if job in {"links", "links_changed"}:
            model.assert_linked(before, after)
        if job == "opt_outs":
            model.assert_opt_outs_carried(before, after, self.opted_in)

    def run_with_a_fault(self, job: str, fault: str, after: int) -> None:
        before = self.world.scene()
        self.world.run_with(FAULTS[fault], job, path="/v3/", after=after)
        self._judged(before)

    def run_with_a_fault_of_the_token(self, job: str, fault: str) -> None:
        self.world.control.expire_access_tokens()
        before = self.world.scene()
        self.world.run_with(FAULTS[fault], job, path="/token$", after=0)
        self._judged(before)

    def run_and_be_killed(self, job: str, at_step: int) -> None:
        before = self.world.scene()
        self.world.run_killed(job, at_step)
        self._judged(before)

    def time_passes(self, days: float) -> None:
        self.world.pass_time(days * DAY_S)

    def settle(self) -> None:
        """A day passes, a person looks at what failed, every job runs twice; then all agrees."""
        self.world.pass_time(DAY_S)
        self.world.execute(
            "UPDATE crm_opt_out_change SET status = 'pending' WHERE status = 'failed'"
        )
        self.round()
        puts = self.world.puts()
        self.round()
        assert self.world.puts() == puts, "the second round had something to write"
        scene = self.world.scene()
        model.assert_nobody_flagged_is_mailed(scene)
        model.assert_mirrored(scene)
        assert self.world.lists() == self.world.lists_in_truth()
        happened = self._happened()
        assert self.world.ledger() == happened
        linked = {(p, row["constant_contact_id"]) for p, row in scene.people.items()}
        shown = self.world.interactions()
        assert model.interactions_of(linked, happened) <= shown, "interactions are missing"
        assert {event[0] for event in shown} <= scene.people.keys(), "of people who are gone"

    def round(self) -> None:
        for job in ROUND:
            self.run(job)

    # what all of them need

    def _judged(self, before: model.Scene) -> model.Scene:
        """The scene after a run, which must be lawful whatever befell it."""
        after = self.world.scene()
        truth = self.world.control.truth()
        assert truth["policy_violations"] == []
        assert truth["revivals"] == []
        model.assert_lawful(before, after, self.opted_in)
        self.linked |= {(p, row["constant_contact_id"]) for p, row in after.people.items()}
        happened = self._happened()
        assert self.world.ledger() <= happened, "an event is doubled or made up"
        shown = self.world.interactions()
        assert shown <= model.interactions_of(self.linked, happened), "an interaction is doubled"
        return after

    def _happened(self) -> Counter[tuple[Any, ...]]:
        return model.events(self.world.control.truth_events())

    def _person(self, number: int) -> str | None:
        self.world.pass_time()
        people = self.world.execute("SELECT contact_id FROM crm_contact ORDER BY 1")
        return people[number % len(people)]["contact_id"] if people else None

    def _contact(self, number: int, *, deleted: bool = False) -> str | None:
        self.world.pass_time()
        contacts = [
            each["contact_id"]
            for each in self.world.control.truth_contacts()
            if each["deleted"] is deleted
        ]
        return contacts[number % len(contacts)] if contacts else None

    @staticmethod
    def _unless_taken(edit: Callable[..., object], *args: str, **changes: str) -> None:
        try:
            edit(*args, **changes)
        except ControlError as error:
            assert "taken" in str(error)  # noqa: PT017 - else it is another
