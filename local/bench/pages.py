"""Our pages on full tables: asked over HTTP of Airflow's own api-server app."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg.rows import dict_row

from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.upkeep.completeness import compare_campaigns
from constant_contact.sync.upkeep.findings import FindingsReport
from local.bench.account import crm_database
from local.bench.made_up import make, settle
from local.bench.measure import measured
from local.bench.result import Result
from local.bench.stage import Stage

# A log of ninety days at ten thousand a day and more.
_CONTACTS, _CALLS = 100_000, 1_000_000
# Ten events a contact: of the first campaign two, as it was sent to all, and of the others eight.
_CAMPAIGNS, _LISTS = 500, 200
_TIMES = 10
_MOST_MEDIAN_MS, _MOST_WITHOUT_INDEX_MS = 300.0, 1000.0
_ALL, _SOME = "/campaigns/campaign-1", "/campaigns/campaign-250"
# The only one that reads the whole log.
_NO_INDEX = "calls: anywhere in the path, all"

_Asked = tuple[str, dict[str, str] | None]


def _pages() -> dict[str, str]:
    """The pages but the API calls, by what is asked for."""

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
    }


def _forms() -> dict[str, _Asked]:
    """Forms that change nothing, and their fields."""
    suggestions = "/why/suggestions"
    return {
        "why, of a name": ("/why", {"wanted": "First7 Last777"}),
        "why, of a name that no contact has": ("/why", {"wanted": "First7 van Dijk"}),
        "why, suggestions": (suggestions, {"wanted": "fi"}),
        "why, suggestions for a whole name": (suggestions, {"wanted": "Last777, F"}),
    }


def _calls(known: dict[str, Any]) -> dict[str, str]:
    """The page of API calls, by its filters; `known` is a call from the middle of the log.

    That each filter alone has its index is tested; here are those that meet several, or none.
    """

    def those(**fields: object) -> str:
        return f"/calls?{urlencode(fields)}"

    then, next_day = (datetime.now(UTC) - timedelta(days=days) for days in (81, 80))
    long_ago = {"from": f"{then:%Y-%m-%dT%H:%M}", "to": f"{next_day:%Y-%m-%dT%H:%M}"}
    instance = {name: known[name] for name in ("dag_id", "run_id", "task_id", "map_index")}
    path, end = known["path"], known["path"][-20:]
    activities, opt_outs = "constant_contact_activities", "constant_contact_opt_outs"
    # of one in 10,000 calls, and of one in all
    lists, conflict = "constant_contact_lists", "contacts.api.conflict"
    return {
        "calls": those(),
        "calls: all that is kept": those(span="all"),
        "calls: task instance": those(**instance),
        "calls: path of a contact, all": those(path=path, span="all"),
        "calls: frequent path, all": those(path="/v3/reports/", span="all"),
        _NO_INDEX: those(path=end, span="all"),
        "calls: 5xx, all": those(status="5xx", span="all"),
        "calls: rare error key, 80 days ago": those(error_key=conflict, **long_ago),
        "calls: DAG and failed": those(dag_id="constant_contact_contacts", status="failed"),
        "calls: DAG and rare status, all": those(dag_id=opt_outs, status="409", span="all"),
        "calls: DAG and no answer, 80 days ago": those(
            dag_id=activities, status="no answer", **long_ago
        ),
        "calls: rare DAG and PUT, all": those(dag_id=lists, method="PUT", span="all"),
        "calls: path and status, all": those(path="/v3/contacts/", status="429", span="all"),
        "calls: for which nothing is found, all": those(error_key="none.such", span="all"),
        "calls: slowest, all": those(sort="-duration_ms", span="all"),
        "calls: DAG, slowest, all": those(dag_id=activities, sort="-duration_ms", span="all"),
    }


def run(stage: Stage) -> list[Result]:
    """An account of two years, linked, mirrored and compared."""
    with stage.database() as crm_url, stage.database() as metadata_url:
        events, known = _fill(stage, crm_url)
        asked: dict[str, _Asked] = {
            name: (path, None) for name, path in (_pages() | _calls(known)).items()
        }
        taken = measured(
            "local.bench.served:ask",
            crm=stage.airflow_connection(crm_url),
            metadata_url=metadata_url.replace("postgresql://", "postgresql+psycopg2://"),
            paths=asked | _forms(),
            times=_TIMES,
        )["ms"]
    result = Result(
        "pages",
        f"pages on {_CONTACTS:,} contacts and requests, {_CALLS:,} calls and {events:,} events, "
        f"over HTTP, {_TIMES} times each",
        ("asked for", "median ms", "95th percentile ms", "slowest ms"),
    )
    for name, each in taken.items():
        result.rows.append((name, median(each), quantiles(each, n=20)[-1], max(each)))
    without_index = median(taken.pop(_NO_INDEX))
    result.at_most("slowest median", max(map(median, taken.values())), _MOST_MEDIAN_MS, " ms")
    result.at_most(_NO_INDEX, without_index, _MOST_WITHOUT_INDEX_MS, " ms")
    return [result]


def _fill(stage: Stage, crm_url: str) -> tuple[int, dict[str, Any]]:
    """Make the rows; return how many events there are, and a call from the middle of the log."""
    stage.say(f"pages: making {_CONTACTS:,} contacts, ten times as many events, {_CALLS:,} calls")
    make(crm_url, "contacts", size=_CONTACTS)
    settle(crm_url)
    crm = crm_database(crm_url)
    # the links, not the CRM's own column
    crm.seam = replace(crm.seam, write_back=None)
    link_contacts(crm)
    make(crm_url, "streams", campaigns=_CAMPAIGNS)
    sends = _CONTACTS * 9 // 1_000
    make(crm_url, "campaigns_page", campaigns=_CAMPAIGNS, contacts=_CONTACTS, sends=sends)
    make(crm_url, "lists_page", lists=_LISTS, contacts=_CONTACTS)
    make(crm_url, "calls", calls=_CALLS)
    settle(crm_url)
    stage.say("pages: comparing")
    compare_campaigns(crm, FindingsReport())
    crm.close()
    settle(crm_url)
    with psycopg.connect(crm_url, row_factory=dict_row) as connection:
        (events,) = connection.execute("SELECT count(*) AS n FROM ctct_engagement").fetchall()
        (known,) = connection.execute(
            "SELECT dag_id, run_id, task_id, map_index, path FROM ctct_api_call"
            " WHERE called_at > now() - INTERVAL '6 days' AND task_id = 'opt_outs'"
            " ORDER BY called_at LIMIT 1"
        ).fetchall()
    return events["n"], known
