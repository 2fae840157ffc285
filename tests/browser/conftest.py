"""Chromium before Airflow as `make up` starts it; each test has a browser profile of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from simulator.control import Control
from tests.browser.faults import Faults
from tests.browser.local_airflow import LocalAirflow, eventually, is_root, local_airflow

# two cores, and Airflow on them
_PATIENCE_MS = 60_000
WINDOW = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.exit("no Chromium here: apt-get install chromium fonts-inter", returncode=2)
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if is_root() else []
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def airflow(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    """The one that all browser tests share: what they find there, another may have changed."""
    with local_airflow(tmp_path_factory.mktemp("local")) as running:
        yield running


@pytest.fixture(scope="session")
def logged_in(browser: Browser, airflow: LocalAirflow) -> Any:
    """The profile of a user who has just logged in."""
    context = browser.new_context(base_url=airflow.url)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(airflow.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Browse").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_window(
    browser: Browser, airflow: LocalAirflow, logged_in: Any
) -> Iterator[Callable[..., Page]]:
    """Opens a window of the admin, options are a context's; complaints of ours fail the test."""
    opened = []

    def open_it(**options: Any) -> Page:
        context = browser.new_context(
            base_url=airflow.url,
            storage_state=logged_in,
            **{"viewport": WINDOW, "timezone_id": "UTC", "locale": "en-US"} | options,
        )
        context.set_default_timeout(_PATIENCE_MS)
        opened.append((context, Faults(context)))
        return context.new_page()

    yield open_it
    for context, _ in opened:
        context.close()
    assert [line for _, faults in opened for line in faults.seen] == []


@pytest.fixture
def page(open_window: Callable[..., Page]) -> Page:
    """A window of the admin."""
    return open_window()


@pytest.fixture
def vendor(airflow: LocalAirflow) -> Iterator[Control]:
    """What happens at Constant Contact."""
    with closing(Control(airflow.vendor_url)) as control:
        yield control


@pytest.fixture
def crm_rows(airflow: LocalAirflow) -> Callable[..., list[dict[str, Any]]]:
    """Runs a statement in the CRM of the running Airflow; returns its rows, if it has any."""

    def run(statement: str, *params: Any) -> list[dict[str, Any]]:
        with psycopg.connect(airflow.crm_url, row_factory=psycopg.rows.dict_row) as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def some_call(crm_rows: Callable[..., list[dict[str, Any]]]) -> Callable[[str], dict[str, Any]]:
    """The newest call of a DAG, waited for: when Airflow is up its first runs have just begun."""

    def newest(dag_id: str) -> dict[str, Any]:
        found = eventually(
            lambda: crm_rows(
                "SELECT call_id, dag_id, run_id, task_id FROM ctct_api_call"
                " WHERE dag_id = %s AND path LIKE '/v3/%%' ORDER BY call_id DESC LIMIT 1",
                dag_id,
            )
        )
        return found[0]

    return newest
