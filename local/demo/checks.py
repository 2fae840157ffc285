"""The checks: what is there, against what must be. Each is one line, right or wrong.

No check shows an address: a difference names ids.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from local.demo.addresses import DOMAINS
from local.demo.dag_report import DagReport
from local.demo.evidence import EVENT, Crm, Vendor
from local.demo.expected import Expected, Permission, Standing
from local.demo.people import JSON, CrmContact

# Also as the URL of a call would have it.
_ADDRESS = re.compile(r"(?:@|%40)(?:" + "|".join(map(re.escape, DOMAINS)) + ")", re.IGNORECASE)
_SHOWN = 3
# What a firm's CRM has, and a check tells: households, misspelt addresses, empty flags.
_MADE_WITH = ("contacts_addresses", "contacts_flags", "shared_addresses")


class Check(NamedTuple):
    """One line of the verdict; without a difference it is right."""

    name: str
    difference: str = ""

    @property
    def is_right(self) -> bool:
        """Whether nothing differs."""
        return not self.difference


def check(report: DagReport) -> Check:
    """The check before the first night finds what the CRM was made with, and nothing else."""
    reported = report.tasks.get("check", {})
    wanted = dict.fromkeys(_MADE_WITH, "differs")
    return Check(
        f"check: {reported.get('ok', 0)} things hold, "
        f"{reported.get('not_tried', 0)} are not tried, {len(wanted)} differ as they were made",
        difference(reported.get("found", {}), wanted),
    )


def lists(crm: Crm, vendor: JSON) -> Check:
    """The CRM's dropdown has every living list, with its members counted.

    Args:
        crm: After the night.
        vendor: The truth in counts as it was before the night: contacts that the night
            unsubscribes leave the lists after they were read.
    """
    wanted = {
        each["list_id"]: (each["name"], each["members"])
        for each in vendor["lists"]
        if not each["deleted"]
    }
    got = {
        row["list_id"]: (row["name"], row["membership_count"])
        for row in crm.lists.to_dict("records")
    }
    return Check(f"lists: {len(wanted)}, with their members", difference(got, wanted))


def mirror(crm: Crm, vendor: Vendor) -> Check:
    """Every contact of the vendor is mirrored as it is."""
    wanted = {
        each["contact_id"]: (
            each["email"],
            each["permission"] if each["email"] else None,
            each["opt_out_source"],
            each["deleted"],
        )
        for each in vendor.contacts
    }
    columns = ["email_address", "permission_to_send", "opt_out_source", "deleted"]
    got = _by_id(crm.mirror, columns)
    name = f"mirror: {len(wanted):,} contacts as the vendor has them"
    return Check(name, difference(got, wanted, with_values=False))


def own_columns(crm: Crm, contacts: Sequence[CrmContact]) -> Check:
    """Check that no data of a person came into the CRM, and no contact was added."""
    wanted = {contact.contact_id: tuple(contact[1:]) for contact in contacts}
    got = _by_id(crm.contacts, list(CrmContact._fields[1:]))
    name = f"CRM: {len(wanted):,} contacts, nothing changed but the link"
    return Check(name, difference(got, wanted, with_values=False))


def links(crm: Crm, expected: Expected) -> Check:
    """Every CRM contact is linked to the one it must be, or to none."""
    got = {
        contact_id: linked
        for contact_id, (linked,) in _by_id(crm.contacts, ["constant_contact_id"]).items()
        if linked is not None
    }
    name = f"links: {len(expected.links):,}, each to the contact it must be"
    return Check(name, difference(got, expected.links))


def figures(report: DagReport, standing: Standing) -> Check:
    """The job's own figures are true."""
    wanted = standing._asdict()
    reported = report.tasks.get("links", {})
    got = {name: reported.get(name) for name in wanted}
    return Check("links: the figures that the task tells", difference(got, wanted))


def ledger(crm: Crm, vendor: Vendor) -> Check:
    """Every event the vendor reports is in the ledger, once."""
    name = f"ledger: {len(vendor.events):,} events, one for one"
    return Check(name, _rows_that_differ(crm.ledger, vendor.events, list(EVENT)))


def completeness(crm: Crm) -> Check:
    """What the vendor counts is stored, as the job itself compares it."""
    found = [" ".join(row) for row in crm.findings.itertuples(index=False)]
    return Check("completeness: no count differs from the vendor's", ", ".join(found[:_SHOWN]))


def interactions(
    crm: Crm, vendor: Vendor, expected: Expected, campaigns: Mapping[str, tuple[str, str]]
) -> Check:
    """Every event of a linked contact is one interaction of each CRM contact that has it."""
    histories = pd.DataFrame(
        expected.histories.items(), columns=["contact_id", "constant_contact_id"], dtype=object
    )
    wanted = vendor.events.merge(histories, on="constant_contact_id")
    named = wanted["campaign_activity_id"].map(campaigns)
    wanted["campaign_id"], wanted["campaign_name"] = named.str[0], named.str[1]
    columns = ["contact_id", "campaign_id", "campaign_name", *EVENT]
    name = f"interactions: {len(wanted):,}, one for one"
    return Check(name, _rows_that_differ(crm.interactions, wanted, columns))


def permissions(vendor: Vendor, wanted: Mapping[str, Permission]) -> Check:
    """Check who is unsubscribed, by the contact or the account, and that no other changed."""
    got = {
        each["contact_id"]: Permission(each["permission"], each["opt_out_source"])
        for each in vendor.contacts
        if not each["deleted"] and each["email"] is not None
    }
    out = sum(each.permission == "unsubscribed" for each in wanted.values())
    name = f"permissions: {out:,} unsubscribed, each by contact or account as it must be; no other"
    return Check(name, difference(got, wanted))


def flags(crm: Crm, vendor: Vendor, expected: Expected) -> Check:
    """Everyone with Do Not Email whose contact lives is unsubscribed there."""
    permission = {
        each["contact_id"]: each["permission"]
        for each in vendor.contacts
        if not each["deleted"] and each["email"] is not None
    }
    flagged = crm.contacts[crm.contacts["do_not_email"].eq(True)]["contact_id"]
    linked = {
        contact_id: permission[expected.links[contact_id]]
        for contact_id in flagged
        if expected.links.get(contact_id) in permission
    }
    mailed = {each: held for each, held in linked.items() if held != "unsubscribed"}
    name = f"Do Not Email: {len(linked)} flagged contacts at the vendor, all unsubscribed"
    return Check(name, difference(mailed, {}))


def will(vendor: Vendor) -> Check:
    """Check that the vendor's policy was kept, and no deleted contact was revived."""
    forbidden = ("policy_violations", "revivals", "names_overwritten", "resubscribe_emails_sent")
    done = {name: vendor.summary[name] for name in forbidden if vendor.summary[name]}
    name = "consent: no contact resubscribed against its will, none revived"
    return Check(name, difference(done, {}))


def kept(vendor: Vendor, before: Sequence[JSON]) -> Check:
    """Names and the other fields at the vendor are what they were: a PUT nulls what it omits."""
    columns = ("first_name", "last_name", "email", "extras", "deleted")
    wanted = {each["contact_id"]: tuple(each[column] for column in columns) for each in before}
    got = {
        each["contact_id"]: tuple(each[column] for column in columns)
        for each in vendor.contacts
        if each["contact_id"] in wanted
    }
    name = f"names: {len(wanted):,} contacts at the vendor keep theirs, and all else"
    return Check(name, difference(got, wanted, with_values=False))


def outbox(crm: Crm, expected: Expected) -> Check:
    """No change waits or has failed, but those for a person."""
    waiting = crm.outbox[crm.outbox["status"].isin(["pending", "failed", "held"])]
    got = dict(zip(waiting["contact_id"], waiting["status"], strict=True))
    wanted = dict.fromkeys(expected.held, "held")
    name = f"opt-outs: none pending, none failed, {len(wanted)} held for a person"
    return Check(name, difference(got, wanted))


def calls(logged: pd.DataFrame, vendor: JSON, budget: int | None, per_second: int) -> Check:
    """Each call is in the log and in the budget; none was refused for coming too fast.

    Args:
        logged: The call log of this demo.
        vendor: The simulator's summary of the calls it had.
        budget: Calls that the budget gave out for them; None when a new day began meanwhile.
        per_second: The most that may arrive within a second.
    """
    had, most = vendor["api_calls"], vendor["max_calls_in_one_second"]
    got = {
        "in the log": int((~logged["path"].str.contains("oauth2")).sum()),
        "in the budget": had if budget is None else budget,
        "throttled": vendor["throttled_count"],
        "more in one second than allowed": max(0, most - per_second),
    }
    wanted = dict.fromkeys(got, 0) | {"in the log": had, "in the budget": had}
    name = f"API calls: {had:,}, all logged and counted, none too fast"
    return Check(name, difference(got, wanted))


def privacy(logged: pd.DataFrame, log: str, secrets: Iterable[str]) -> Check:
    """No address and no secret stands in the call log or in the tasks' logs."""
    found = {}
    for name, column in logged.items():
        if column.dropna().astype(str).str.contains(_ADDRESS).any():
            found[f"addresses in ctct_api_call.{name}"] = "yes"
    text = logged.to_csv()
    if _ADDRESS.search(log):
        found["addresses in the task log"] = "yes"
    for place, where in (("ctct_api_call", text), ("the task log", log)):
        if any(secret in where for secret in secrets):
            found[f"a secret in {place}"] = "yes"
    return Check("privacy: no address and no secret in any log", difference(found, {}))


def nothing_new(
    before: Mapping[str, int], after: Mapping[str, int], reports: Sequence[DagReport]
) -> list[Check]:
    """All was read again from its beginning, and nothing came of it."""
    reported = {
        f"{report.dag_id} {task} {name}": value
        for report in reports
        for task, figures_ in report.tasks.items()
        for name, value in figures_.items()
        if name in _NEWS and value
    }
    writes = sum(report.writes for report in reports)
    return [
        Check("no row more, no row fewer", difference(after, before)),
        Check("the tasks report nothing new", difference(reported, {})),
        Check("nothing was sent", difference({"writes": writes}, {"writes": 0})),
    ]


_NEWS = {
    "linked", "relinked", "unlinked", "opt_outs_queued", "new_events", "of_new_events",
    "of_new_links", "moved_away", "newly_deleted", "purged", "unseen", "shortfall",
    "resubscribed", "malformed", "failed_streams", "refused_streams",
}  # fmt: skip


def _by_id(rows: pd.DataFrame, columns: list[str]) -> dict[str, tuple[Any, ...]]:
    return dict(
        zip(rows["contact_id"], rows[columns].itertuples(index=False, name=None), strict=True)
    )


def difference(
    got: Mapping[str, Any], wanted: Mapping[str, Any], *, with_values: bool = True
) -> str:
    """What differs, by key; values only where they tell nothing of a person."""
    keys = [key for key in {**wanted, **got} if got.get(key) != wanted.get(key)]
    shown = [
        f"{key} is {got.get(key)}, must be {wanted.get(key)}" if with_values else str(key)
        for key in keys[:_SHOWN]
    ]
    more = [f"and {len(keys) - _SHOWN:,} more"] if len(keys) > _SHOWN else []
    return "; ".join([*shown, *more])


def _rows_that_differ(got: pd.DataFrame, wanted: pd.DataFrame, columns: list[str]) -> str:
    """Rows that are missing, and rows that are there too often; order does not matter."""
    have = got[columns].fillna("").value_counts()
    must = wanted[columns].fillna("").value_counts()
    balance = have.sub(must, fill_value=0)
    missing, surplus = -balance[balance < 0], balance[balance > 0]
    reported = []
    for rows, word in ((missing, "missing"), (surplus, "too many")):
        if len(rows):
            first = zip(columns, rows.index[0], strict=True)
            shown = ", ".join(f"{name} {value}" for name, value in first if value != "")
            reported.append(f"{int(rows.sum()):,} {word}, the first: {shown}")
    return "; ".join(reported)
