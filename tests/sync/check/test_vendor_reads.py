"""The reading check: one line for each assumption, whatever the vendor answers."""

from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.sync.check import contact_assumptions, engagement_assumptions
from constant_contact.sync.check.assumptions import Result, Side
from constant_contact.sync.check.vendor_assumptions import READS
from constant_contact.sync.check.vendor_reads import READ_CALLS, read_vendor
from simulator.server import Running
from tests.sync.check.stocked import begin_bulk_job, found, results, said_in, stock

_OFTEN = 1_000_000
_GATEWAY = {"status": 503, "body": "<html><title>Sorry</title></html>", "content_type": "text/html"}


@pytest.fixture
def stocked(simulator: Running, client: Client) -> Running:
    stock(simulator.control)
    begin_bulk_job(client)
    simulator.control.clear_calls()
    return simulator


def test_every_assumption_holds_on_a_stocked_account(stocked: Running, client: Client) -> None:
    lines = list(read_vendor(client))
    assert results(lines) == {each.name: Result.OK for each in READS}


def test_each_assumption_is_of_one_probe_and_has_a_name_of_its_own() -> None:
    names = [each.name for each in READS]
    assert sorted(names) == sorted(said_in(contact_assumptions, engagement_assumptions))
    assert len(set(names)) == len(names)
    assert {each.side for each in READS} == {Side.READS}


def test_it_only_reads_and_makes_no_more_calls_than_it_says(
    stocked: Running, client: Client
) -> None:
    list(read_vendor(client))
    calls = [call for call in stocked.control.calls() if call["path"].startswith("/v3/")]
    assert {call["method"] for call in calls} == {"GET"}
    assert 20 <= len(calls) <= READ_CALLS


def test_its_calls_are_drawn_from_the_budget(
    stocked: Running, make_client: Any, sql_rows: Any
) -> None:
    client = make_client()
    (before,) = sql_rows("SELECT calls FROM ctct_api_budget")
    list(read_vendor(client))
    made = [call for call in stocked.control.calls() if call["path"].startswith("/v3/")]
    (after,) = sql_rows("SELECT calls FROM ctct_api_budget")
    assert after["calls"] - before["calls"] == len(made)


def test_an_empty_account_is_told_what_would_make_a_probe_possible(
    simulator: Running, client: Client
) -> None:
    lines = list(read_vendor(client))
    assert found(lines) == {}
    untried = {line.assumption.name: line.seen for line in lines if line.result != Result.OK}
    assert untried["list_counts"] == "the account has no list: make one"
    assert untried["roles"] == "no campaign was sent: send one to yourself"
    assert untried["page_links"] == "the account has fewer than two contacts: add one"
    assert results(lines)["token"] is Result.OK


def test_a_token_that_is_refused_ends_all_with_a_line_each(
    stocked: Running, client: Client
) -> None:
    stocked.control.add_fault("unauthorized", times=_OFTEN, match={"path": "^/v3/"})
    stocked.control.clear_calls()
    lines = list(read_vendor(client))
    assert len(lines) == len(READS)
    assert results(lines)["token"] is Result.REFUSED
    others = {line.result for line in lines if line.assumption.name != "token"}
    assert others == {Result.NOT_TRIED}
    assert len([call for call in stocked.control.calls() if call["path"].startswith("/v3/")]) == 2


def test_a_day_without_calls_left_ends_all_with_a_line_each(
    stocked: Running, client: Client
) -> None:
    stocked.control.add_fault("quota_exceeded", after=3, times=_OFTEN, match={"path": "^/v3/"})
    lines = list(read_vendor(client))
    assert len(lines) == len(READS)
    assert found(lines) == {}
    assert "run the check again after 00:00 UTC" in lines[-1].seen


def test_a_call_that_fails_is_named_and_the_next_probe_goes_on(
    stocked: Running, client: Client
) -> None:
    path = "/reports/summary_reports"
    stocked.control.add_fault("status", times=_OFTEN, match={"path": path}, params=_GATEWAY)
    lines = list(read_vendor(client))
    names = {"summaries_per_page", "summary_order", "summary_fields"}
    assert found(lines) == dict.fromkeys(names, Result.REFUSED)
    (line,) = [each for each in lines if each.assumption.name == "summary_order"]
    assert line.seen == (
        "GET /v3/reports/summary_reports/email_campaign_summaries answered 503, in no words of "
        "Constant Contact's"
    )
    assert results(lines)["job_states"] is Result.OK


def test_a_503_in_the_middle_is_asked_once_more(stocked: Running, client: Client) -> None:
    for after in (2, 7, 12, 20):
        stocked.control.add_fault("html_503", after=after, match={"path": "^/v3/"})
    assert found(read_vendor(client)) == {}


def test_fields_that_nobody_knows_are_no_finding(stocked: Running, client: Client) -> None:
    stocked.control.add_fault(
        "unknown_fields", times=_OFTEN, match={"path": "^/v3/"}, params={"enums": []}
    )
    assert found(read_vendor(client)) == {}


@pytest.mark.parametrize(
    "body",
    [[], {}, "", "null", {"contacts": 5, "lists": {}, "campaigns": "x"}, [[[]]],
     {"contacts": [None, 7, {"contact_id": 5, "email_address": []}], "contacts_count": "many",
      "lists": [None], "campaigns": [[]], "results": [None], "activities": [3],
      "tracking_activities": [{}], "bulk_email_campaign_summaries": [{"campaign_id": 1}],
      "campaign_activities": [7], "_links": {"next": []}}],
    ids=["array", "object", "nothing", "null", "no rows", "arrays", "odd rows"],
)  # fmt: skip
def test_no_answer_ends_the_check(stocked: Running, client: Client, body: Any) -> None:
    params = {"status": 200, "body": body, "content_type": "application/json"}
    stocked.control.add_fault("status", times=_OFTEN, match={"path": "^/v3/"}, params=params)
    lines = list(read_vendor(client))
    assert sorted(line.assumption.name for line in lines) == sorted(each.name for each in READS)


def test_no_line_holds_an_address_or_a_name(stocked: Running, client: Client) -> None:
    secret = "anna.secret@example.com"
    errors = [{"error_key": "odd", "error_message": f"no such contact {secret} Anna"}]
    stocked.control.add_fault(
        "status", after=4, times=_OFTEN, match={"path": "^/v3/"},
        params={"status": 400, "body": errors},
    )  # fmt: skip
    shown = " ".join(line.seen for line in read_vendor(client))
    assert "anna" not in shown.lower()
    assert "@" not in shown


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [
        (401, "invalid_client", "Password (client secret)"),
        (400, "invalid_grant", "authorize"),
        (503, "server_error", "token"),
    ],
)
def test_a_wrong_secret_is_found_while_the_access_token_still_works(
    stocked: Running, client: Client, status: int, error: str, remedy: str
) -> None:
    stocked.control.add_fault(
        "status", match={"path": "/token$"}, times=_OFTEN,
        params={"status": status, "body": {"error": error}},
    )  # fmt: skip
    lines = list(read_vendor(client))
    assert found(lines) == {"credentials": Result.REFUSED}
    assert remedy in (lines[-1].remedy or "")
    # what is stored stays, and is used on
    assert client.get("/contact_lists")


def test_what_the_refresh_gave_is_what_the_next_client_uses(
    stocked: Running, client: Client, make_client: Any
) -> None:
    assert results(read_vendor(client))["credentials"] is Result.OK
    stocked.control.clear_calls()
    assert make_client().get("/contact_lists")
    assert [call["path"] for call in stocked.control.calls()] == ["/v3/contact_lists"]
