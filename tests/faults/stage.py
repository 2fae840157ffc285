"""Where a job is played: a CRM database, the vendor, a client, and what is counted."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from constant_contact.api.authorization import Authorization
from constant_contact.api.client import Client, RetryPolicy
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import Tokens, TokenStore
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.budget import ApiBudget
from constant_contact.store.database import Database
from constant_contact.store.seam import Seam, SeamFile, load_seam
from simulator.control import Control
from tests.faults import account, jobs
from tests.faults.jobs import JOBS, Job, Run, differences, dump, keep, read, restore
from tests.support import MemoryTokenStore, Rows, api_settings

CRM_NAME = "connection crm_default"
# Connections of this name belong to the tests themselves.
OWN_NAME = "tests"
_NO_PAUSE = RetryPolicy(first_wait_s=0.001, max_wait_s=0.004)


class FileTokenStore(MemoryTokenStore):
    """As Airflow's Variable: what was saved is there for the next process."""

    def __init__(self, crm: Database, path: Path) -> None:
        super().__init__(crm)
        self._path = path

    def load(self) -> TokenPair | None:
        return TokenPair.from_json(self._path.read_text()) if self._path.exists() else None

    def save(self, pair: TokenPair) -> None:
        fresh = self._path.with_suffix(".fresh")
        fresh.write_text(pair.to_json())
        fresh.replace(self._path)


class Budget(ApiBudget):
    """The real one, but after a throttled call it does not wait for the second to pass.

    Attributes:
        taken: Calls made.
        slowed: How often the vendor was said to throttle.
        on_call: Called with the number of each call, right before it is made.
    """

    def __init__(self, crm: Database, settings: ApiSettings, lane: str) -> None:
        super().__init__(crm, settings, lane)
        self._counting = threading.Lock()
        self.taken = 0
        self.slowed = 0
        self.on_call: Callable[[int], None] = lambda _number: None

    def take_slot(self) -> float:
        waited_s = super().take_slot()
        with self._counting:
            self.taken += 1
            number = self.taken
        self.on_call(number)
        return waited_s

    def slow_down(self) -> None:
        with self._counting:
            self.slowed += 1


def open_crm(url: str, seam: Seam | None = None) -> Database:
    return Database(lambda: psycopg.connect(url), name=CRM_NAME, seam=seam)


def merging_seam() -> Seam:
    """The files as shipped, of a CRM that tells which contact another was merged into."""
    shipped = load_seam()
    text: Any = shipped.contacts.text.replace("FROM crm_contact", ", merged_into FROM crm_contact")
    return replace(shipped, contacts=SeamFile(shipped.contacts.path, text))


def perform(
    run: Run,
    crm: Database,
    settings: ApiSettings,
    store: TokenStore,
    lane: str,
    on_call: Callable[[int], None] | None = None,
) -> Budget:
    """Run a job as a task does, with a client of its own."""
    call_log = ApiCallLog(crm, Caller("a_dag", "a_task", "a_run", 1))
    budget = Budget(crm, settings, lane)
    budget.on_call = on_call or budget.on_call
    tokens = Tokens(settings, store, Authorization(settings, call_log.add).refresh)
    try:
        run(Client(settings, tokens, budget, call_log, _NO_PAUSE), crm)
    finally:
        call_log.close()
    return budget


class Undisturbed(NamedTuple):
    """What a job gives without a fault, run once and run again.

    Attributes:
        once: The dump after the first run; takes columns to leave out.
        twice: The same after the second.
        calls_once: Of the first run.
        calls: Of both runs.
        quiet_calls: Of one more.
        puts: Of all.
    """

    once: Callable[..., str]
    twice: Callable[..., str]
    calls_once: int
    calls: int
    quiet_calls: int
    puts: int


class Stage:
    """One job's scene, as it was before the job ran; `reset` brings it back."""

    def __init__(self, name: str, url: str, control: Control, base_url: str) -> None:
        self.name = name
        self.job: Job = JOBS[name]
        self.url = url
        self.control = control
        self.base_url = base_url
        self._server: Any = SimpleNamespace(url=base_url)
        self.crm = open_crm(url)
        #: runs a statement on the CRM database; returns its rows, if it has any
        self.execute = Rows(make_conninfo(url, application_name=OWN_NAME))
        self.store: TokenStore = MemoryTokenStore(self.crm)
        self.seed = ""
        self._prepare()
        self.undisturbed = self._undisturbed()

    def _prepare(self) -> None:
        account.make_account(self.control)
        self.authorize()
        with self.execute.transaction() as connection:
            account.make_crm(connection)
        for run in self.job.before:
            self.run(run)
        with self.execute.transaction() as connection:
            self.job.in_crm(connection)
            keep(connection)

    def _undisturbed(self) -> Undisturbed:
        self.reset()
        self.run()
        once, calls_once = self.rows(), self.calls()
        self.run()
        twice, calls = self.rows(), self.calls()
        self.run()
        return Undisturbed(
            lambda without=(): dump(once, without),
            lambda without=(): dump(twice, without),
            calls_once,
            calls,
            self.calls() - calls,
            self.puts(),
        )

    def reset(self) -> None:
        """Everything as it was when the job was about to run for the first time."""
        account.make_account(self.control)
        self.job.at_vendor(self.control)
        with self.execute.transaction() as connection:
            restore(connection)
        self.authorize()

    def authorize(self) -> None:
        """A person authorizes the application again."""
        self.seed = self.control.grant()
        self.store = MemoryTokenStore(self.crm)

    def settings(self, **extra: Any) -> ApiSettings:
        return api_settings(self._server, self.seed, **extra)

    def run(
        self, run: Run | None = None, on_call: Callable[[int], None] | None = None, **extra: Any
    ) -> Budget:
        """Run the job, or another; keyword arguments are extra fields of the connection."""
        return perform(
            run or self.job.run,
            self.crm,
            self.settings(**extra),
            self.store,
            self.job.lane,
            on_call,
        )

    def rows(self) -> jobs.Rows:
        with self.execute.transaction() as connection:
            return read(connection)

    def dump(self, without: tuple[str, ...] = ()) -> str:
        return dump(self.rows(), without)

    def differences(self, expected: Callable[..., str], without: tuple[str, ...] = ()) -> list[str]:
        """What the CRM database has too much or too little, as one of `undisturbed` goes."""
        return differences(self.dump(without), expected(without))

    def a_new_day(self) -> None:
        """Midnight UTC: the vendor counts from zero."""
        self.execute("UPDATE ctct_api_budget SET spent_day_utc = NULL")

    def calls(self) -> int:
        """Calls since `reset`, of the token endpoint too."""
        return len(self.control.calls())

    def puts(self) -> int:
        return sum(call["method"] == "PUT" for call in self.control.calls())

    def assert_nobody_was_wronged(self) -> None:
        truth = self.control.truth()
        assert truth["policy_violations"] == []
        assert truth["revivals"] == []
        assert truth["names_overwritten"] == 0

    def close(self) -> None:
        self.execute.close()
        self.crm.close()


Open = Callable[[str], Stage]
