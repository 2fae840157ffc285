"""What a reply may cost: time, memory, and where the tokens go; on a server that is raw TCP."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from constant_contact.api import exchange, transport
from constant_contact.api.authorization import Authorization
from constant_contact.api.client import Client
from constant_contact.calls import Call
from constant_contact.errors import ConnectionFault, RefreshUncertain
from constant_contact.store.budget import ApiBudget
from simulator.server import Running
from tests.api.raw_server import Answer, RawServer, dripping, raw_server, whole
from tests.support import api_settings

Serve = Callable[[Answer], RawServer]
SECRET = "code-or-token-of-somebody"
#: Each drips on within the read timeout: what is sent first, and again and again.
DRIPS = {
    "status line": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"{"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"),
    "packed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n"
        + gzip.compress(b"")[:10],
        b"\0",
    ),
}


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(raw_server(answer))


def authorization(
    simulator: Running, url: str, calls: list[Call] | None = None, **extra: Any
) -> Authorization:
    settings = api_settings(simulator, "seed", token_url=f"{url}/token", **extra)
    return Authorization(settings, (calls if calls is not None else []).append)


def bomb(unpacked: int, layers: int = 1) -> tuple[bytes, str]:
    """JSON that unpacks to so many bytes, and its encoding."""
    body = b'{"a": "' + b"a" * unpacked + b'"}'
    for _ in range(layers):
        body = gzip.compress(body)
    return body, ", ".join(["gzip"] * layers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("asks", ["refresh", "exchange"])
def test_no_token_call_is_sent_on_to_where_a_redirect_leads(
    simulator: Running, serve: Serve, status: int, asks: str
) -> None:
    elsewhere = serve(whole("200 OK", b'{"access_token": "theirs", "token_type": "bearer"}'))
    server = serve(whole(f"{status} Moved", b"", f"Location: {elsewhere.url}/token"))
    asked = authorization(simulator, server.url)
    with pytest.raises(RefreshUncertain, match=f"answered {status}, a redirect.*token_url"):
        asked.refresh(SECRET) if asks == "refresh" else asked.exchange(SECRET, "verifier")
    assert len(server.requests) == 1
    assert elsewhere.requests == []


@pytest.mark.parametrize("drip", DRIPS)
def test_a_token_call_that_drips_ends_by_its_deadline(
    simulator: Running, serve: Serve, drip: str
) -> None:
    server = serve(dripping(*DRIPS[drip]))
    with pytest.raises(RefreshUncertain, match="did not answer"):
        authorization(simulator, server.url, timeout_s=0.3).refresh(SECRET)
    assert server.hung_up.wait(60), "the server was at its end first"


@pytest.mark.parametrize("drip", DRIPS)
def test_a_call_that_drips_ends_by_its_deadline(
    make_client: Callable[..., Client], serve: Serve, drip: str
) -> None:
    server = serve(dripping(*DRIPS[drip]))
    with pytest.raises(ConnectionFault, match="got no whole reply"):
        of_server(make_client, server, timeout_s=0.3).get("/contact_lists")
    assert server.hung_up.wait(60), "the server was at its end first"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_reply_to_a_token_call_that_unpacks_to_a_flood_is_not_read(
    simulator: Running, serve: Serve, layers: int
) -> None:
    body, encoding = bomb(64 << 20, layers)
    calls: list[Call] = []
    server = serve(whole("200 OK", body, f"Content-Encoding: {encoding}"))
    with pytest.raises(RefreshUncertain, match="ReplyTooLarge"):
        authorization(simulator, server.url, calls).refresh(SECRET)
    assert [call.error_message for call in calls] == ["ReplyTooLarge"]


@pytest.mark.parametrize("layers", [1, 2])
def test_a_reply_that_unpacks_to_a_flood_is_not_read(
    make_client: Callable[..., Client],
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    layers: int,
) -> None:
    monkeypatch.setattr(exchange, "MOST_BYTES", 1 << 20)
    body, encoding = bomb(64 << 20, layers)
    server = serve(whole("200 OK", body, f"Content-Encoding: {encoding}"))
    with pytest.raises(ConnectionFault, match="ReplyTooLarge"):
        of_server(make_client, server).get("/contact_lists")


def test_a_reply_as_large_as_the_vendors_is_read(
    make_client: Callable[..., Client], serve: Serve
) -> None:
    body, encoding = bomb(16 << 20)
    server = serve(whole("200 OK", body, f"Content-Encoding: {encoding}"))
    assert len(of_server(make_client, server).get("/contact_lists")["a"]) == 16 << 20


def of_server(make_client: Callable[..., Client], server: RawServer, **extra: Any) -> Client:
    """A client with a token of the simulator's, whose API is another server."""
    make_client()._tokens.access_token()
    client = make_client(**extra)
    object.__setattr__(client._settings, "base_url", server.url)
    client._retry = type(client._retry)(max_tries=1)
    return client


@pytest.mark.parametrize("proxied", [False, True])
def test_a_call_takes_its_slot_when_its_connection_stands(
    simulator: Running, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch,
    proxied: bool,
) -> None:  # fmt: skip
    client = make_client()
    steps: list[str] = []
    really_connect, really_take = transport._Connection.connect, ApiBudget.take_slot

    def connect(connection: Any) -> None:
        steps.append("connect")
        really_connect(connection)

    def take(budget: Any) -> float:
        steps.append("take")
        return really_take(budget)

    if proxied:
        monkeypatch.setenv("HTTP_PROXY", simulator.url)
        monkeypatch.setattr(type(client._settings), "is_loopback", False)
    client._tokens.access_token()
    monkeypatch.setattr(transport._Connection, "connect", connect)
    monkeypatch.setattr(ApiBudget, "take_slot", take)
    client.get("/contact_lists")
    client.get("/contact_lists")
    assert steps == ["connect", "take", "take"]


def test_a_call_that_finds_no_connection_takes_no_slot(
    simulator: Running, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    client._tokens.access_token()
    object.__setattr__(client._settings, "base_url", "http://127.0.0.1:9")
    client._retry = type(client._retry)(max_tries=1)
    monkeypatch.setattr(ApiBudget, "take_slot", lambda _budget: pytest.fail("a slot was taken"))
    with pytest.raises(ConnectionFault):
        client.get("/contact_lists")
