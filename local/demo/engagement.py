"""What contacts did with the newsletters, in the proportions of a real list."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from local.demo.campaigns import Calendar, Issue
from local.demo.people import JSON, Person

# Shares: of all contacts that get a newsletter, of those the ones who open it, and so on.
_SENT_TO = 0.26
_SENT_AGAIN_TO = 0.1
_BOUNCED = 0.02
_OPENED = 0.37
_AGAIN = 0.28
_TWICE_IN_ONE_SECOND = 0.02
_CLICKED = 0.2
_FORWARDED = 0.006
_BOUNCE_CODES = "BDFSVXZ"
_AUTOREPLY = "V"  # was delivered
_DEVICES = ("computer", "mobile", "tablet", "other", None)


def make_events(seed: int, now: datetime, people: list[Person], calendar: Calendar) -> list[JSON]:
    """Rows as the trackers show them, of every reported sending."""
    made = _Events(seed, now)
    known = [person for person in people if person.vendor and person.address]
    rows: list[JSON] = []
    for issue in calendar.issues:
        rows += made.of_issue(issue, known)
    newsletters = calendar.newsletters
    for person in known:
        if person.left is not None:
            rows += made.leaving(person, newsletters[person.left.newsletter])
    return rows


class _Events:
    def __init__(self, seed: int, now: datetime) -> None:
        self._dice = random.Random(f"{seed}/engagement")  # noqa: S311 - made-up events
        self._latest = now - timedelta(minutes=2)
        self._bounces = 0

    def of_issue(self, issue: Issue, people: list[Person]) -> Iterator[JSON]:
        share = _SENT_AGAIN_TO if issue.is_resend else _SENT_TO
        for person in people:
            for contact, address in _recipients(person, issue.sent):
                if self._dice.random() < share:
                    yield from self._of_recipient(issue, contact, address)

    def leaving(self, person: Person, issue: Issue) -> Iterator[JSON]:
        """The open and the opt-out of someone who left; the send is drawn like any other."""
        if person.vendor is None or person.left is None:
            return
        row = self._row("optouts", issue, person.vendor["contact_id"], person.left.at)
        yield row | ({"opt_out_reason": person.left.reason} if person.left.reason else {})

    def _of_recipient(self, issue: Issue, contact: str, address: str | None) -> Iterator[JSON]:
        sent = issue.sent + timedelta(seconds=self._dice.randrange(900))
        known_as = {"email_address": address} if address else {}
        for row in self._after_send(issue, contact, sent):
            yield row | known_as

    def _after_send(self, issue: Issue, contact: str, sent: datetime) -> Iterator[JSON]:
        dice = self._dice
        yield self._row("sends", issue, contact, sent)
        if dice.random() < _BOUNCED:
            # Each code in turn: no account is so lucky as to see one only.
            code = _BOUNCE_CODES[self._bounces % len(_BOUNCE_CODES)]
            self._bounces += 1
            yield self._row("bounces", issue, contact, self._later(sent)) | {"bounce_code": code}
            if code != _AUTOREPLY:
                return
        if dice.random() >= _OPENED:
            return
        at, device = self._later(sent), dice.choices(_DEVICES, (40, 45, 8, 4, 3))[0]
        on = {"device_type": device} if device else {}
        yield self._row("opens", issue, contact, at) | on
        if dice.random() < _TWICE_IN_ONE_SECOND:
            yield self._row("opens", issue, contact, at) | on
        while dice.random() < _AGAIN:
            yield self._row("opens", issue, contact, self._later(at)) | on
        if dice.random() < _CLICKED:
            for link in dice.sample(issue.links, dice.choices((1, 2), (8, 2))[0]):
                yield self._row("clicks", issue, contact, self._later(at)) | on | link
        if dice.random() < _FORWARDED:
            yield self._row("forwards", issue, contact, self._later(at))

    def _later(self, moment: datetime) -> datetime:
        """Mostly within the day, now and then weeks later; whole seconds."""
        after = timedelta(seconds=int(self._dice.expovariate(1 / 50_000)) + 1)
        return min(moment + after, self._latest).replace(microsecond=0)

    def _row(self, kind: str, issue: Issue, contact: str, at: datetime) -> dict[str, Any]:
        return {
            "type": kind,
            "campaign_activity_id": issue.activity_id,
            "contact_id": contact,
            "created_time": min(at, self._latest).isoformat(timespec="milliseconds"),
        }


def _recipients(person: Person, sent: datetime) -> Iterator[tuple[str, str | None]]:
    """Who had the address then, and the address where the contact has another by now."""
    contact = person.vendor
    former = person.former
    if former is not None and datetime.fromisoformat(former["deleted_at"]) > sent:
        yield former["contact_id"], person.address
        return
    if contact is None:
        return
    email = contact["email_address"]
    ended = contact.get("deleted_at") or email.get("opt_out_date")
    if ended is None or datetime.fromisoformat(ended) > sent:
        yield contact["contact_id"], None
