"""The other pages on full tables: asked over HTTP of Airflow's own api-server app."""

from dataclasses import replace
from urllib.parse import urlencode

import psycopg

from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.upkeep.completeness import compare_campaigns
from constant_contact.sync.upkeep.findings import FindingsReport
from local.bench import served
from local.bench.account import crm_database
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures
from local.bench.result import Result
from local.bench.served import Form
from local.bench.stage import Stage

_CONTACTS, _LARGE = 100_000, 1_000_000
# Ten events a contact: of the first campaign two, as it was sent to all, and of the others eight.
_CAMPAIGNS, _LISTS = 500, 200
_TIMES = 10
_MOST_MEDIAN_MS = 300.0
_ALL, _SOME = "/campaigns/campaign-1", "/campaigns/campaign-250"


def paths() -> dict[str, str | Form]:
    """The pages, by what is asked for."""

    def who(campaign: str, kind: str, **place: str) -> str:
        return f"{campaign}/contacts?{urlencode({'activity_type': kind, **place})}"

    # in the middle of the contacts
    later = {"after": '["8", 1, "2026-01-01T00:00:00Z", 1]'}
    return {
        "overview": "/",
        "campaigns": "/campaigns",
        "campaigns by opens": "/campaigns?sort=-opens",
        "campaigns by name, page 9": "/campaigns?sort=name&page=9",
        "campaigns by a part of the name": "/campaigns?search=paign+12",
        "campaigns whose counts differ": "/campaigns?state=differ",
        "campaign to all contacts": _ALL,
        "who was sent it": who(_ALL, "send"),
        "who opened it": who(_ALL, "open"),
        "who opened it, a later page": who(_ALL, "open", **later),
        "who clicked it": who(_ALL, "click"),
        "another campaign": _SOME,
        "who was sent that": who(_SOME, "send"),
        "lists": "/lists",
        "lists by members": "/lists?sort=-vendor_members",
        "one list": "/lists/list-7",
        "memberships": "/memberships",
        "memberships of a list": "/memberships?list_id=list-7",
        "memberships of a list without any": "/memberships?list_id=none",
        "memberships that are rejected": "/memberships?status=rejected",
        "memberships of a list that are removals": "/memberships?list_id=list-7&action=remove",
        "memberships by name": "/memberships?sort=name",
        "memberships by name, page 200": "/memberships?sort=name&page=200",
        "opt-outs": "/opt-outs",
        "opt-outs by name": "/opt-outs?sort=name",
        "why, of one contact": "/why?contact_id=C77777",
        "why, of a name": Form("/why", {"wanted": "First7 Last777"}),
        "why, of a name that no contact has": Form("/why", {"wanted": "First7 van Dijk"}),
        "why, suggestions": Form("/why/suggestions", {"wanted": "fi"}),
        "why, suggestions for a whole name": Form("/why/suggestions", {"wanted": "Last777, F"}),
    }


def ask(_gauge: Gauge, *, crm: str, metadata_url: str, times: int) -> Figures:
    """Milliseconds of each page."""
    served.prepare(crm, metadata_url)
    return {"ms": served.milliseconds(paths(), times)}


def run(stage: Stage) -> list[Result]:
    """An account of two years, linked, mirrored and compared."""
    contacts = _LARGE if stage.large else _CONTACTS
    with stage.database() as crm_url:
        events = _fill(stage, crm_url, contacts)
        result = Result(
            "pages",
            f"pages on {contacts:,} contacts, requests and calls and {events:,} events, over HTTP, "
            f"{_TIMES} times each",
            served.HEADINGS,
        )
        medians = served.measure(stage, result, "local.bench.pages:ask", crm_url, _TIMES)
    result.at_most("slowest median", max(medians.values()), _MOST_MEDIAN_MS, " ms")
    return [result]


def _fill(stage: Stage, crm_url: str, contacts: int) -> int:
    """Make the rows; return how many events there are."""
    stage.say(f"pages: making {contacts:,} contacts and ten times as many events")
    make(crm_url, "contacts", size=contacts)
    settle(crm_url)
    crm = crm_database(crm_url)
    # the links, not the CRM's own column
    crm.seam = replace(crm.seam, write_back=None)
    link_contacts(crm)
    make(crm_url, "streams", campaigns=_CAMPAIGNS)
    sends = contacts * 9 // 1_000
    make(crm_url, "campaigns_page", campaigns=_CAMPAIGNS, contacts=contacts, sends=sends)
    make(crm_url, "lists_page", lists=_LISTS, contacts=contacts)
    make(crm_url, "calls", calls=contacts)
    settle(crm_url)
    stage.say("pages: comparing")
    compare_campaigns(crm, FindingsReport())
    crm.close()
    settle(crm_url)
    with psycopg.connect(crm_url) as connection:
        row = connection.execute("SELECT count(*) FROM ctct_engagement").fetchone()
    return row[0] if row else 0
