"""What must be true, whatever happened: said once more, in Python, without a look at our SQL.

`assert_lawful` holds for every run, however it was disturbed. The others tell what an undisturbed
run must come to.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

Row = Mapping[str, Any]
OptedIn = Mapping[str, datetime]

# What a job of ours may change of the vendor's contact; `lists`: who is unsubscribed is in none.
_CONSENT = {
    "permission", "opt_out_source", "opt_out_reason", "opt_out_date", "updated_at", "update_source",
    "lists",
}  # fmt: skip
_ENDED = {"done", "superseded", "failed"}
# The vendor's words and the CRM's, written out: our own map may be wrong.
TYPES = {
    "em_sends": "send", "em_opens": "open", "em_clicks": "click", "em_bounces": "bounce",
    "em_forwards": "forward", "em_optouts": "opt_out",
}  # fmt: skip


class Scene(NamedTuple):
    """Both sides at one moment, by id: the vendor's contacts as they truly are, the CRM's
    people, its outbox, and what the mirror believes of the vendor's contacts."""

    contacts: dict[str, Row]
    people: dict[str, Row]
    changes: dict[int, Row]
    mirror: dict[str, Row]

    def linked_to(self, contact_id: str | None) -> list[Row]:
        return [
            person
            for person in self.people.values()
            if contact_id and person["constant_contact_id"] == contact_id
        ]

    def contact_of(self, change: Row) -> str | None:
        """Whom a change is about at the vendor."""
        if change["is_found"]:
            return change["constant_contact_id"]
        person = self.people.get(change["contact_id"])
        return (person and person["constant_contact_id"]) or change["constant_contact_id"]

    def asks(self, contact_id: str, person: str | None = None) -> list[Row]:
        """Changes by which a contact with this link, or `person`, asked to be left alone."""
        asking = {each["contact_id"] for each in self.linked_to(contact_id)} | {person}
        return [
            change
            for change in self.changes.values()
            if change["do_not_email"]
            and change["requested_by_contact"]
            and (change["contact_id"] in asking or change["constant_contact_id"] == contact_id)
        ]

    def can_be_mailed(self, contact_id: str | None) -> bool:
        contact = self.contacts.get(contact_id or "")
        return _is_living(contact) and contact["permission"] != "unsubscribed"


def _is_living(contact: Row | None) -> bool:
    return contact is not None and not contact["deleted"] and bool(contact["email"])


def email_key(address: str | None) -> str | None:
    key = (address or "").strip().lower()
    return key if re.fullmatch(r"[^@\s]+@[^@\s]+", key) else None


def assert_lawful(before: Scene, after: Scene, opted_in: OptedIn) -> None:
    """No run wrongs anybody.

    Args:
        before: When it began.
        after: When it ended, or was ended.
        opted_in: When each of the vendor's contacts last opted in by itself.
    """
    for contact_id, was in before.contacts.items():
        _assert_contact_lawful(before, after, opted_in, contact_id, was)
    for person_id, person in before.people.items():
        rest = {name: value for name, value in person.items() if name != "constant_contact_id"}
        assert rest.items() <= after.people[person_id].items()
        assert person["do_not_email"] is after.people[person_id]["do_not_email"]
    assert before.people.keys() == after.people.keys()
    assert before.changes.keys() <= after.changes.keys()
    for change_id, change in after.changes.items():
        _assert_change_lawful(before.changes.get(change_id), after, change)


def _assert_contact_lawful(
    before: Scene, after: Scene, opted_in: OptedIn, contact_id: str, was: Row
) -> None:
    now = after.contacts[contact_id]
    assert {**was, **{name: now[name] for name in _CONSENT}} == now, "only consent is ours"
    if was == now:
        return
    assert not was["deleted"], "a deleted contact was written to"
    assert (was["permission"], was["opt_out_source"]) != ("unsubscribed", "Contact"), (
        "a contact that unsubscribed itself was written to"
    )
    about = [c for c in after.changes.values() if after.contact_of(c) == contact_id]
    if now["permission"] == "unsubscribed":
        assert any(change["do_not_email"] for change in about) or before.asks(contact_id), (
            "no change wanted this opt-out"
        )
        if now["opt_out_source"] == "Contact":
            # By a link, an address or a contact that left the CRM: the law says which.
            asked = any(change["requested_by_contact"] for change in after.changes.values())
            assert asked, "no contact asked for anything"
        return
    # An opt-out and its end may both be carried by one run.
    ended = {c["do_not_email"] for c in about if _has_ended(before, c)}
    assert was["permission"] == "unsubscribed" or ended == {True, False}, (
        "a permission was changed that was none of ours"
    )
    assert not any(person["do_not_email"] for person in before.linked_to(contact_id)), (
        "someone with the address says no"
    )
    told_at = opted_in.get(contact_id)
    assert all(told_at and told_at > ask["changed_at"] for ask in before.asks(contact_id)), (
        "someone with the address asked to be left alone"
    )
    # A run that ended after the vendor's answer may have left the change to the next one.
    assert any(
        not change["do_not_email"]
        and change["status"] in {"done", "pending"}
        and before.changes.get(change["change_id"], {}).get("status") != "done"
        for change in about
    ), "no change wanted this opt-in"


def _has_ended(before: Scene, change: Row) -> bool:
    return change["status"] == "done" and before.changes.get(change["change_id"]) != change


def _assert_change_lawful(was: Row | None, after: Scene, change: Row) -> None:
    if was is None:
        # Found by comparing: an objection that the vendor does not know of, or a flag that was
        # cleared without a word.
        assert change["is_found"] if change["do_not_email"] else not change["requested_by_contact"]
    else:
        fixed = "contact_id", "do_not_email", "reason", "requested_by_contact", "changed_at"
        assert [was[name] for name in fixed] == [change[name] for name in fixed]
        if was["status"] in _ENDED:
            assert change == was, "what was settled was taken up again"
        if was["status"] == "held":
            # An opt-in is looked at again when its contact, or a new link's, may be mailed.
            again = set() if change["do_not_email"] else {"pending", "done"}
            assert change["status"] in {"held", "superseded"} | again
    if (
        change["status"] == "done"
        and change["do_not_email"]
        and (was or {}).get("status") != "done"
    ):
        assert not after.can_be_mailed(change["constant_contact_id"]), ("it is not done", change)


def assert_opt_outs_carried(before: Scene, after: Scene, opted_in: OptedIn) -> None:
    """After an undisturbed run: no change waits, and what each came to is so at the vendor.

    What the law says of each contact is in `tests.faults.law`.
    """
    for change_id, change in before.changes.items():
        if change["status"] != "pending":
            continue
        status = after.changes[change_id]["status"]
        person = after.people.get(change["contact_id"])
        if change["do_not_email"]:
            assert status in {"done", "superseded"}, (change, status)
            if status == "superseded":
                assert person is not None, "who left the CRM takes nothing back"
                told_at = opted_in.get(after.contact_of(change) or "")
                assert (
                    not change["requested_by_contact"]
                    or change["is_found"]
                    or (told_at and told_at > change["changed_at"])
                ), "only the contact takes back what it asked for"
        else:
            assert status in {"done", "held", "superseded"}, (change, status)
            if person is not None and person["do_not_email"]:
                assert status == "superseded", change
        if status == "held":
            assert not after.can_be_mailed(after.contact_of(change)), (change, status)


def assert_linked(before: Scene, after: Scene) -> None:
    """After an undisturbed run: each link is where the addresses in the mirror say."""
    living = {id_: row for id_, row in after.mirror.items() if row["deleted_at"] is None}
    for person_id, person in after.people.items():
        old, new = before.people[person_id]["constant_contact_id"], person["constant_contact_id"]
        key = email_key(person["preferred_email"])
        matching = {
            id_ for id_, row in living.items() if key and email_key(row["email_address"]) == key
        }
        assert new in ({old} if old in living else matching or {None}), person
        mirrored = living.get(new or "")
        if mirrored and person["do_not_email"] and mirrored["email_address"]:
            assert mirrored["permission_to_send"] == "unsubscribed" or any(
                after.contact_of(change) == new
                and change["do_not_email"]
                and change["status"] in {"pending", "held", "failed"}
                for change in after.changes.values()
            ), "a flagged person is linked and its opt-out is not queued"


def assert_mirrored(scene: Scene) -> None:
    """After an undisturbed full pass: the mirror is the truth."""
    for contact_id, row in scene.mirror.items():
        truth = scene.contacts.get(contact_id)
        assert (truth is None or truth["deleted"]) is (row["deleted_at"] is not None), row
        if row["deleted_at"] is None and truth is not None:
            assert (row["email_address"], row["permission_to_send"], row["opt_out_source"]) == (
                truth["email"], truth["permission"], truth["opt_out_source"],
            )  # fmt: skip
    assert scene.contacts.keys() <= scene.mirror.keys()


def assert_nobody_flagged_is_mailed(scene: Scene) -> None:
    """When all is carried: no newest word of the CRM is unheard."""
    for person in scene.people.values():
        if person["do_not_email"]:
            assert not scene.can_be_mailed(person["constant_contact_id"]), person
    for change in scene.changes.values():
        assert change["status"] not in {"pending", "failed"}, change
        if change["status"] == "held":
            assert not change["do_not_email"], change


def events(truth: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """The vendor's events as the ledger and the interactions know them."""
    return Counter(
        (
            each["contact_id"],
            each["campaign_activity_id"],
            TYPES[each["tracking_activity_type"]],
            datetime.fromisoformat(each["created_time"]),
            each.get("link_url"),
        )
        for each in truth
    )


def interactions_of(
    linked: Iterable[tuple[str, str]], happened: Counter[tuple[Any, ...]]
) -> Counter[tuple[Any, ...]]:
    """What is to be seen of these pairs of a CRM contact and a vendor's contact."""
    seen: Counter[tuple[Any, ...]] = Counter()
    for person, contact_id in linked:
        for event, times in happened.items():
            if event[0] == contact_id:
                seen[person, *event] += times
    return seen
