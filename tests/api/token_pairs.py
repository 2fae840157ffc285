"""What the tests of tokens have in common."""

from typing import Any

from constant_contact.api.authorization import Authorization
from constant_contact.api.tokens import Tokens
from simulator.server import Running
from tests.support import MemoryTokenStore, api_settings


def tokens(simulator: Running, store: MemoryTokenStore, seed: str, **extra: Any) -> Tokens:
    settings = api_settings(simulator, seed, **extra)
    return Tokens(settings, store, Authorization(settings, lambda call: None).refresh)


def refreshes(simulator: Running) -> int:
    return sum(call["path"].endswith("/token") for call in simulator.control.calls())
