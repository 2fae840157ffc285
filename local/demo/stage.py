"""What the demo stands on: PostgreSQL, a simulator of its own, and Airflow's environment.

Beside the server, which all commands share, everything is the demo's own: its CRM, its Airflow
database, its account. So it disturbs no `make up` and is disturbed by none, and real connections
in the caller's environment are not for it.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from local.environment import CONSTANT_CONTACT, CRM, airflow_environment
from local.locks import is_locked, locked
from local.paths import LOCAL, LOGS
from local.postgres import LocalPostgres
from local.simulator import CLIENT_SECRET, Account, Simulator
from local.stop import Stop
from simulator.control import Control

CRM_DATABASE = "demo_crm"
AIRFLOW_DATABASE = "demo_airflow"
# More than any key has, or the demo waits for its turn most of the time: four minutes by a standard
# key's 4, one by a partner's 20. The day has the standard plan's calls. The connection asks for
# less than the simulator allows, by as many calls as may be on their way at once: where a process
# stands still for a while they arrive together, with those whose turn is then.
CALLS_PER_SECOND = 50
_STREAMS_AT_ONCE = 4
_MOST_AT_ONCE = 15
_ASKED_PER_SECOND = CALLS_PER_SECOND - _MOST_AT_ONCE
CALLS_PER_DAY = 10_000
_LOCK = LOCAL / "demo.lock"


@dataclass(frozen=True)
class Stage:
    """The parts that run."""

    postgres: LocalPostgres
    account: Account
    control: Control

    @property
    def crm_url(self) -> str:
        """The demo's CRM, for psycopg."""
        return self.postgres.url(CRM_DATABASE)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show."""
        return (CLIENT_SECRET, self.account.refresh_token)


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Start everything; whatever happens, stop it.

    Raises:
        Stop: Another demo runs here, or a part did not start.
    """
    if is_locked(_LOCK):
        raise Stop("`make demo` is already running here")
    flags = ("--calls-per-second", str(CALLS_PER_SECOND), "--calls-per-day", str(CALLS_PER_DAY))
    with contextlib.ExitStack() as parts:
        parts.enter_context(locked(_LOCK))
        postgres = parts.enter_context(LocalPostgres())
        postgres.create_database(AIRFLOW_DATABASE)
        postgres.create_database(CRM_DATABASE)
        log = LOGS / "demo" / "simulator.log"
        account = parts.enter_context(Simulator(log, flags))
        control = parts.enter_context(contextlib.closing(Control(account.url)))
        _set_environment(postgres, account)
        yield Stage(postgres, account, control)


def _set_environment(postgres: LocalPostgres, account: Account) -> None:
    """For Airflow in this process; what the caller has set for another Airflow goes."""
    theirs = [name for name in os.environ if name.startswith("AIRFLOW")]
    for name in theirs:
        del os.environ[name]
    os.environ.update(
        airflow_environment(
            os.environ,
            metadata_url=postgres.url(AIRFLOW_DATABASE, "psycopg2"),
            connections={
                CRM: postgres.airflow_connection(CRM_DATABASE),
                CONSTANT_CONTACT: account.airflow_connection(
                    calls_per_second=_ASKED_PER_SECOND, calls_per_day=CALLS_PER_DAY
                ),
            },
            paused=True,
            settings={
                "AIRFLOW__CONSTANT_CONTACT__STREAMS_AT_ONCE": str(_STREAMS_AT_ONCE),
                # 30 by default; the first file brings all imports
                "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
            },
        )
    )
