"""Token replies in whatever shape the contract leaves open: no pair is lost, no call wasted."""

from typing import Any

import pytest

from constant_contact.api.authorization import Authorization
from constant_contact.api.tokens import Tokens
from constant_contact.errors import AuthorizationRequired, RefreshUncertain
from constant_contact.store.database import Database
from simulator.server import Running
from tests.support import MemoryTokenStore, api_settings


@pytest.fixture
def store(crm: Database) -> MemoryTokenStore:
    return MemoryTokenStore(crm)


def tokens(
    simulator: Running, store: MemoryTokenStore, seed: str | None = None, **extra: Any
) -> Tokens:
    settings = api_settings(simulator, seed or simulator.control.grant(), **extra)
    return Tokens(settings, store, Authorization(settings, lambda call: None).refresh)


def answers(simulator: Running, status: int = 200, **body: Any) -> None:
    simulator.control.add_fault(
        "status", match={"path": "/token"}, params={"status": status, "body": body}
    )


ODD = [
    *({"expires_in": each} for each in ("86400", "86400.0", "soon", None, [], 0, -5, 10**15, True)),
    *({"scope": each} for each in ({"a": "b"}, 7, True, None, [])),
    {"error": None, "expires_at": "tomorrow", "id_token": None, "ext": {"a": [1]}},
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_and_unknown_fields_do_not_cost_the_pair(
    simulator: Running, store: MemoryTokenStore, odd: dict[str, Any]
) -> None:
    answers(simulator, access_token="new", refresh_token="next", **odd)
    assert tokens(simulator, store).access_token() == "new"
    assert store.pair is not None
    assert store.pair.refresh_token == "next"


@pytest.mark.parametrize("reply", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_a_reply_without_a_refresh_token_keeps_the_one_that_was_sent(
    simulator: Running, store: MemoryTokenStore, reply: dict[str, Any]
) -> None:
    answers(simulator, access_token="new", **reply)
    tokens(simulator, store, seed="long-lived").access_token()
    assert store.pair is not None
    assert store.pair.refresh_token == "long-lived"


def test_a_token_that_lives_a_minute_is_used_for_most_of_it(
    simulator: Running, store: MemoryTokenStore
) -> None:
    simulator.control.settings(access_token_ttl_s=60)
    given = tokens(simulator, store)
    assert len({given.access_token() for _ in range(5)}) == 1


def test_a_refresh_works_while_the_connection_names_a_scope_that_was_not_granted(
    simulator: Running, store: MemoryTokenStore
) -> None:
    wider = "contact_data campaign_data offline_access account_read"
    seed = simulator.control.grant(["contact_data", "campaign_data", "offline_access"])
    assert tokens(simulator, store, seed, scope=wider).access_token()


def test_a_grant_that_is_gone_is_told_from_a_wrong_secret_by_its_name(
    simulator: Running, store: MemoryTokenStore
) -> None:
    answers(simulator, status=401, error="invalid_grant")
    with pytest.raises(AuthorizationRequired, match="authorize again"):
        tokens(simulator, store).access_token()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    simulator: Running, store: MemoryTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert tokens(simulator, store).access_token()


def test_a_proxy_of_the_environment_is_asked_for_the_vendors_tokens_though_the_api_is_here(
    simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    settings = api_settings(simulator, "seed", token_url="https://tokens.invalid/token")
    assert settings.is_loopback
    with pytest.raises(RefreshUncertain, match="ProxyError"):
        Authorization(settings, lambda call: None).refresh("seed")
