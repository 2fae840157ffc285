"""The overview: a sync started by hand and watched to its end, with and without scripts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.frame import framed
from tests.browser.local_airflow import eventually
from tests.browser.looks import screenshot

pytestmark = pytest.mark.browser

OVERVIEW = "/constant-contact/"
IN_FRAME = "/plugin/constant-contact"
RUN_WITHIN_MS = 180_000
BY_HAND = re.compile("/runs/manual__")


def row_of(page: Page | FrameLocator, sync: str) -> Locator:
    header = page.get_by_role("rowheader", name=sync, exact=True)
    return page.get_by_role("row").filter(has=header)


def test_sync_now_starts_a_run_and_shows_how_it_ends(page: Page) -> None:
    page.goto(IN_FRAME)
    lists = row_of(framed(page), "Lists")
    button = lists.get_by_role("button", name="Run now: lists")
    # the first one since Airflow is up may be under way
    expect(button).to_be_enabled(timeout=RUN_WITHIN_MS)
    button.click()
    expect(button).to_be_disabled()
    run = lists.get_by_role("link", name="run")
    expect(run).to_have_attribute("href", BY_HAND)
    # no click and no reload: the row asks for itself
    expect(lists.locator(".badge")).to_have_text("success", timeout=RUN_WITHIN_MS)
    expect(lists).to_contain_text("read 12")
    expect(button).to_be_enabled()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(framed(page).locator("html")).to_have_attribute("data-theme", theme)
        screenshot(page, f"overview-{theme}")
    run.click()
    # Airflow's own page takes the place of the frame
    page.wait_for_url(BY_HAND)
    expect(page.locator("iframe")).to_have_count(0)


def test_a_sync_is_started_without_scripts_too(open_window: Callable[..., Page]) -> None:
    page = open_window(java_script_enabled=False)
    button = page.get_by_role("button", name="Run now: retention")

    def is_offered() -> bool:
        page.goto(OVERVIEW)
        return button.is_enabled()

    eventually(is_offered)
    button.click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(row_of(page, "Retention").get_by_role("link", name="run")).to_have_attribute(
        "href", BY_HAND
    )
    # times are in UTC then, and say so
    expect(page.locator("time:not([data-ago])").first).to_contain_text(" UTC")
    expect(page.locator("time[data-ago]").first).to_have_attribute("title", re.compile(" UTC$"))
