"""The page of API calls on a full log: asked over HTTP of Airflow's own api-server app."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg

from local.bench import served
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures
from local.bench.result import Result
from local.bench.stage import Stage

_CALLS = 1_000_000
_TIMES = 20
_MOST_MEDIAN_MS, _MOST_WITHOUT_INDEX_MS = 300.0, 1000.0
# The only one that reads the whole log.
_NO_INDEX = "anywhere in the path, all"
_PAGE = "/calls"
_ALL = {"span": "all"}
_LONG_AGO = {
    "from": f"{datetime.now(UTC) - timedelta(days=81):%Y-%m-%dT%H:%M}",
    "to": f"{datetime.now(UTC) - timedelta(days=80):%Y-%m-%dT%H:%M}",
}
# Of one in 10,000 calls, and of one in all.
_RARE_DAG = {"dag_id": "constant_contact_lists"}
_RARE_KEY = {"error_key": "contacts.api.conflict"}


def filters(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What is asked for; `found` is a call from the middle of the log."""
    contact = {"path": found["path"]}
    return {
        "no filter": {},
        "all that is kept": _ALL,
        "last hour": {"span": "hour"},
        "a day, 80 days ago": _LONG_AGO,
        "DAG": {"dag_id": "constant_contact_activities"},
        "rare DAG, all": _RARE_DAG | _ALL,
        "task, all": {"task_id": "opt_outs"} | _ALL,
        "run": {"run_id": found["run_id"]},
        "task instance": {
            "dag_id": found["dag_id"], "run_id": found["run_id"], "task_id": found["task_id"],
            "map_index": str(found["map_index"]),
        },
        "method PUT": {"method": "PUT"},
        "rare method, all": {"method": "DELETE"} | _ALL,
        "path of a contact": contact,
        "path of a contact, all": contact | _ALL,
        "frequent path, all": {"path": "/v3/reports/"} | _ALL,
        "anywhere in the path": {"path": found["path"][-20:]},
        _NO_INDEX: {"path": found["path"][-20:]} | _ALL,
        "status 200": {"status": "200"},
        "rare status, all": {"status": "409"} | _ALL,
        "4xx, all": {"status": "4xx"} | _ALL,
        "5xx, all": {"status": "5xx"} | _ALL,
        "no answer, all": {"status": "no answer"} | _ALL,
        "failed": {"status": "failed"},
        "error key": {"error_key": "throttled"},
        "rare error key, all": _RARE_KEY | _ALL,
        "request id": {"request_id": found["request_id"]},
        "DAG and failed": {"dag_id": "constant_contact_contacts", "status": "failed"},
        "DAG and rare status, all": {"dag_id": "constant_contact_opt_outs", "status": "409"} | _ALL,
        "DAG and no answer, 80 days ago": {
            "dag_id": "constant_contact_activities", "status": "no answer", **_LONG_AGO,
        },
        "rare DAG and PUT, all": {"method": "PUT"} | _RARE_DAG | _ALL,
        "rare error key, 80 days ago": _RARE_KEY | _LONG_AGO,
        "path and status, all": {"path": "/v3/contacts/", "status": "429"} | _ALL,
        "for which nothing is found, all": {"error_key": "none.such"} | _ALL,
        "slowest": {"sort": "-duration_ms"},
        "slowest, all": {"sort": "-duration_ms"} | _ALL,
        "DAG, slowest": {"dag_id": "constant_contact_activities", "sort": "-duration_ms"} | _ALL,
        "rare status, slowest": {"status": "409", "sort": "-duration_ms"} | _ALL,
    }  # fmt: skip


def ask(_gauge: Gauge, *, crm: str, metadata_url: str, times: int) -> Figures:
    """Milliseconds of each filter, in turns; what the page holds is read whole."""
    served.prepare(crm, metadata_url)
    wanted = filters(_from_the_middle())
    paths = {name: f"{_PAGE}?{urlencode(fields)}" for name, fields in wanted.items()}
    return {"ms": served.milliseconds(paths, times)}


def _from_the_middle() -> dict[str, Any]:
    from constant_contact.accounts import DEFAULT  # noqa: PLC0415
    from constant_contact.web.frame.crm import page_hook  # noqa: PLC0415

    with page_hook(DEFAULT).crm.transaction() as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        query = (
            "SELECT * FROM ctct_api_call WHERE called_at > now() - INTERVAL '6 days'"
            " AND task_id = 'opt_outs' ORDER BY called_at LIMIT 1"
        )
        found = cursor.execute(query).fetchone()
    if found is None:
        raise AssertionError("the log is empty")
    return found


def run(stage: Stage) -> list[Result]:
    """A log of ninety days at ten thousand a day and more, as nights make them."""
    result = Result(
        "calls_page",
        f"the first page of API calls out of {_CALLS:,}, over HTTP, {_TIMES} times each",
        served.HEADINGS,
    )
    with stage.database() as crm_url:
        stage.say(f"calls_page: making {_CALLS:,} calls")
        make(crm_url, "calls", calls=_CALLS)
        settle(crm_url)
        medians = served.measure(stage, result, "local.bench.calls_page:ask", crm_url, _TIMES)
        sizes = _sizes(crm_url)
    without_index = medians.pop(_NO_INDEX)
    result.at_most("slowest median", max(medians.values()), _MOST_MEDIAN_MS, " ms")
    result.at_most(_NO_INDEX, without_index, _MOST_WITHOUT_INDEX_MS, " ms")
    result.notes.append(f"Size in MB: {sizes}.")
    return [result]


def _sizes(crm_url: str) -> str:
    """The table and each of its indexes, the largest first."""
    query = (
        "SELECT oid::regclass::text, round(pg_relation_size(oid) / 1048576.0) FROM pg_class"
        " WHERE oid = 'ctct_api_call'::regclass OR oid IN"
        " (SELECT indexrelid FROM pg_index WHERE indrelid = 'ctct_api_call'::regclass)"
        " ORDER BY 2 DESC, 1"
    )
    with psycopg.connect(crm_url) as connection:
        return ", ".join(f"{name} {size}" for name, size in connection.execute(query))
