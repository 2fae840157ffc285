"""Everything the simulator knows, in one object that can be thrown away and made again."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from simulator.bulk import BulkJobs
from simulator.calls import CallLog
from simulator.campaigns import CampaignStore
from simulator.clock import Clock
from simulator.contacts import ContactStore
from simulator.faults import Faults
from simulator.ids import make_id
from simulator.limits import DayQuota, SlidingSecond
from simulator.lists import ListStore
from simulator.oauth import OAuth
from simulator.settings import SCOPES, Limits, Settings


class World:
    """The account, the application, the clock, the log and the faults."""

    def __init__(
        self,
        *,
        seed: int = 1,
        limits: Limits | None = None,
        settings: Settings | None = None,
        refresh_token: str | None = None,
    ) -> None:
        self.seed = seed
        self._limits_at_start = limits or Limits()
        self._settings_at_start = settings or Settings()
        self._refresh_token_at_start = refresh_token
        self.clock = Clock()
        self.calls = CallLog()
        self.reset()

    def reset(self) -> None:
        """Back to the start: no data, no log, no faults, real time, first settings."""
        self.limits = replace(self._limits_at_start)
        self.settings = deepcopy(self._settings_at_start)
        self.clock = Clock()
        self.calls.clear()
        self.faults = Faults()
        self.oauth = OAuth(self.settings, self.clock, self.seed)
        if self._refresh_token_at_start:
            self.oauth.add_refresh_token(SCOPES, self._refresh_token_at_start)
        self.rate = SlidingSecond()
        self.token_rate = SlidingSecond()
        self.quota = DayQuota()
        self._ids: dict[str, int] = {}
        self.clear_data()

    def clear_data(self) -> None:
        """Drop the account's data only."""
        self.contacts = ContactStore()
        self.lists = ListStore()
        self.campaigns = CampaignStore()
        self.bulk = BulkJobs()
        self.policy_violations: list[dict[str, Any]] = []
        self.revivals: list[dict[str, Any]] = []
        self.names_overwritten = 0
        self.resubscribe_emails = 0
        self.used_cursors: set[str] = set()
        self.filter_results: dict[object, Any] = {}

    def new_id(self, kind: str) -> str:
        """The next id of a kind; never one of a generated account."""
        self._ids[kind] = self._ids.get(kind, 0) + 1
        return make_id(self.seed, f"new/{kind}", self._ids[kind])
