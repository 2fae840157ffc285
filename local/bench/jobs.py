"""The jobs of a night and of a day outside Airflow, each in a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.push import push_memberships
from constant_contact.sync.report import Report
from constant_contact.sync.upkeep.completeness import compare_campaigns, compare_contacts
from constant_contact.sync.upkeep.findings import FindingsReport
from constant_contact.sync.upkeep.retention import forget_calls
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.measure import Figures, measured
from local.bench.plans import PlannedCursor
from local.bench.stage import Vendor

_MB = 1 << 20
# the option retention_days, by its default
_RETENTION_DAYS = 90


def _compared(client: Client, crm: Database) -> Report:
    """As the tasks of that name, one after the other."""
    report = FindingsReport()
    compare_contacts(client, crm, report)
    compare_campaigns(crm, report)
    return report


_Job = Callable[[Client, Database], Report]
#: in the order of a night
NIGHTLY: dict[str, _Job] = {
    "lists": sync_lists,
    "contacts": sync_contacts,
    "links": lambda _, crm: link_contacts(crm),
    "campaigns": sync_campaigns,
    "engagement": sync_engagement,
    "interactions": lambda _, crm: project_interactions(crm),
    "completeness": _compared,
    "retention": lambda _, crm: forget_calls(crm, days=_RETENTION_DAYS),
}
#: within seconds, whenever the CRM wants something
OUTBOXES: dict[str, _Job] = {
    "opt-outs": push_opt_outs,
    "memberships": push_memberships,
}
_DID: dict[str, Callable[[Figures], int]] = {
    "lists": lambda report: report["read"],
    "contacts": lambda report: report["read"] + report["opted_out_read"],
    "links": lambda report: report["linked"],
    "campaigns": lambda report: report["changed"] + report["activities_asked"],
    "engagement": lambda report: report["new_events"],
    "interactions": lambda report: report["of_new_events"] + report["of_new_links"],
    "completeness": lambda report: report["compared"],
    "retention": lambda report: report["calls_forgotten"],
    "opt-outs": lambda report: report["unsubscribed"],
    "memberships": lambda report: report["added"],
}


@dataclass(frozen=True)
class Measured:
    """One job.

    Attributes:
        job: Its name.
        did: Rows that it brought, linked or carried.
        seconds: From beginning to end, the vendor's replies included.
        replies_s: Of all calls together, from request to reply; those of several threads overlap.
        calls: API calls.
        peak_mb: The most memory of its process.
        grown_mb: By how much the database is larger.
    """

    job: str
    did: int
    seconds: float
    replies_s: float
    calls: int
    peak_mb: float
    grown_mb: float


def job(
    gauge: Gauge, *, name: str, crm_url: str, account: dict[str, Any], plans: bool = False
) -> Figures:
    """One of them; with what became of its statements if `plans` are wanted."""
    seen = PlannedCursor.watch(crm_url) if plans else None
    cursor = PlannedCursor if plans else psycopg.Cursor
    with gauge, connected(crm_url, **account, cursor_factory=cursor) as (client, crm):
        report = (NIGHTLY | OUTBOXES)[name](client, crm).as_dict()
    return {"report": report, "statements": seen and seen.as_dict()}


def measure(name: str, crm_url: str, vendor: Vendor) -> Measured:
    """Run one job and look what it took."""
    vendor.control.clear_calls()
    size, last_call = _state(crm_url)
    figures = measured("local.bench.jobs:job", name=name, crm_url=crm_url, account=vendor.account())
    with psycopg.connect(crm_url) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(duration_ms), 0)::float / 1000 FROM ctct_api_call"
            " WHERE call_id > %s",
            [last_call],
        ).fetchone()
    return Measured(
        job=name,
        did=_DID[name](figures["report"]),
        seconds=figures["seconds"],
        replies_s=row[0] if row else 0.0,
        calls=vendor.calls(),
        peak_mb=figures["peak_mb"],
        grown_mb=(_state(crm_url)[0] - size) / _MB,
    )


def planned(name: str, crm_url: str, vendor: Vendor) -> dict[str, Figures]:
    """Run one job and ask for the plan of each statement; see `local.bench.plans.Statement`."""
    statements: dict[str, Figures] = measured(
        "local.bench.jobs:job", name=name, crm_url=crm_url, account=vendor.account(), plans=True
    )["statements"]
    return statements


def _state(crm_url: str) -> tuple[int, int]:
    """Bytes of the database, and the newest call."""
    with psycopg.connect(crm_url) as connection:
        row = connection.execute(
            "SELECT pg_database_size(current_database()), coalesce(max(call_id), 0)"
            " FROM ctct_api_call"
        ).fetchone()
    return row if row else (0, 0)
