"""The page of API calls: what it finds, page by page, and what it never does."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Ran
from tests.airflow.overview_page import text_of
from tests.airflow.site import NOBODY, Site
from tests.support import Rows

CALLS = "/constant-contact/calls"
RUN = "scheduled__2026-01-31T01:00:00+00:00"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LATELY = datetime.now(UTC) - timedelta(minutes=30)

pytestmark = pytest.mark.usefixtures("connections")


@pytest.fixture
def add_call(sql_rows: Rows) -> Callable[..., int]:
    """Adds a call to the log; returns its id."""

    def add(path: str = "/v3/contact_lists", **columns: Any) -> int:
        columns = {
            "called_at": LATELY, "method": "GET", "path": path, "status": 200, "duration_ms": 12,
        } | columns  # fmt: skip
        marks = ", ".join(["%s"] * len(columns))
        (row,) = sql_rows(
            f"INSERT INTO ctct_api_call ({', '.join(columns)}) VALUES ({marks}) RETURNING call_id",
            *columns.values(),
        )
        return row["call_id"]

    return add


def shown(text: str) -> list[int]:
    """The calls of a page, in its order."""
    return [int(number) for number in re.findall(r'href="/constant-contact/calls/(\d+)"', text)]


def followed(site: Site, path: str) -> str:
    """The page that an address leads to."""
    return site.get(site.get(path).headers["location"]).text


def asked(site: Site, **fields: Any) -> list[int]:
    """The calls that a filter finds."""
    answer = site.get(f"{CALLS}?{urlencode(fields)}")
    assert answer.status == 200, answer.text
    return shown(answer.text)


def link(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a [^>]*?href="([^"]+)"[^>]*>{words}</a>', text)
    assert found, words
    return unescape(found[1])


def test_what_a_run_did_is_found_with_its_fault_and_the_way_to_its_log(
    site: Site, simulator: Running, run_dag: Callable[..., Ran], sql_rows: Rows
) -> None:
    simulator.control.add_fault("status", match={"path": "contact_lists"}, params={"status": 503})
    run_dag("constant_contact_lists")
    calls = sql_rows("SELECT * FROM ctct_api_call ORDER BY called_at DESC, call_id DESC")
    assert asked(site, dag_id="constant_contact_lists") == [call["call_id"] for call in calls]
    (failed,) = asked(site, status="failed")
    assert asked(site, status="5xx") == asked(site, status="503") == [failed]
    page = site.get(f"{CALLS}/{failed}").text
    (call,) = [each for each in calls if each["call_id"] == failed]
    assert call["request_id"] in page
    run = quote(call["run_id"], safe="")
    log = f"/dags/constant_contact_lists/runs/{run}/tasks/lists?try_number=1"
    assert link(page, "The task&#39;s log") == log
    others = link(page, "all calls of this task in this run")
    assert shown(site.get(others).text) == [each["call_id"] for each in calls]


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({"dag_id": "a_dag"}, {"dag_id": "a_dag"}),
        ({"run_id": RUN}, {"run_id": RUN}),
        ({"task_id": "a_task"}, {"task_id": "a_task"}),
        ({"map_index": "3"}, {"map_index": 3}),
        ({"method": "PUT"}, {"method": "PUT"}),
        ({"path": "/v3/contacts/1"}, {"path": "/v3/contacts/1?include=list_memberships"}),
        ({"path": "x_1%"}, {"path": "/v3/x_1%/y"}),
        ({"status": "404"}, {"status": 404, "error_message": "no"}),
        ({"status": "4xx"}, {"status": 404, "error_message": "no"}),
        ({"status": "201"}, {"status": 201}),
        ({"status": "no answer"}, {"status": None, "error_message": "reset"}),
        ({"status": "failed"}, {"error_message": "not whole JSON"}),
        ({"error_key": "throttled"}, {"error_key": "throttled"}),
        ({"request_id": "r-1"}, {"request_id": "r-1"}),
        ({"request_id": "r-1"}, {"request_id": "r-1", "called_at": LONG_AGO}),
        ({"dag_id": "a_dag", "status": "failed"}, {"dag_id": "a_dag", "error_message": "no"}),
    ],
)  # fmt: skip
def test_each_field_finds_what_it_names_and_nothing_else(
    site: Site, add_call: Callable[..., int], fields: dict[str, str], columns: dict[str, Any]
) -> None:
    add_call("/v3/contacts/2")
    add_call("/v3/xx1y/z", dag_id="another_dag", task_id="another_task", run_id="r", map_index=-1)
    wanted = add_call(**columns)
    assert asked(site, **fields) == [wanted]
    assert len(asked(site)) == (2 if columns.get("called_at") else 3)


def test_a_time_is_meant_in_the_readers_zone(site: Site, add_call: Callable[..., int]) -> None:
    at_night = add_call(called_at=datetime(2026, 6, 1, 22, 30, tzinfo=UTC))
    add_call(called_at=datetime(2026, 6, 1, 23, 30, tzinfo=UTC))
    fields = {"from": "2026-06-02T00:00", "to": "2026-06-02T01:00"}
    assert asked(site, **fields, zone="Europe/Berlin") == [at_night]
    assert asked(site, **fields, zone="Europe") == asked(site, **fields) == []


def test_older_calls_are_shown_when_asked_for(site: Site, add_call: Callable[..., int]) -> None:
    now = datetime.now(UTC)
    ages = {"hour": timedelta(minutes=5), "day": timedelta(hours=20), "week": timedelta(days=6),
            "month": timedelta(days=29), "all": timedelta(days=80)}  # fmt: skip
    calls = [add_call(called_at=now - age) for age in ages.values()]
    for number, span in enumerate(ages, 1):
        assert asked(site, span=span) == calls[:number]
    assert asked(site) == calls[:3]
    assert "choose another time" in site.get(CALLS).text


def test_pages_show_each_call_once_while_others_arrive(
    site: Site, add_call: Callable[..., int]
) -> None:
    # of the same moment, too: one batch is often logged with one time
    calls = [add_call(called_at=LATELY + timedelta(seconds=n // 40)) for n in range(120)]
    calls.reverse()
    first = site.get(CALLS).text
    assert shown(first) == calls[:50]
    assert "← previous" not in first
    new = [add_call(called_at=LATELY + timedelta(minutes=1)) for _ in range(3)]
    second = site.get(link(first, "next →")).text
    third = site.get(link(second, "next →")).text
    assert shown(second) + shown(third) == calls[50:]
    assert "next →" not in third
    assert shown(site.get(link(third, "← previous")).text) == calls[50:100]
    # what would be less than a page is the newest page
    assert shown(site.get(link(second, "← previous")).text) == calls[:50]
    newest = site.get(link(site.get(link(second, "← previous")).text, "← previous")).text
    assert shown(newest) == [*reversed(new), *calls[:47]]


def test_calls_are_sorted_by_their_address_and_their_rows_and_duration_added_up(
    site: Site, add_call: Callable[..., int]
) -> None:
    quick = add_call(duration_ms=3, items=500, called_at=LATELY)
    slow = add_call(duration_ms=70_000, items=20, called_at=LATELY - timedelta(minutes=1))
    other = add_call("/v3/emails", duration_ms=40, called_at=LATELY - timedelta(minutes=2))
    assert asked(site, sort="-duration_ms") == [slow, other, quick]
    assert asked(site, sort="duration_ms") == [quick, other, slow]
    # without rows comes last, either way
    assert asked(site, sort="items") == [slow, quick, other]
    assert asked(site, sort="-items") == [quick, slow, other]
    assert asked(site, sort="called_at") == [other, slow, quick]
    assert asked(site, sort="-duration_ms", path="/v3/contact_lists") == [slow, quick]
    body = site.get(f"{CALLS}?sort=-duration_ms&method=GET").text
    assert 'aria-sort="descending"' in body
    assert link(body, "Rows") == f"{CALLS}?method=GET&sort=-items"
    assert '<input type="hidden" name="sort" value="-duration_ms">' in body
    words = text_of(body)
    assert "All 3 calls 520 1 min 10 s" in words
    assert "All 1 call 0 0.0 s" in text_of(site.get(f"{CALLS}?path=/v3/emails").text)
    assert site.get(f"{CALLS}?sort=reply_body").status == 422


def test_of_many_calls_the_newest_are_sorted_and_added_up(
    site: Site, add_call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.calls.call_filter import CallFilter
    from constant_contact.web.frame import tables

    monkeypatch.setattr(CallFilter, "most_sorted", 4)
    monkeypatch.setattr(tables, "PAGE_ROWS", 3)
    calls = [
        add_call(duration_ms=n, items=10, called_at=LATELY + timedelta(seconds=n))
        for n in range(1, 7)
    ]
    first = site.get(f"{CALLS}?sort=duration_ms").text
    assert shown(first) == calls[2:5]
    words = text_of(first)
    assert "The newest 4 calls of this filter, sorted" in words
    assert "1 to 3 of the newest 4 calls" in words
    assert "The newest 4 calls 40" in words
    assert shown(site.get(link(first, "next →")).text) == [calls[5]]
    # the oldest first is an order of all
    oldest = site.get(f"{CALLS}?sort=called_at").text
    assert shown(oldest) == calls[:3]
    assert shown(site.get(link(oldest, "next →")).text) == calls[3:]


def test_a_time_is_told_as_how_long_ago_it_is_with_the_time_itself_on_hover(
    site: Site, add_call: Callable[..., int]
) -> None:
    add_call()
    body = site.get(CALLS).text
    assert re.search(
        r'<time [^>]*title="\d{4}-\d\d-\d\d [\d:]{8} UTC" data-ago>\d+ minutes ago', body
    )


def test_what_a_reply_holds_is_shown_and_never_run(
    site: Site, add_call: Callable[..., int]
) -> None:
    script = "<script>alert(1)</script>"
    wrong = {"status": 400, "error_key": script, "error_message": script, "request_id": script}
    one = add_call(f"/v3/{script}", reply_body=f'[{{"error_key": "{script}"}}]', **wrong)
    two = add_call(reply_body=f"<html>{script}", dag_id=script, task_id=script, run_id=script)
    for path in (CALLS, f"{CALLS}/{one}", f"{CALLS}/{two}", f"{CALLS}?path={quote(script)}"):
        assert "<script>alert" not in site.get(path).text
    # JSON has a line a field
    assert "[\n  {\n    &#34;error_key&#34;" in site.get(f"{CALLS}/{one}").text


def test_the_file_holds_all_that_the_filter_finds_and_no_formula(
    site: Site, add_call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.store import listing

    monkeypatch.setattr(listing, "_CHUNK", 2)
    calls = [add_call(path=f"/v3/{n}", dag_id="a_dag", map_index=-1) for n in range(5)]
    add_call(dag_id="another_dag")
    evil = add_call(
        dag_id="a_dag", error_message='=HYPERLINK("http://example.com")', error_key="@x"
    )
    answer = site.get(f"{CALLS}/csv?dag_id=a_dag")
    assert re.search(r'filename="api-calls-\d{4}-\d\d-\d\d-\d{4}\.csv"',
                     answer.headers["Content-Disposition"])  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["call_id"]) for row in rows] == [evil, *reversed(calls)]
    assert rows[0]["error_message"] == '\'=HYPERLINK("http://example.com")'
    assert rows[0]["error_key"] == "'@x"
    assert "reply_body" not in rows[0]


@pytest.mark.parametrize("separator", [",", ";", "\t", "\r", "\n", "|", "; ", ';"', "\u2028"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(1)", "\uff1d1", " =1", '"=1"'])
def test_no_sheet_finds_a_formula_whatever_it_takes_for_the_end_of_a_cell(
    separator: str, formula: str
) -> None:
    from constant_contact.web.frame.csv_file import _cell, _csv

    for text in (f"no such{separator}{formula}", formula, f"{separator}{formula}"):
        line = _csv([[_cell(text), 7]])
        for cell in re.split("[" + re.escape(separator) + "]", line):
            assert not re.match("[\\s\"']*[=+@\uff1d-]", cell.replace("'", "\0")), line


def test_a_file_that_is_cut_says_so(
    site: Site, add_call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.frame import csv_file

    for _ in range(4):
        add_call()
    monkeypatch.setattr(csv_file, "MOST_ROWS", 3)
    lines = site.get(f"{CALLS}/csv").text.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith('"Cut after 3 calls')


def test_a_mapped_task_leads_to_its_calls_and_back(
    site: Site, add_call: Callable[..., int]
) -> None:
    from constant_contact.plugin import ConstantContactPlugin

    ours = {"dag_id": "a_dag", "run_id": RUN, "task_id": "engagement"}
    second = add_call(**ours, map_index=1, try_number=2)
    third = add_call(**ours, map_index=2)
    (tab,) = [
        view for view in ConstantContactPlugin.external_views
        if view["destination"] == "task_instance"
    ]  # fmt: skip

    # as Airflow's UI does it: encodeURIComponent; the index only where there is one
    href = tab["href"].removeprefix("..")
    for name, value in (("DAG_ID", "a_dag"), ("RUN_ID", RUN), ("TASK_ID", "engagement")):
        href = href.replace(f"{{{name}}}", quote(value, safe="!'()*~"))
    assert shown(followed(site, href.replace("{MAP_INDEX}", "1"))) == [second]
    not_mapped = followed(site, href)
    assert shown(not_mapped) == [third, second]
    assert "MAP_INDEX" not in not_mapped
    log = link(site.get(f"{CALLS}/{second}").text, "The task&#39;s log")
    run = "scheduled__2026-01-31T01%3A00%3A00%2B00%3A00"
    assert log == f"/dags/a_dag/runs/{run}/tasks/engagement/mapped/1?try_number=2"


def test_the_summary_counts_what_failed_and_how(site: Site, add_call: Callable[..., int]) -> None:
    for _ in range(3):
        add_call()
    add_call(status=429, error_key="throttled", error_message="slow down")
    add_call(status=None, error_message="reset")
    words = " ".join(re.sub(r"<[^>]+>", "", site.get(CALLS).text).split())
    assert "Of 5 calls 3 succeeded, 1 failed with 4xx, 1 failed with no answer." in words
    assert "Most frequent errors: throttled (1)" in words


def test_htmx_gets_the_table_alone_and_history_the_page(
    site: Site, add_call: Callable[..., int]
) -> None:
    add_call()
    part = site.get(CALLS, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert shown(part)
    again = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in site.get(CALLS, headers=again).text


@pytest.mark.parametrize(
    "query",
    ["status=abc", "map_index=x", "before=1", "after=9.9.9", "before=[9999999999999999999999,1]",
     'after=["2026-01-31T00:00:00Z",1,2]', 'after=["2026-01-31T00:00:00",1]',
     f'after=["2026-01-31T00:00:00Z",{2**63}]',
     "from=yesterday", "to=0001-01-01T00:00&zone=Asia/Tokyo"],
)  # fmt: skip
def test_what_cannot_be_understood_is_told(site: Site, query: str) -> None:
    assert site.get(f"{CALLS}?{query}").status == 422


def test_nothing_found_unknown_calls_and_a_crm_that_is_down_have_pages(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    assert "No such call in this time." in site.get(f"{CALLS}?dag_id=none%00").text
    assert "Call 7 is not in the log" in site.get(f"{CALLS}/7").text
    assert site.get(f"{CALLS}/7").status == 404
    assert site.get(f"{CALLS}/{2**63}").status == 422
    assert site.get(CALLS, NOBODY).status == 401
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    for path in (CALLS, f"{CALLS}/csv", f"{CALLS}/7"):
        answer = site.get(path)
        assert answer.status == 503
        assert "the CRM database does not answer" in answer.text


def test_a_page_of_a_listing_is_shown_without_its_cursor_and_whole_on_its_own_page(
    site: Site, add_call: Callable[..., int]
) -> None:
    call_id = add_call(path="/v3/contacts?cursor=bGltaXQ9NTAw&status=all")
    assert "/v3/contacts?cursor=…&amp;status=all" in site.get(CALLS).text
    assert "cursor=bGltaXQ9NTAw" in site.get(f"{CALLS}/{call_id}").text
