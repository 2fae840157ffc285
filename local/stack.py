"""What has to run below Airflow: nothing, a PostgreSQL, or a PostgreSQL and the simulator."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import psycopg

from constant_contact.store.seam_check import install
from local import environment
from local.crm_rows import fill_if_empty
from local.postgres import AIRFLOW_DATABASE, CRM_DATABASE, LocalPostgres
from local.simulator import SharedSimulator
from simulator.control import Control


@dataclass(frozen=True)
class Stack:
    """The parts that run, seen from Airflow."""

    environment: dict[str, str]
    # the CRM's URL for psycopg when it is the local one
    local_crm_url: str | None
    local_metadata: bool

    @property
    def uses_own_connections(self) -> bool:
        """Whether the caller named a CRM and an account: nothing may reach them unasked."""
        return self.local_crm_url is None


@contextlib.contextmanager
def local_stack(
    caller: Mapping[str, str],
    ui_port: int = 8080,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Stack]:
    """Starts what the caller's environment does not name, and stops what no other command uses.

    Args:
        caller: the environment of the command.
        ui_port: where the authorization page leads back to.
        settings: see `environment.airflow_environment`.

    Raises:
        Stop: see `environment.own_connections`; or a part did not start.
    """
    own = environment.own_connections(caller)
    local_metadata = not caller.get(environment.METADATA)
    with contextlib.ExitStack() as parts:
        metadata_url = caller.get(environment.METADATA) or ""
        crm_url = None
        connections = own or {}
        if local_metadata or own is None:
            postgres = parts.enter_context(LocalPostgres())
            if local_metadata:
                metadata_url = postgres.url(AIRFLOW_DATABASE, "psycopg2")
            if own is None:
                crm_url = postgres.url(CRM_DATABASE)
                simulator = parts.enter_context(SharedSimulator())
                connections = {
                    environment.CRM: postgres.airflow_connection(),
                    environment.CONSTANT_CONTACT: simulator.account.airflow_connection(ui_port),
                }
        yield Stack(
            environment.airflow_environment(
                caller,
                metadata_url=metadata_url,
                connections=connections,
                paused=own is not None,
                settings=settings,
            ),
            crm_url,
            local_metadata,
        )


def migrate_local_crm(stack: Stack) -> list[str]:
    """Brings the local CRM's schema up to date, and gives it contacts if it has none.

    A CRM that the caller named is left alone.
    """
    if stack.local_crm_url is None:
        return []
    simulator_url = json.loads(stack.environment[environment.CONSTANT_CONTACT])["host"]
    with (
        psycopg.connect(stack.local_crm_url) as connection,
        contextlib.closing(Control(simulator_url)) as control,
    ):
        applied = install(connection)
        fill_if_empty(connection, control)
    return applied
