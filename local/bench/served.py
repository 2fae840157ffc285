"""Our pages as Airflow's own api-server app serves them, asked over HTTP by a logged-in user."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median, quantiles
from typing import NamedTuple

import requests

from local.bench.measure import measured
from local.bench.result import Result
from local.bench.stage import Stage
from local.environment import CONSTANT_CONTACT, CRM, airflow_environment

PAGES = "/constant-contact"
_READY_WITHIN_S, _TIMEOUT_S = 60, 60
HEADINGS = ("asked for", "median ms", "95th percentile ms", "slowest ms")


class Form(NamedTuple):
    """A form that changes nothing, and its fields."""

    path: str
    fields: Mapping[str, str] | None = None


def measure(stage: Stage, result: Result, work: str, crm_url: str, times: int) -> dict[str, float]:
    """A row of `HEADINGS` for each page that `work` asks for; returns the medians."""
    with stage.database() as metadata_url:
        found = measured(
            work,
            crm=stage.airflow_connection(crm_url),
            metadata_url=metadata_url.replace("postgresql://", "postgresql+psycopg2://"),
            times=times,
        )
    for name, taken in found["ms"].items():
        result.rows.append((name, median(taken), quantiles(taken, n=20)[-1], max(taken)))
    return {name: median(taken) for name, taken in found["ms"].items()}


def prepare(crm: str, metadata_url: str) -> None:
    """Give this process an Airflow: its environment, and a metadata database.

    Args:
        crm: The value of an `AIRFLOW_CONN_*` variable.
        metadata_url: Of an empty database.
    """
    connections = {CRM: crm, CONSTANT_CONTACT: '{"conn_type": "constant_contact"}'}
    environment = airflow_environment(
        os.environ, metadata_url=metadata_url, connections=connections, paused=True
    )
    os.environ.update(environment)
    # Airflow reads its environment once, when it is imported
    from local.metadata import prepare_metadata  # noqa: PLC0415

    prepare_metadata(local=True)


def milliseconds(paths: Mapping[str, str | Form], times: int) -> dict[str, list[float]]:
    """How long each page takes until it is read whole, in turns; the first of each warms up.

    Args:
        paths: By name, below `PAGES`; or the form that answers with the page.
        times: How often each is asked for.
    """
    taken: dict[str, list[float]] = {name: [] for name in paths}
    with _served() as (url, session):
        for number in range(times + 1):
            for name, asked in paths.items():
                method, form = ("POST", asked) if isinstance(asked, Form) else ("GET", Form(asked))
                started = time.perf_counter()
                answer = session.request(
                    method, f"{url}{PAGES}{form.path}", data=form.fields, timeout=_TIMEOUT_S
                )
                seconds = time.perf_counter() - started
                answer.raise_for_status()
                if number:
                    taken[name].append(1000 * seconds)
    return taken


@contextmanager
def _served() -> Iterator[tuple[str, requests.Session]]:
    """Airflow's app on a port of its own, and a user who is logged in."""
    import uvicorn  # noqa: PLC0415 - only here
    from airflow.api_fastapi.app import create_app, get_auth_manager  # noqa: PLC0415
    from airflow.api_fastapi.auth.managers.simple.user import (  # noqa: PLC0415
        SimpleAuthManagerUser,
    )

    from constant_contact.web.frame import forms  # noqa: PLC0415

    config = uvicorn.Config(create_app(apps="core"), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _READY_WITHIN_S
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the api-server did not start")
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    viewer = SimpleAuthManagerUser(username="viewer", role="VIEWER")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {get_auth_manager().generate_jwt(viewer)}"
        session.headers[forms.HEADER] = forms.form_token(viewer)
        yield f"http://127.0.0.1:{port}", session
    server.should_exit = True
    thread.join()
