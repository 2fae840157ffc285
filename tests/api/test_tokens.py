"""The token pair: seeds, refreshes, refusals, on the real token endpoint."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constant_contact.api.authorization import Authorization
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens, credentials_digest
from constant_contact.errors import (
    AuthorizationRequired,
    CredentialsReplaced,
    Fatal,
    RefreshUncertain,
    SettingError,
)
from simulator.server import Running
from tests.api.token_pairs import refreshes, tokens
from tests.support import MemoryTokenStore, Rows, api_settings


@pytest.mark.parametrize("rotating", [True, False])
def test_eight_who_find_the_token_expired_refresh_once(
    simulator: Running, store: MemoryTokenStore, rotating: bool
) -> None:
    simulator.control.settings(rotating=rotating)
    seed = simulator.control.grant()
    workers = [tokens(simulator, store, seed) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        given = set(pool.map(lambda worker: worker.access_token(), workers))
        assert len(given) == 1
        assert refreshes(simulator) == 1
        (old,) = given
        renewed = set(pool.map(lambda worker: worker.access_token(rejected=old), workers))
    assert len(renewed) == 1
    assert renewed != given
    assert refreshes(simulator) == 2


LOSE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE state = 'idle in transaction' AND datname = current_database()"
)


def test_tokens_are_stored_and_used_when_the_database_is_lost_while_the_vendor_answers(
    simulator: Running, store: MemoryTokenStore, sql_rows: Rows
) -> None:
    settings = api_settings(simulator, simulator.control.grant())
    refresh = Authorization(settings, lambda call: None).refresh

    def refresh_and_lose(refresh_token: str) -> dict[str, Any]:
        reply = refresh(refresh_token)
        sql_rows(LOSE)
        return reply

    given = Tokens(settings, store, refresh_and_lose).access_token()
    assert store.pair is not None
    assert store.pair.access_token == given


def test_whoever_finds_its_token_used_up_takes_what_was_stored_meanwhile(
    simulator: Running, store: MemoryTokenStore, sql_rows: Rows
) -> None:
    """Two refresh at once, since the first lost the row while the vendor answered."""
    settings = api_settings(simulator, simulator.control.grant())
    refresh = Authorization(settings, lambda call: None).refresh
    first = Tokens(settings, store, refresh)

    def refresh_too_late(refresh_token: str) -> dict[str, Any]:
        sql_rows(LOSE)
        given.append(first.access_token())
        return refresh(refresh_token)

    given: list[str] = []
    assert [Tokens(settings, store, refresh_too_late).access_token()] == given
    assert refreshes(simulator) == 2


def test_what_is_stored_is_used_while_it_is_valid(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant()
    first = tokens(simulator, store, seed).access_token()
    assert tokens(simulator, store, seed).access_token() == first
    assert refreshes(simulator) == 1


def test_a_rotated_refresh_token_is_stored_before_it_is_needed(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant()
    tokens(simulator, store, seed).access_token()
    assert store.pair is not None
    assert store.pair.refresh_token != seed
    store.pair = TokenPair.from_json(store.pair.to_json())
    simulator.control.expire_access_tokens()
    assert tokens(simulator, store, seed).access_token(rejected=store.pair.access_token)


def test_a_newly_pasted_seed_wins_over_what_is_stored(
    simulator: Running, store: MemoryTokenStore
) -> None:
    old = tokens(simulator, store, simulator.control.grant()).access_token()
    new = tokens(simulator, store, simulator.control.grant()).access_token()
    assert new != old
    assert refreshes(simulator) == 2


def test_a_stored_token_that_died_gives_way_to_a_seed_that_lives(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant(refresh_token="of-this-account")
    tokens(simulator, store, seed).access_token()
    simulator.control.reset()
    simulator.control.limits(token_calls_per_second=0)
    simulator.control.grant(refresh_token="of-this-account")
    assert store.pair is not None
    assert tokens(simulator, store, seed).access_token(rejected=store.pair.access_token)
    assert refreshes(simulator) == 2


@pytest.mark.parametrize(
    "other",
    [{"api_key": "another-application"}, {"token_url": "http://127.0.0.1:9/token"}],
    ids=lambda other: next(iter(other)),
)
def test_tokens_of_another_application_are_not_used(
    simulator: Running, store: MemoryTokenStore, other: dict[str, str]
) -> None:
    tokens(simulator, store, simulator.control.grant()).access_token()
    settings = replace(api_settings(simulator, ""), **other)
    stranger = Tokens(settings, store, Authorization(settings, lambda call: None).refresh)
    with pytest.raises(AuthorizationRequired, match="holds no refresh token"):
        stranger.access_token()


def test_a_task_that_began_with_the_old_application_does_not_store_over_the_new_ones_tokens(
    simulator: Running, store: MemoryTokenStore
) -> None:
    simulator.control.settings(rotating=False)
    running = tokens(simulator, store, simulator.control.grant())
    old = running.access_token()
    assert store.pair is not None
    store.pair = replace(store.pair, client_digest="of the new one", refresh_token="of the new one")
    with pytest.raises(CredentialsReplaced, match="its next try uses that one"):
        running.access_token(rejected=old)
    assert store.pair.refresh_token == "of the new one"


def test_a_task_without_a_token_yet_that_began_before_a_take_over_does_not_use_its_seed(
    simulator: Running, store: MemoryTokenStore
) -> None:
    simulator.control.settings(rotating=False)
    seed, newer = simulator.control.grant(), simulator.control.grant()
    replaced = credentials_digest(api_settings(simulator, seed))
    granted = simulator.control.grant()
    new = api_settings(simulator, granted)
    # Tells two applications apart as the API key does.
    new = replace(new, token_url=f"{new.token_url}?of=the-new-one")
    refresh = Authorization(new, lambda call: None).refresh
    Tokens(new, store, refresh).access_token()
    assert store.pair is not None
    store.pair = TokenPair.from_json(replace(store.pair, replaces=replaced).to_json())
    for change in (
        lambda old: Tokens(new, store, refresh).access_token(rejected=old),
        lambda _: Tokens(new, store, refresh).authorize(
            lambda: refresh(granted), "ann", lambda pair: None
        ),
    ):
        change(store.pair.access_token)
        kept = store.pair
        with pytest.raises(CredentialsReplaced):
            tokens(simulator, store, seed).access_token()
        assert store.pair == kept
    # Pasted on purpose: the old application again.
    assert tokens(simulator, store, newer).access_token()


def test_a_grant_that_does_not_pass_its_check_is_not_stored(
    simulator: Running, store: MemoryTokenStore
) -> None:
    settings = api_settings(simulator, simulator.control.grant())
    refresh = Authorization(settings, lambda call: None).refresh
    before = tokens(simulator, store, settings.refresh_token).access_token()

    def refuse(pair: TokenPair) -> None:
        assert pair.access_token != before
        raise SettingError("connection", "is of another account")

    granted = simulator.control.grant()
    with pytest.raises(SettingError, match="another account"):
        Tokens(settings, store, refresh).authorize(lambda: refresh(granted), "ann", refuse)
    assert tokens(simulator, store, settings.refresh_token).access_token() == before


def test_an_authorization_wins_over_the_seed_and_never_gives_way_to_it(
    simulator: Running, store: MemoryTokenStore
) -> None:
    # Of an earlier grant, perhaps of another account: it still lives.
    simulator.control.settings(rotating=False)
    seed, granted = simulator.control.grant(), simulator.control.grant()
    settings = api_settings(simulator, seed)
    refresh = Authorization(settings, lambda call: None).refresh
    Tokens(settings, store, refresh).authorize(lambda: refresh(granted), "ann", lambda pair: None)
    assert store.pair is not None
    assert tokens(simulator, store, seed).access_token() == store.pair.access_token
    store.pair = replace(store.pair, refresh_token="dead")
    with pytest.raises(AuthorizationRequired, match="no longer accepts"):
        tokens(simulator, store, seed).access_token(rejected=store.pair.access_token)


def test_a_token_about_to_expire_is_refreshed_before_it_fails(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant()
    tokens(simulator, store, seed).access_token()
    assert store.pair is not None
    now = datetime.now(UTC)
    store.pair = replace(
        store.pair,
        obtained_at_utc=now - timedelta(days=1),
        expires_at_utc=now + timedelta(seconds=30),
    )
    tokens(simulator, store, seed).access_token()
    assert refreshes(simulator) == 2


def test_a_refresh_without_an_answer_is_not_repeated(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant()
    simulator.control.add_fault("reset_after", match={"path": "/token"})
    with pytest.raises(RefreshUncertain):
        tokens(simulator, store, seed).access_token()
    assert refreshes(simulator) == 1


def test_a_throttled_refresh_is_repeated(simulator: Running, store: MemoryTokenStore) -> None:
    seed = simulator.control.grant()
    simulator.control.add_fault(
        "status", match={"path": "/token"}, params={"status": 429, "body": {"error": "slow"}}
    )
    assert tokens(simulator, store, seed).access_token()


@pytest.mark.parametrize(
    ("trouble", "error", "says"),
    [
        (lambda c: c.revoke(), AuthorizationRequired, "authorize again"),
        (lambda c: c.new_secret("another"), SettingError, "client secret"),
        (lambda c: c.deactivate(), SettingError, "invalid_client"),
        (
            lambda c: c.add_fault("html_503", match={"path": "/token"}),
            RefreshUncertain,
            "token endpoint answered 503",
        ),
        (
            lambda c: c.add_fault("malformed_json", match={"path": "/token"}),
            RefreshUncertain,
            "no token",
        ),
    ],
)
def test_each_refusal_says_what_to_do(
    simulator: Running,
    store: MemoryTokenStore,
    trouble: Callable[[Any], Any],
    error: type[Exception],
    says: str,
) -> None:
    seed = simulator.control.grant()
    trouble(simulator.control)
    with pytest.raises(error, match=says) as refused:
        tokens(simulator, store, seed).access_token()
    assert seed not in str(refused.value)
    assert "demo-secret" not in str(refused.value)


def test_without_a_refresh_token_it_says_how_to_get_one(
    simulator: Running, store: MemoryTokenStore
) -> None:
    with pytest.raises(AuthorizationRequired, match="holds no refresh token: authorize"):
        tokens(simulator, store, "").access_token()


def test_a_grant_that_lacks_a_scope_is_refused_and_its_tokens_kept(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant(scopes=["contact_data", "offline_access"])
    with pytest.raises(AuthorizationRequired, match="campaign_data"):
        tokens(simulator, store, seed).access_token()
    assert store.pair is not None


def test_an_unreachable_token_endpoint_names_the_field(
    simulator: Running, store: MemoryTokenStore
) -> None:
    nobody = tokens(simulator, store, "seed", token_url="http://127.0.0.1:9/token")
    with pytest.raises(RefreshUncertain, match="field token_url"):
        nobody.access_token()


def test_key_and_secret_are_checked_without_using_up_a_refresh_token(
    simulator: Running, store: MemoryTokenStore
) -> None:
    seed = simulator.control.grant()
    settings = api_settings(simulator, seed)
    Authorization(settings, lambda call: None).check_client()
    assert tokens(simulator, store, seed).access_token()
    simulator.control.new_secret("another")
    with pytest.raises(Fatal):
        Authorization(settings, lambda call: None).check_client()


def test_a_pair_shows_no_token_in_its_repr(simulator: Running, store: MemoryTokenStore) -> None:
    seed = simulator.control.grant()
    given = tokens(simulator, store, seed).access_token()
    assert given not in repr(store.pair)
    assert str(getattr(store.pair, "refresh_token", "?")) not in repr(store.pair)


def test_the_most_talkative_log_holds_no_token(
    simulator: Running, store: MemoryTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seed = simulator.control.grant()
    given = tokens(simulator, store, seed).access_token()
    assert caplog.text
    for secret in (seed, given, getattr(store.pair, "refresh_token", "?")):
        assert secret not in caplog.text
