"""The API budget: one row per API key hands out the calls of the whole cluster."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from constant_contact.calls import CallPlan
from constant_contact.errors import BudgetSpent
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.budget")

# What a lane must leave of the day to those before it: compliance is never starved.
RESERVED_SHARE = {"opt_outs": 0.0, "memberships": 0.1, "engagement": 0.2}
# What a released mass of opt-outs must leave: a fifth of the day for engagement, which in turn
# leaves a fifth to the others.
_BACKLOG_LEAVES = 0.4
# How long the queue of those who wait for their turn may be for a lane to join it, in seconds.
# Whoever asks while it is longer asks again: so an opt-out stands behind half a second of a history
# load's calls, and while opt-outs keep the queue long, the load stands aside.
QUEUE_AHEAD_S = {"opt_outs": 3600.0, "memberships": 0.75, "engagement": 0.5}
_LEAST_WAIT_S = 0.005
# Whoever wakes later than this has missed its turn and asks for another, a few times: the calls of
# those behind it are no further away than that.
_LATE_S = 0.03
_MOST_MISSED = 5
# Work goes on shortly after the vendor's day begins, not at the second of it.
_AFTER_MIDNIGHT = timedelta(minutes=2)
_DAY_BEGINS = timedelta(minutes=5)


@dataclass(frozen=True)
class Day:
    """How one API key stands today.

    Attributes:
        calls: Made since 00:00 UTC, as counted here.
        is_spent: The vendor said that the day is spent.
        next_day_utc: When the count begins again.
    """

    plan: CallPlan
    calls: int
    is_spent: bool
    next_day_utc: datetime

    def limit(self, lane: str) -> int:
        """Up to which count of the day a lane may call."""
        return lane_limit(self.plan, lane)

    def left(self, lane: str) -> int:
        """How many calls a lane has left today."""
        return 0 if self.is_spent else max(0, self.limit(lane) - self.calls)

    @property
    def left_of_backlog(self) -> int:
        """How many calls are left today for a mass of opt-outs that a person released."""
        return 0 if self.is_spent else max(0, backlog_limit(self.plan) - self.calls)

    @property
    def resume_at_utc(self) -> datetime:
        """When work that is out of calls goes on."""
        return self.next_day_utc.astimezone(UTC) + _AFTER_MIDNIGHT


def lane_limit(plan: CallPlan, lane: str) -> int:
    """How many calls of the day a lane may see made before it must leave the rest to others."""
    return int(plan.calls_per_day * (1 - RESERVED_SHARE[lane]))


def backlog_limit(plan: CallPlan) -> int:
    """How many calls of the day may be made before a released mass leaves the rest to others."""
    return int(plan.calls_per_day * (1 - _BACKLOG_LEAVES))


def day(crm: Database, plan: CallPlan) -> Day:
    """How the plan's API key stands today; takes no call."""
    with crm.transaction() as connection:
        key = {"api_key_digest": plan.api_key_digest, "calls_per_day": plan.calls_per_day}
        found = database.row(connection, "api/day", key) or {}
    return Day(plan, found["calls"], found["is_spent"], found["next_day_utc"])


class ApiBudget:
    """Draws calls for one lane.

    Args:
        crm: Where the row is.
        plan: Names the API key, the rate and the day's calls.
        lane: A key of `RESERVED_SHARE`.
    """

    def __init__(self, crm: Database, plan: CallPlan, lane: str) -> None:
        self._crm = crm
        self._plan = plan
        self._lane = lane
        self._params = {
            "api_key_digest": plan.api_key_digest,
            "calls_per_day": plan.calls_per_day,
            "calls_per_second": plan.calls_per_second,
            "day_limit": lane_limit(plan, lane),
            "ahead_s": QUEUE_AHEAD_S[lane],
        }
        self._duration_s: float | None = None

    def take_slot(self) -> float:
        """Wait for this call's turn; return the seconds waited.

        Raises:
            BudgetSpent: The day has no calls left for this lane.
            DatabaseUnavailable: The CRM database does not answer.
        """
        duration_s, self._duration_s = self._duration_s, None
        waited_s, missed = 0.0, 0
        while True:
            with self._crm.transaction() as connection:
                # A count lost in a crash of the server costs nothing worth a disk flush per call.
                connection.execute("SET LOCAL synchronous_commit = off")
                asked_for = self._params | {"duration_s": duration_s}
                slot = database.row(connection, "api/take_call", asked_for)
            if slot is None:
                raise self._spent(
                    f"the day's API calls are used up for {self._lane} "
                    f"({self._params['day_limit']:,} of "
                    f"{self._plan.calls_per_day:,}; connection {self._plan.conn_id}, fields "
                    "rate_plan and calls_per_day)"
                )
            wait_s = max(_LEAST_WAIT_S if slot["is_busy"] else 0.0, float(slot["wait_s"]))
            asked = time.monotonic()
            time.sleep(wait_s)
            late_s = time.monotonic() - asked - wait_s
            waited_s += wait_s
            if slot["is_busy"]:
                continue
            if late_s <= _LATE_S or missed == _MOST_MISSED:
                return waited_s
            # A machine that stood still wakes its threads together: their calls would be a burst.
            missed += 1
            self._crm.run("api/give_back_call", self._params)

    def left(self) -> int:
        """How many calls the lane has left today."""
        return day(self._crm, self._plan).left(self._lane)

    def observe(self, duration_s: float) -> None:
        """Take note of how long a call's answer took to begin; the next turn carries it."""
        self._duration_s = duration_s

    def slow_down(self) -> None:
        """Let no call through for a second: the vendor's window is as long."""
        self._crm.run("api/slow_down", self._params)

    def day_spent(self, message: str) -> BudgetSpent:
        """Note that the vendor calls the day spent, whatever was counted; return the error."""
        with self._crm.transaction() as connection:
            clock = database.row(connection, "api/clock") or {}
            if clock["since_midnight"] < _DAY_BEGINS:
                # The vendor may still count yesterday, or its clock may be behind ours.
                return BudgetSpent(f"{message}; goes on in a moment", clock["now"] + _DAY_BEGINS)
            database.run(connection, "api/spend_day", self._params)
        return self._spent(message)

    def _spent(self, message: str) -> BudgetSpent:
        resume_at = day(self._crm, self._plan).resume_at_utc
        return BudgetSpent(f"{message}; goes on at {resume_at:%Y-%m-%d %H:%M} UTC", resume_at)
