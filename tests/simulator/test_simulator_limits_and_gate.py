from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
import requests
from simulator_client import PATIENCE_S, Api, token_call

if TYPE_CHECKING:
    from types import SimpleNamespace

    from simulator.server import Running

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_without_a_token_the_answer_is_a_single_object(sim: Running) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = requests.get(sim.url + "/v3/contacts", headers=headers, timeout=PATIENCE_S)
        assert answer.status_code == 401
        assert answer.json() == {"error_key": "unauthorized", "error_message": "Unauthorized"}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("campaign_data", "/contacts"),
        ("campaign_data", "/contact_lists"),
        ("campaign_data", "/activities"),
        ("contact_data", "/emails"),
        ("contact_data", "/reports/summary_reports/email_campaign_summaries"),
        ("contact_data", "/account/summary"),
    ],
)
def test_a_missing_scope_is_403_in_array_form(sim: Running, scope: str, path: str) -> None:
    answer = Api(sim, [scope]).get(path)
    assert answer.status_code == 403
    assert set(answer.json()[0]) == {"error_key", "error_message"}
    assert Api(sim, [scope]).get("/account/user/privileges").status_code == 200


def test_unknown_paths_methods_and_media_types(api: Api) -> None:
    assert api.get("/nowhere").status_code == 404
    assert api.call("PATCH", "/v3/contacts").status_code == 405
    assert api.call("DELETE", "/v3/contact_lists").status_code == 405
    answer = api.call("POST", "/v3/contacts", data="a=b")
    assert (answer.status_code, answer.json()[0]["error_key"]) == (415, "unsupported.media.type")
    bad = api.call("POST", "/v3/contacts", data="{", headers={"Content-Type": "application/json"})
    assert bad.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "ten"},
        {"limit": "-1"},
        {"colour": "red"},
        {"status": "activ"},
        {"include": "everything"},
        {"updated_after": "yesterday"},
        {"updated_after": "2026-01-01T00:00:00 00:00"},
        {"include_count": "yes"},
        {"lists": "12"},
        {"cursor": "bm90IG91cnM"},
        {"segment_id": "1"},
    ],
)
def test_wrong_query_values_are_400(api: Api, query: dict[str, str]) -> None:
    answer = api.get("/contacts", **query)
    assert answer.status_code == 400, answer.text
    assert answer.json()[0]["error_key"]


@pytest.mark.parametrize(
    ("path", "most"),
    [("/contacts", 500), ("/contact_lists", 1000), ("/emails", 500), ("/activities", 500)],
)
def test_page_ceilings(api: Api, path: str, most: int) -> None:
    assert api.get(path, limit=most).status_code == 200
    assert api.get(path, limit=most + 1).status_code == 400


def test_errors_of_reports_are_a_single_object(api: Api) -> None:
    for path in ("/reports/summary_reports/email_campaign_summaries",):
        answer = api.get(path, limit=501)
        assert answer.status_code == 400
        assert answer.json()["error_key"]


def test_the_second_is_a_sliding_window_and_refused_calls_do_not_fill_it(
    sim: Running, second: SimpleNamespace
) -> None:
    api = Api(sim)
    sim.control.limits(calls_per_second=4)
    sim.control.clock(frozen=True)
    answers = [api.get("/account/summary") for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 4 + [429] * 2
    assert answers[-1].json()["error_key"] == "throttled"
    assert "Retry-After" not in answers[-1].headers
    second.now += 1.02
    assert api.get("/account/summary").status_code == 200
    summary = sim.control.calls_summary()
    assert (summary["throttled_count"], summary["max_calls_in_one_second"]) == (2, 6)


@pytest.mark.usefixtures("second")
def test_throttled_writes_are_not_carried_out(sim: Running) -> None:
    api = Api(sim)
    sim.control.limits(calls_per_second=1)
    api.get("/account/summary")
    assert api.post("/contact_lists", {"name": "A"}).status_code == 429
    assert sim.control.truth()["lists"] == []


def test_the_day_ends_at_midnight_utc_of_the_clock(sim: Running) -> None:
    api = Api(sim)
    sim.control.clock(now="2026-03-01T23:59:00Z", frozen=True)
    sim.control.settings(access_token_ttl_s=86_400)
    api = Api(sim)
    sim.control.limits(calls_per_day=2)
    codes = [api.get("/account/summary").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert api.get("/account/summary").json()["error_key"] == "quota_exceeded"
    sim.control.clock(advance_s=61)
    assert api.get("/account/summary").status_code == 200


def test_token_calls_and_control_calls_do_not_count(sim: Running) -> None:
    api = Api(sim)
    sim.control.limits(calls_per_day=1)
    token_call(sim, grant_type="refresh_token", refresh_token=sim.control.grant())
    sim.control.truth()
    assert api.get("/account/summary").status_code == 200


@pytest.mark.usefixtures("second")
def test_throttled_calls_count_toward_the_day(sim: Running) -> None:
    api = Api(sim)
    sim.control.limits(calls_per_second=1, calls_per_day=3)
    keys = [api.get("/account/summary").json().get("error_key") for _ in range(4)]
    assert keys == [None, "throttled", "throttled", "quota_exceeded"]


def test_every_answer_carries_the_ids_support_asks_for_and_the_clocks_date(sim: Running) -> None:
    api = Api(sim)
    sim.control.clock(now="2026-03-01T10:00:00Z", frozen=True)
    for path in ("/account/summary", "/nowhere"):
        answer = api.get(path)
        assert UUID.fullmatch(answer.headers["x-amzn-RequestId"])
        assert UUID.fullmatch(answer.headers["x-eig-tracking-id"])
        assert answer.headers["Date"] == "Sun, 01 Mar 2026 10:00:00 GMT"
        assert answer.headers["Content-Type"] == "application/json"


def test_latency_is_added(sim: Running) -> None:
    api = Api(sim)
    sim.control.limits(latency_ms=120)
    started = time.monotonic()
    api.get("/account/summary")
    assert time.monotonic() - started >= 0.12


def test_the_log_of_calls_names_templates_and_can_be_read_from_a_number_on(api: Api) -> None:
    control = api.sim.control
    control.clear_calls()
    api.get("/contacts", limit=5)
    last = control.calls()[-1]["number"]
    api.get("/contacts/00000000-0000-0000-0000-000000000000")
    (call,) = control.calls(since=last)
    assert (call["method"], call["template"]) == ("GET", "/v3/contacts/{contact_id}")
    assert (call["status"], call["throttled"]) == (404, False)
    counts = {(c["template"], c["status"]): c["count"] for c in control.calls_summary()["counts"]}
    assert counts == {("/v3/contacts", 200): 1, ("/v3/contacts/{contact_id}", 404): 1}


def test_privileges_and_account_have_the_contracts_shape(api: Api) -> None:
    from simulator_client import assert_shape

    assert_shape(api.ok("/account/summary", extra_fields="physical_address"), "Customer")
    assert_shape(api.get("/account/user/privileges").json(), "UserPrivilegesResource")
    assert api.get("/account/summary", extra_fields="shoe_size").status_code == 400
