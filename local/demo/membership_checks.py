"""The checks of list memberships: what is there, against what must be."""

from collections.abc import Sequence

from local.demo.checks import Check, difference
from local.demo.evidence import Crm, Vendor
from local.demo.expected import Expected, Permission, email_key
from local.demo.memberships import NewContact, Outcome
from local.demo.people import JSON


def found(
    crm: Crm, vendor: Vendor, before: Sequence[JSON], wanted: Outcome, expected: Expected
) -> list[Check]:
    """All of them."""
    return [requests(crm, expected), members(vendor, wanted), new(vendor, before, wanted)]


def requests(crm: Crm, expected: Expected) -> Check:
    """Each request has its final status, and a sentence that says why."""
    got, wanted = {}, {}
    for row in crm.memberships.to_dict("records"):
        name, detail = f"{row['contact_id']} on {row['list_id']}", row["detail"] or ""
        answer = expected.answers.get(name)
        says = answer.about if answer else ""
        is_said = detail.endswith(".") and says in detail.lower()
        got[name] = f"{row['status']}: {says if is_said else 'something else'}"
    for name, answer in expected.answers.items():
        wanted[name] = f"{answer.status}: {answer.about}"
    rejected = sum(each.status == "rejected" for each in expected.answers.values())
    name = f"requests for lists: {len(wanted)} answered, {rejected} of them no, each says why"
    return Check(name, difference(got, wanted))


def members(vendor: Vendor, wanted: Outcome) -> Check:
    """Check that contacts of before are on the lists they must be on, and on no other."""
    got = {
        each["contact_id"]: frozenset(each["lists"])
        for each in vendor.contacts
        if each["contact_id"] in wanted.lists
    }
    count = sum(map(len, wanted.lists.values()))
    name = f"members: {count:,} memberships, each contact on the lists it must be on"
    return Check(name, difference(got, wanted.lists, with_values=False))


def new(vendor: Vendor, before: Sequence[JSON], wanted: Outcome) -> Check:
    """Check that new contacts have their names, permission and lists, and that no other is new."""
    known = {each["contact_id"] for each in before}
    got = {}
    for each in vendor.contacts:
        if each["contact_id"] in known:
            continue
        asked = wanted.new.get(email_key(each["email"]) or "")
        asked_by = asked.asked_by if asked else each["contact_id"]
        got[asked_by] = NewContact(
            asked_by,
            each["first_name"],
            each["last_name"],
            Permission(each["permission"], each["opt_out_source"]),
            frozenset(each["lists"]),
        )
    must = {each.asked_by: each for each in wanted.new.values()}
    name = f"new contacts: {len(must)}, with names, permission and lists as they must be"
    return Check(name, difference(got, must, with_values=False))
