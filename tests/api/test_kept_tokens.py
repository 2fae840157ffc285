"""Tokens are kept: stored though that fails for a moment, and used often enough to live."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from constant_contact.api.authorization import Authorization
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens
from constant_contact.errors import (
    SettingError,
)
from simulator.server import Running
from tests.api.token_pairs import tokens
from tests.support import CONN_ID, EU_CONN_ID, MemoryTokenStore, api_settings


def test_a_pair_that_cannot_be_stored_for_a_moment_is_not_lost(
    simulator: Running, store: MemoryTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = simulator.control.grant()
    save, tries = store.save, []

    def refuse_once(pair: TokenPair) -> None:
        tries.append(pair)
        if len(tries) == 1:
            raise RuntimeError("Airflow's API server restarts")
        save(pair)

    monkeypatch.setattr(store, "save", refuse_once)
    assert tokens(simulator, store, seed).access_token()
    assert store.pair is not None
    assert store.pair.refresh_token != seed


def test_a_pair_that_a_setting_keeps_from_being_stored_is_not_tried_again(
    simulator: Running, store: MemoryTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def refuse(pair: TokenPair) -> None:
        tries.append(pair)
        raise SettingError("option fernet_key", "is empty")

    monkeypatch.setattr(store, "save", refuse)
    with pytest.raises(SettingError):
        tokens(simulator, store, simulator.control.grant()).access_token()
    assert len(tries) == 1


@pytest.mark.parametrize(("days", "warned"), [(149, False), (150, True)])
def test_a_token_that_nobody_used_for_long_is_warned_of_and_kept_alive(
    simulator: Running,
    store: MemoryTokenStore,
    caplog: pytest.LogCaptureFixture,
    days: int,
    warned: bool,
) -> None:
    seed = simulator.control.grant()
    tokens(simulator, store, seed).access_token()
    assert store.pair is not None
    then = datetime.now(UTC) - timedelta(days=days, minutes=1)
    store.pair = replace(store.pair, obtained_at_utc=then, expires_at_utc=then)
    tokens(simulator, store, seed).access_token()
    assert store.pair.obtained_at_utc > then
    assert (f"last used {days} days ago" in caplog.text) is warned


@pytest.mark.parametrize(
    ("conn_id", "dag_id"),
    [(CONN_ID, "constant_contact_retention"), (EU_CONN_ID, "constant_contact_eu_retention")],
)
def test_the_warning_of_an_idle_token_names_the_dag_of_its_account(
    simulator: Running,
    store: MemoryTokenStore,
    caplog: pytest.LogCaptureFixture,
    conn_id: str,
    dag_id: str,
) -> None:
    settings = replace(api_settings(simulator, simulator.control.grant()), conn_id=conn_id)
    refresh = Authorization(settings, lambda call: None).refresh
    Tokens(settings, store, refresh).access_token()
    assert store.pair is not None
    then = datetime.now(UTC) - timedelta(days=160)
    store.pair = replace(store.pair, obtained_at_utc=then, expires_at_utc=then)
    Tokens(settings, store, refresh).access_token()
    assert f"leave {dag_id} switched on" in caplog.text
