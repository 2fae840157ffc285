from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest
import requests
from simulator_client import Api, token_call

from simulator.control import ControlError

LOST = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture(autouse=True)
def data(api: Api) -> None:
    api.sim.control.generate(contacts=40, lists=3, campaigns=2, events=200)


def fault(api: Api, kind: str, path: str = "^/v3/", **more: Any) -> None:
    match = {"path": path, **more.pop("match", {})}
    api.sim.control.add_fault(kind, match=match, **more)


def test_a_fault_hits_what_it_matches_as_often_as_asked_after_as_many(api: Api) -> None:
    fault(
        api,
        "status",
        "^/v3/contacts$",
        match={"method": "get", "query": "limit=7"},
        times=2,
        after=1,
        params={"status": 500},
    )
    assert api.get("/contacts", limit=8).status_code == 200
    codes = [api.get("/contacts", limit=7).status_code for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    assert api.get("/contact_lists", limit=7).status_code == 200
    (listed,) = api.sim.control.faults()
    assert (listed["matched"], listed["fired"]) == (4, 2)
    assert [each["fault"] for each in api.sim.control.calls()[-5:]].count("status") == 2
    api.sim.control.clear_faults()
    assert api.sim.control.faults() == []


def test_status_takes_a_json_or_a_text_body(api: Api) -> None:
    fault(api, "status", params={"status": 400, "body": {"a": 1}})
    fault(api, "status", params={"status": 502, "body": "<p>bad gateway</p>"})
    answer = api.get("/contacts")
    assert (answer.status_code, answer.json()) == (400, {"a": 1})
    answer = api.get("/contacts")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")


@pytest.mark.parametrize(
    ("kind", "status", "key"),
    [
        ("throttled", 429, "throttled"),
        ("quota_exceeded", 429, "quota_exceeded"),
        ("unauthorized", 401, "unauthorized"),
        ("edit_conflict", 409, "contacts.api.conflict"),
        ("bulk_queue_full", 429, None),
    ],
)
def test_refusals_look_like_the_vendors(api: Api, kind: str, status: int, key: str | None) -> None:
    fault(api, kind)
    before = api.sim.control.truth()["lists"]
    answer = api.post("/contact_lists", {"name": "A"})
    body = answer.json()
    body = body[0] if isinstance(body, list) else body
    assert (answer.status_code, body.get("error_key")) == (status, key)
    assert api.sim.control.truth()["lists"] == before


def test_a_fault_can_act_and_still_refuse(api: Api) -> None:
    fault(api, "status", params={"status": 504, "acts": True})
    assert api.post("/contact_lists", {"name": "A"}).status_code == 504
    assert "A" in [each["name"] for each in api.sim.control.truth()["lists"]]


def test_html_503(api: Api) -> None:
    fault(api, "html_503")
    answer = api.get("/contacts")
    assert answer.status_code == 503
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize(("kind", "acted"), [("reset_before", False), ("reset_after", True)])
def test_resets_before_and_after_acting(api: Api, kind: str, acted: bool) -> None:
    fault(api, kind)
    with pytest.raises(LOST):
        api.post("/contact_lists", {"name": "A"})
    names = [each["name"] for each in api.sim.control.truth()["lists"]]
    assert ("A" in names) is acted
    assert api.get("/contacts").status_code == 200


@pytest.mark.parametrize("acts", [False, True])
def test_a_timeout_never_answers_whether_or_not_it_acts(api: Api, acts: bool) -> None:
    fault(api, "timeout", params={"seconds": 60, "acts": acts})
    with pytest.raises(requests.Timeout):
        api.call("POST", "/v3/contact_lists", json={"name": "A"}, timeout=(60, 0.3))
    assert ("A" in [each["name"] for each in api.sim.control.truth()["lists"]]) is acts


def test_a_timeout_ends_with_a_closed_connection(api: Api) -> None:
    fault(api, "timeout", params={"seconds": 0.1})
    with pytest.raises(LOST):
        api.get("/contacts")


def test_slow_drip_arrives_whole_but_late(api: Api) -> None:
    whole = api.ok("/contact_lists")
    fault(api, "slow_drip", params={"chunk_bytes": 200, "delay_s": 0.05})
    started = time.monotonic()
    assert api.ok("/contact_lists") == whole
    assert time.monotonic() - started > 0.1


@pytest.mark.parametrize("kind", ["truncated_json", "malformed_json"])
def test_broken_json(api: Api, kind: str) -> None:
    fault(api, kind)
    answer = api.get("/contacts")
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_body_can_break_off(api: Api) -> None:
    fault(api, "truncated_json", params={"mid_body": True})
    with pytest.raises(LOST):
        api.get("/contacts")


def test_a_repeated_page_links_to_itself(api: Api) -> None:
    fault(api, "repeated_page", match={"query": "cursor"})
    first = api.ok("/contacts", limit=10)["_links"]["next"]["href"]
    assert api.ok(first)["_links"]["next"]["href"] == first


def test_an_empty_page_loses_nothing(api: Api) -> None:
    fault(api, "empty_page", match={"query": "cursor"}, times=2)
    pages = api.pages("/contacts", limit=20, status="all")
    assert [len(each["contacts"]) for each in pages] == [20, 0, 0, 20]
    links = [each["_links"]["next"]["href"] for each in pages[:3]]
    assert len(set(links)) == 3


def test_a_dead_cursor_is_400_and_only_cursors_die(api: Api) -> None:
    fault(api, "dead_cursor")
    page = api.ok("/contacts", limit=10)
    assert api.get(page["_links"]["next"]["href"]).status_code == 400
    assert api.get(page["_links"]["next"]["href"]).status_code == 200


def test_a_foreign_next_names_another_host(api: Api) -> None:
    fault(api, "foreign_next")
    href = api.ok("/contacts", limit=10)["_links"]["next"]["href"]
    assert href.startswith("https://elsewhere.example/v3/contacts?cursor=")


@pytest.mark.parametrize("by", [-1, 1])
def test_a_shifted_page_repeats_or_skips_a_row(api: Api, by: int) -> None:
    ids = [each["contact_id"] for each in api.ok("/contacts", status="all", limit=40)["contacts"]]
    first = api.ok("/contacts", status="all", limit=10)
    fault(api, "shifted_page", params={"by": by})
    second = api.ok(first["_links"]["next"]["href"])
    assert [each["contact_id"] for each in second["contacts"]] == ids[10 + by : 20 + by]


def test_nulls_and_unknown_fields_and_values(api: Api) -> None:
    fault(api, "nulls")
    contact = api.ok("/contacts")["contacts"][0]
    assert contact["first_name"] is None
    assert contact["contact_id"]
    fault(api, "unknown_fields")
    contact = api.ok("/contacts")["contacts"][0]
    assert contact["email_address"]["permission_to_send"] == "sunset"
    assert "x_new_field" in contact
    assert api.ok("/contacts")["contacts"][0]["email_address"]["permission_to_send"] != "sunset"


def test_a_refusal_can_be_another_and_other_answers_stay(api: Api) -> None:
    api.sim.control.add_fault(
        "other_refusal", times=9, match={"path": "^/v3/contact_lists"},
        params={"instead_of": 404, "status": 500, "body": "<html>"},
    )  # fmt: skip
    assert api.get("/contact_lists").status_code == 200
    assert api.get("/contact_lists/12").status_code == 400
    answer = api.get("/contact_lists/00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.text) == (500, "<html>")


def test_times_can_lack_their_offset(api: Api) -> None:
    api.sim.control.load(contacts=[{"email": "z@example.com", "first_name": "2026-01-01Z"}])
    api.sim.control.add_fault("naive_times")
    (contact,) = api.ok("/contacts", email="z@example.com")["contacts"]
    assert datetime.fromisoformat(contact["created_at"]).tzinfo is None
    assert contact["first_name"] == "2026-01-01Z"


def test_the_token_endpoint_can_fail_after_acting(api: Api) -> None:
    token = api.sim.control.grant()
    fault(api, "reset_after", "/token$")
    with pytest.raises(LOST):
        token_call(api.sim, grant_type="refresh_token", refresh_token=token)
    answer = token_call(api.sim, grant_type="refresh_token", refresh_token=token)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "earthquake"},
        {"kind": "status", "match": {"path": "["}},
        {"kind": "status", "match": {"host": "x"}},
    ],
)
def test_nonsense_faults_are_refused(api: Api, wanted: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        api.sim.control.add_fault(wanted["kind"], match=wanted.get("match"))
