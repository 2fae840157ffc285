"""API calls: found from a task and from the menu, filtered, and back to the task's log."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.frame import framed
from tests.browser.local_airflow import LocalAirflow
from tests.browser.looks import accessible, screenshot

pytestmark = pytest.mark.browser

CALLS = "/constant-contact/calls"


def test_a_tasks_tab_shows_its_calls_and_a_call_its_log(
    page: Page, some_call: Callable[[str], dict[str, str]]
) -> None:
    call = some_call("constant_contact_lists")
    task = "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}".format_map(
        {name: quote(str(value), safe="") for name, value in call.items()}
    )
    page.goto(task)
    page.get_by_role("link", name="API calls").click()
    frame = framed(page)
    expect(frame.get_by_label("Run", exact=True)).to_have_value(call["run_id"])
    expect(frame.get_by_label("Map index")).to_have_value("")
    rows = frame.get_by_role("table").locator("tbody tr")
    expect(rows.filter(has_text="lists · lists").first).to_be_visible()
    expect(rows.filter(has_not_text="lists · lists")).to_have_count(0)
    rows.filter(has_text="/contact_lists").get_by_role("link").click()
    expect(frame.get_by_role("heading", level=1)).to_contain_text("GET /v3/contact_lists")
    frame.get_by_role("link", name="The task's log").click()
    # Airflow's own page in the frame's place, at that try
    page.wait_for_url(f"**/tasks/{call['task_id']}?try_number=1")
    expect(page.get_by_role("link", name="Logs")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)


def test_a_filter_narrows_the_calls_at_once_and_the_way_back_widens_them(
    page: Page, some_call: Callable[[str], dict[str, str]]
) -> None:
    some_call("constant_contact_lists")
    some_call("constant_contact_contacts")
    page.goto(CALLS)
    tasks = page.get_by_role("table").locator("tbody td:nth-child(2)")
    expect(tasks.filter(has_not_text="contacts ·").first).to_be_visible()
    page.get_by_label("DAG").select_option("constant_contact_contacts")
    expect(tasks.filter(has_not_text="contacts ·")).to_have_count(0)
    expect(tasks.first).to_be_visible()
    expect(page).to_have_url(re.compile("dag_id=constant_contact_contacts"))
    page.go_back()
    expect(tasks.filter(has_not_text="contacts ·").first).to_be_visible()
    page.goto(f"/plugin/constant-contact{CALLS}")
    framed(page)
    screenshot(page, "calls")


def test_calls_are_legible_one_by_one_and_when_there_are_none(
    page: Page, some_call: Callable[[str], dict[str, str]]
) -> None:
    call = some_call("constant_contact_lists")
    page.goto(f"{CALLS}/{call['call_id']}")
    assert accessible(page) == []
    page.goto(f"{CALLS}?request_id=nobody")
    expect(page.get_by_text("No such call")).to_be_visible()
    assert accessible(page) == []


def test_the_calls_are_a_file_for_a_spreadsheet(
    page: Page, some_call: Callable[[str], dict[str, str]]
) -> None:
    some_call("constant_contact_lists")
    page.goto(CALLS)
    with page.expect_download() as download:
        page.get_by_role("link", name="as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert download.value.path().read_text().startswith("call_id,called_at,dag_id")


def test_a_span_of_time_and_from_and_to_take_each_others_place(page: Page) -> None:
    # the first choice is never answered: the second one takes its place all the same
    page.route("**from=2026**", lambda _: None)
    page.goto(CALLS)
    span, since = page.locator("select[name=span]"), page.locator("input[name=from]")
    since.fill("2026-01-31T12:00")
    since.blur()
    expect(span).to_have_value("")
    span.select_option(index=1)
    expect(since).to_have_value("")
    page.wait_for_url("**from=&**")


def test_what_goes_wrong_is_told_beside_what_is_shown_until_it_goes_well(
    browser: Browser,
    airflow: LocalAirflow,
    logged_in: Any,
    some_call: Callable[[str], dict[str, str]],
) -> None:
    some_call("constant_contact_lists")
    # Not in a window that calls every refusal a fault.
    with browser.new_context(base_url=airflow.url, storage_state=logged_in) as context:
        page = context.new_page()
        page.goto(CALLS)
        shown = page.locator("#found table")
        expect(shown).to_be_visible()
        status = page.get_by_label("status")
        status.fill("abc")
        status.press("Enter")
        expect(page.locator("#problem").get_by_role("alert")).to_be_visible()
        expect(shown).to_be_visible()
        status.fill("200")
        status.press("Enter")
        expect(page.get_by_role("alert")).to_have_count(0)
