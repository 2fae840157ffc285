"""All that is recorded of one contact, in the order in which it happened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

Row = Mapping[str, Any]

# By `ctct_objection.source`: who objects.
SOURCES: Final = {
    "flag": "Do Not Email in the CRM",
    "asked": "the contact, told by the CRM",
    "vendor_contact": "the contact, at Constant Contact",
    "vendor_account": "the account, at Constant Contact",
    "click": "the contact, by a link in an email",
    "erasure": "erasure",
}
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """One thing that happened.

    Attributes:
        at: When; None where nothing says so.
        kind: Of what it is, such as "Objection".
        what: What happened, in words.
        by: Who or what did it, and why.
        status: Of what was asked for, as its table has it; empty where it has none.
        path: The page about it, below our root; empty: there is none.
    """

    at: datetime | None
    kind: str
    what: str
    by: str = ""
    status: str = ""
    path: str = ""


def timeline(
    contact: Row,
    *,
    objections: Sequence[Row],
    changes: Sequence[Row],
    requests: Sequence[Row],
    interactions: Sequence[Row],
    calls: Sequence[Row],
) -> list[Moment]:
    """The moments of a contact, the newest first.

    Args:
        contact: Of links/contact.
        objections: Of web/objections.
        changes: Of opt_outs/changes_of_contact.
        requests: Of memberships/requests_of_contact.
        interactions: Of interactions/interactions_of_contact.
        calls: Of the call log.
    """
    moments = [
        *_of_link(contact),
        *_of_objections(objections, contact["contact_id"]),
        *_of_changes(changes),
        *_of_requests(requests),
        *(Moment(row["occurred_at"], "Interaction", row["description"]) for row in interactions),
        *_of_calls(calls),
    ]
    return sorted(moments, key=lambda moment: moment.at or _LONG_AGO, reverse=True)


def _of_link(contact: Row) -> Iterator[Moment]:
    if contact["linked_at"]:
        linked_id = contact["constant_contact_id"]
        what = f"Linked to {linked_id}." if linked_id else "The link was cleared."
        yield Moment(contact["linked_at"], "Link", what)


def _of_objections(rows: Sequence[Row], contact_id: str) -> Iterator[Moment]:
    for row in rows:
        who = SOURCES[row["source"]]
        if row["contact_id"] and row["contact_id"] != contact_id:
            who += f" (contact {row['contact_id']})"
        by = _why(row["told_by"], row["reason"])
        yield Moment(row["objected_at"], "Objection", f"Objection: {who}.", by)
        if row["lifted_at"]:
            by = _why(row["lifted_by"] or "the rules", row["evidence"])
            yield Moment(row["lifted_at"], "Objection", f"Objection lifted: {who}.", by)


def _of_changes(rows: Sequence[Row]) -> Iterator[Moment]:
    """A change once, and each decision about it."""
    seen = set()
    for row in rows:
        path = f"/opt-outs/{row['change_id']}"
        if row["change_id"] not in seen:
            seen.add(row["change_id"])
            what = f"Do Not Email was {'set' if row['do_not_email'] else 'cleared'}."
            who = row["changed_by"] or "unknown"
            if row["requested_by_contact"]:
                who += ", asked by the contact"
            yield Moment(
                row["changed_at"],
                "Do Not Email",
                f"{what} {row['detail'] or ''}".rstrip(),
                _why(who, row["reason"]),
                row["status"],
                path,
            )
        if row["decision"]:
            yield Moment(row["decided_at"], "Decision", _decided(row), _called(row), path=path)


def _decided(row: Row) -> str:
    """Such as "unsubscribed by the rules (implicit → unsubscribed)"."""
    what = f"{row['decision'].replace('_', ' ')} by {row['decided_by'] or 'the rules'}"
    if row["permission_before"] or row["permission_after"]:
        before, after = row["permission_before"] or "unknown", row["permission_after"] or "unknown"
        what += f" ({before} → {after})"
    if row["decision_detail"] and row["decision_detail"] != row["detail"]:
        what += f": {row['decision_detail']}"
    return what


def _called(row: Row) -> str:
    """By which call; its id is what Constant Contact's support asks for."""
    if not row["call_method"]:
        return ""
    said = f"{row['call_method']} {row['call_status'] or 'no answer'}"
    return f"{said}, request {row['request_id']}" if row["request_id"] else said


def _of_requests(rows: Sequence[Row]) -> Iterator[Moment]:
    for row in rows:
        asked = "put on" if row["action"] == "add" else "taken off"
        what = f"Was to be {asked} “{row['list_name']}”. {row['detail'] or ''}".rstrip()
        yield Moment(row["requested_at"], "Membership", what, status=row["status"])


def _of_calls(rows: Sequence[Row]) -> Iterator[Moment]:
    for row in rows:
        answer = row["status"] or "no answer"
        yield Moment(
            row["called_at"],
            "API call",
            f"{row['method']} {row['path']}: {answer}",
            row["error_key"] or "",
            path=f"/calls/{row['call_id']}",
        )


def _why(who: str | None, reason: str | None) -> str:
    return f"{who or '-'}: {reason}" if reason else who or ""
