"""Our pages as Airflow's own api-server app serves them, asked over HTTP by a logged-in user."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from local.bench.gauge import Gauge
from local.bench.measure import Figures
from local.environment import CONSTANT_CONTACT, CRM, airflow_environment

_PAGES = "/constant-contact"
_READY_WITHIN_S, _TIMEOUT_S = 60, 60


def ask(
    _gauge: Gauge,
    *,
    crm: str,
    metadata_url: str,
    paths: Mapping[str, tuple[str, Mapping[str, str] | None]],
    times: int,
) -> Figures:
    """Milliseconds until each page is read whole, in turns; the first of each warms up.

    Args:
        crm: The value of an `AIRFLOW_CONN_*` variable.
        metadata_url: Of an empty database.
        paths: By name, with the fields of a form that answers with the page and changes nothing.
        times: How often each is asked for.
    """
    _prepare(crm, metadata_url)
    taken: dict[str, list[float]] = {name: [] for name in paths}
    with _served() as (url, session):
        for number in range(times + 1):
            for name, (path, form) in paths.items():
                method = "GET" if form is None else "POST"
                started = time.perf_counter()
                answer = session.request(method, url + path, data=form, timeout=_TIMEOUT_S)
                seconds = time.perf_counter() - started
                answer.raise_for_status()
                if number:
                    taken[name].append(1000 * seconds)
    return {"ms": taken}


def _prepare(crm: str, metadata_url: str) -> None:
    """Give this process an Airflow: its environment, and a metadata database."""
    connections = {CRM: crm, CONSTANT_CONTACT: '{"conn_type": "constant_contact"}'}
    environment = airflow_environment(
        os.environ, metadata_url=metadata_url, connections=connections, paused=True
    )
    os.environ.update(environment)
    # Airflow reads its environment once, when it is imported
    from local.metadata import prepare_metadata  # noqa: PLC0415

    prepare_metadata(local=True)


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
        yield f"http://127.0.0.1:{port}{_PAGES}", session
    server.should_exit = True
    thread.join()
