"""The client on the real simulator: faults, retries, paging."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from constant_contact.api.client import Client, RetryPolicy
from constant_contact.api.replies import decode
from constant_contact.errors import (
    AuthorizationRequired,
    BadRequest,
    BudgetSpent,
    BulkQueueFull,
    Conflict,
    ConnectionFault,
    ContractBroken,
    DeadCursor,
    Forbidden,
    NotFound,
    RefreshUncertain,
    Retriable,
    ServerFault,
    WriteUncertain,
)
from simulator.server import Running
from tests.support import Rows


def read_all(client: Client) -> list[str]:
    pages = client.pages("/contacts", {"status": "all", "limit": 50})
    return [row["contact_id"] for page in pages for row in page.rows("contacts")]


@pytest.fixture
def account(simulator: Running) -> Running:
    simulator.control.generate(seed=1, contacts=220, lists=2, campaigns=0, events=0)
    return simulator


def test_pages_are_followed_to_the_last(account: Running, client: Client) -> None:
    assert len(set(read_all(client))) == 220
    assert account.control.calls_summary()["api_calls"] == 5


def test_a_deletion_has_no_body_and_takes_its_slot(account: Running, client: Client) -> None:
    contact_id = read_all(client)[0]
    assert client.delete(f"/contacts/{contact_id}") == {}
    assert account.control.truth_contact(contact_id)["deleted"]
    (call,) = [call for call in account.control.calls() if call["method"] == "DELETE"]
    assert call["status"] == 204


def test_the_headers_of_the_last_reply_are_there(account: Running, client: Client) -> None:
    assert client.last_headers == {}
    client.get("/contact_lists")
    assert client.last_headers["Date"]
    account.control.add_fault("reset_before", times=9)
    with pytest.raises(ConnectionFault):
        client.get("/contact_lists")
    assert client.last_headers == {}


def test_privileges_are_told_by_name(account: Running, client: Client) -> None:
    assert "contacts:write" in client.privileges()
    account.control.add_fault("html_503")
    assert "contacts:write" in client.privileges()


def test_a_client_can_repeat_calls_less_often(account: Running, client: Client) -> None:
    account.control.add_fault("html_503", times=2, match={"path": "^/v3/"})
    with pytest.raises(ServerFault):
        client.repeating(RetryPolicy(max_tries=2, first_wait_s=0.01)).get("/contact_lists")
    assert account.control.calls_summary()["api_calls"] == 2
    account.control.add_fault("html_503", times=2, match={"path": "^/v3/"})
    assert client.get("/contact_lists")["lists"]


@pytest.mark.parametrize("style", ["absent", "null", "href_null", "no_links"])
def test_every_way_to_say_last_page_is_understood(
    account: Running, client: Client, style: str
) -> None:
    account.control.settings(next_null_style=style)
    assert len(read_all(client)) == 220


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("html_503", {}),
        ("status", {"status": 500, "body": [{"error_key": "x", "error_message": "broken"}]}),
        ("status", {"status": 502, "body": "<html>bad gateway</html>"}),
        ("reset_before", {}),
        ("reset_after", {}),
        ("truncated_json", {}),
        ("truncated_json", {"mid_body": True}),
        ("malformed_json", {}),
        ("throttled", {}),
    ],
)
def test_a_read_survives_a_passing_fault(
    account: Running, client: Client, kind: str, params: dict[str, Any]
) -> None:
    account.control.add_fault(kind, match={"path": "/contacts"}, times=2, after=1, params=params)
    assert len(set(read_all(client))) == 220
    assert account.control.calls_summary()["api_calls"] >= 5


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("html_503", {}),
        ("status", {"status": 408}),
        ("status", {"status": 500}),
        ("status", {"status": 202}),
        ("malformed_json", {}),
        ("truncated_json", {}),
        ("reset_before", {}),
    ],
)
def test_a_fault_that_stays_is_told_with_what_to_do(
    account: Running, client: Client, kind: str, params: dict[str, Any]
) -> None:
    account.control.add_fault(kind, match={"path": "/v3/contacts"}, times=1000, params=params)
    with pytest.raises(Retriable, match=r"if it stays so, (see|ask|check) "):
        read_all(client)


@pytest.mark.parametrize(
    ("kind", "params", "error"),
    [
        ("html_503", {}, ServerFault),
        ("malformed_json", {}, ServerFault),
        ("reset_before", {}, ConnectionFault),
        ("status", {"status": 403}, Forbidden),
        ("status", {"status": 404}, NotFound),
        ("status", {"status": 400}, BadRequest),
        ("unauthorized", {}, AuthorizationRequired),
        ("quota_exceeded", {}, BudgetSpent),
        ("foreign_next", {}, ContractBroken),
        ("repeated_page", {}, DeadCursor),
    ],
)
def test_a_fault_that_stays_is_named(
    account: Running, client: Client, kind: str, params: dict[str, Any], error: type[Exception]
) -> None:
    account.control.add_fault(kind, match={"path": "/v3/contacts"}, times=1000, params=params)
    with pytest.raises(error):
        read_all(client)


def test_a_page_link_that_died_is_told_from_a_wrong_call(account: Running, client: Client) -> None:
    account.control.add_fault("dead_cursor", match={"path": "/contacts"})
    with pytest.raises(DeadCursor):
        read_all(client)


def with_a_token(make_client: Callable[..., Client]) -> None:
    """From here on no call asks the token endpoint, which need not answer at once."""
    next(make_client().pages("/contact_lists", {}))


def test_a_read_that_never_ends_is_cut_off(
    account: Running, make_client: Callable[..., Client]
) -> None:
    with_a_token(make_client)
    account.control.add_fault(
        "slow_drip",
        match={"path": "/contacts"},
        times=1000,
        params={"chunk_bytes": 1, "delay_s": 0.05},
    )
    client = make_client(timeout_s=0.2)
    client._retry = type(client._retry)(max_tries=1)
    with pytest.raises(ConnectionFault, match="Timeout"):
        read_all(client)


def test_a_server_that_is_silent_is_given_up(
    account: Running, make_client: Callable[..., Client]
) -> None:
    with_a_token(make_client)
    account.control.add_fault("timeout", match={"path": "/contacts"}, params={"seconds": 60})
    client = make_client(timeout_s=0.2)
    assert len(read_all(client)) == 220


def test_an_expired_token_is_refreshed_once_in_mid_paging(account: Running, client: Client) -> None:
    pages = client.pages("/contacts", {"status": "all", "limit": 50})
    next(pages)
    account.control.expire_access_tokens()
    assert len(list(pages)) == 4
    tokens = [call for call in account.control.calls() if call["path"].endswith("/token")]
    assert len(tokens) == 2


@pytest.mark.parametrize("kind", ["reset_after", "html_503", "malformed_json"])
def test_a_refresh_without_a_usable_answer_is_left_to_the_next_try(
    account: Running, client: Client, kind: str
) -> None:
    account.control.add_fault(kind, match={"path": "/token"}, times=9)
    with pytest.raises(RefreshUncertain):
        read_all(client)
    assert len(account.control.calls()) == 1


@pytest.fixture
def one(simulator: Running) -> str:
    loaded = simulator.control.load(contacts=[{"email": "ann@example.com", "first_name": "Ann"}])
    return str(loaded["contacts"][0])


PUT = {
    "update_source": "Account",
    "first_name": "Ann",
    "email_address": {"address": "ann@example.com"},
}


@pytest.mark.parametrize("kind", ["html_503", "reset_before", "reset_after", "malformed_json"])
def test_a_write_without_a_usable_answer_is_not_repeated_blindly(
    simulator: Running, client: Client, one: str, kind: str
) -> None:
    simulator.control.add_fault(kind, match={"method": "PUT"}, times=1)
    with pytest.raises(WriteUncertain):
        client.put(f"/contacts/{one}", PUT)
    puts = [call for call in simulator.control.calls() if call["method"] == "PUT"]
    assert len(puts) == 1


def test_a_write_that_was_throttled_is_repeated(
    simulator: Running, client: Client, one: str
) -> None:
    simulator.control.add_fault("throttled", match={"method": "PUT"}, times=2)
    assert client.put(f"/contacts/{one}", PUT)["first_name"] == "Ann"


def test_a_conflict_and_a_full_queue_are_named(
    simulator: Running, client: Client, one: str
) -> None:
    simulator.control.add_fault("edit_conflict", match={"method": "PUT"})
    with pytest.raises(Conflict):
        client.put(f"/contacts/{one}", PUT)
    simulator.control.add_fault("bulk_queue_full", match={"path": "/activities"})
    with pytest.raises(BulkQueueFull):
        client.post("/activities/add_list_memberships", {"source": {}, "list_ids": []})
    # The contract says that it has a message only, not what that is called.
    full = {"status": 429, "body": {"message": "Too many activities are queued."}}
    simulator.control.add_fault("status", match={"path": "/activities"}, params=full)
    with pytest.raises(BulkQueueFull):
        client.post("/activities/add_list_memberships", {"source": {}, "list_ids": []})


def test_a_look_at_bulk_jobs_that_is_throttled_without_a_key_is_no_full_queue(
    simulator: Running, client: Client
) -> None:
    simulator.control.add_fault(
        "status", match={"path": "/activities"}, params={"status": 429, "body": ""}
    )
    assert client.get("/activities") == {"activities": [], "_links": {}}


def test_every_call_is_logged_with_the_vendors_request_id(
    simulator: Running, client: Client, sql_rows: Rows
) -> None:
    simulator.control.add_fault("html_503", match={"path": "/contact_lists"})
    client.get("/contact_lists", {"limit": 10})
    client._exchange._call_log.close()  # type: ignore[attr-defined]
    calls = sql_rows("SELECT * FROM ctct_api_call ORDER BY call_id")
    assert [(call["method"], call["status"]) for call in calls] == [
        ("POST", 200),
        ("GET", 503),
        ("GET", 200),
    ]
    assert all(call["request_id"] and call["tracking_id"] for call in calls[1:])
    assert calls[1]["reply_body"]
    assert calls[2]["reply_body"] is None
    assert calls[2]["items"] == 0
    assert calls[2]["path"] == "/v3/contact_lists?limit=10"
    assert calls[0]["dag_id"] == "a_dag"


def test_no_address_and_no_secret_is_in_the_call_log(
    simulator: Running, client: Client, one: str, sql_rows: Rows
) -> None:
    simulator.control.add_fault(
        "status",
        match={"path": "/v3/"},
        params={
            "status": 400,
            "body": [{"error_key": "k", "error_message": "bad address zoe@example.com"}],
        },
    )
    with pytest.raises(BadRequest) as refused:
        client.get("/contacts", {"limit": 1})
    assert "zoe@" not in str(refused.value)
    client.get(f"/contacts/{one}")
    client._exchange._call_log.close()  # type: ignore[attr-defined]
    kept = str(sql_rows("SELECT * FROM ctct_api_call"))
    for secret in ("example.com", "demo-secret", "demo-api-key", "eyJ"):
        assert secret not in kept


def test_a_deactivated_application_is_told_from_a_missing_privilege(
    account: Running, client: Client
) -> None:
    client.get("/contact_lists")
    account.control.deactivate()
    with pytest.raises(Forbidden, match="The application is deactivated"):
        client.get("/contact_lists")


def test_a_missing_privilege_names_those_that_the_user_has(
    account: Running, client: Client
) -> None:
    account.control.add_fault("status", match={"path": "contact_lists"}, params={"status": 403})
    account.control.clear_calls()
    with pytest.raises(Forbidden, match=r"the user who authorized lacks a privilege.*contacts:"):
        client.get("/contact_lists")
    assert account.control.calls_summary()["api_calls"] == 2


def test_why_a_call_is_forbidden_is_asked_once(account: Running, client: Client) -> None:
    account.control.add_fault(
        "status", match={"path": "contact_lists"}, params={"status": 403}, times=2
    )
    account.control.add_fault("html_503", match={"path": "privileges"})
    account.control.clear_calls()
    for _ in range(2):
        with pytest.raises(Forbidden, match="did not say which"):
            client.get("/contact_lists")
    assert account.control.calls_summary()["api_calls"] == 3


@pytest.mark.parametrize("body", [[], ["x"], 7, True])
def test_a_read_that_is_answered_with_no_object_is_no_empty_page(
    account: Running, client: Client, body: Any
) -> None:
    account.control.add_fault(
        "status", match={"path": "/contacts"}, after=1, params={"status": 200, "body": body}
    )
    assert len(set(read_all(client))) == 220


def test_page_links_are_followed_behind_a_proxy_that_puts_a_path_before_them(
    simulator: Running, client: Client
) -> None:
    for number, links in enumerate([{"next": {"href": "/v3/contacts?cursor=b"}}, {}]):
        body = {"contacts": [{"contact_id": str(number)}], "_links": links}
        simulator.control.add_fault(
            "status", match={"path": "^/gateway/v3/contacts$"},
            params={"status": 200, "body": body},
        )  # fmt: skip
    behind = replace(client._settings, base_url=f"{simulator.url}/gateway")
    client._settings = behind
    assert read_all(client) == ["0", "1"]


@pytest.mark.parametrize(
    "link",
    [
        "?cursor=b",
        "contacts?cursor=b",
        "{url}/v3/contacts?cursor=b",
        "https://{host}/v3/contacts?cursor=b",
        "https://{host}:443/v3/contacts?cursor=b",
        "//{host}/v3/contacts?cursor=b",
    ],
)
def test_page_links_are_followed_however_they_are_written(
    simulator: Running, client: Client, link: str
) -> None:
    href = link.format(url=simulator.url, host=urlsplit(simulator.url).hostname)
    for number, links in enumerate([{"next": {"href": href}}, {}]):
        body = {"contacts": [{"contact_id": str(number)}], "_links": links}
        simulator.control.add_fault(
            "status", match={"path": "^/v3/contacts$", "query": ("limit", "cursor")[number]},
            times=2 - number, params={"status": 200, "body": body},
        )  # fmt: skip
    assert read_all(client) == ["0", "1"]
    first = next(client.pages("/contacts", {"limit": 1}))
    assert first.next_href == "/v3/contacts?cursor=b"


def test_a_reply_may_begin_with_a_byte_order_mark() -> None:
    assert decode(b'\xef\xbb\xbf{"contacts": []}') == {"contacts": []}
