"""Campaigns: from the list to one of them, to who did what, and on to one contact."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.local_airflow import eventually
from tests.browser.looks import accessible, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser

CAMPAIGNS = "/constant-contact/campaigns"
#: what the comparison of the first night leaves, on two cores
_COMPARED = "SELECT 1 FROM ctct_campaign_count WHERE activity_type = 'open' AND automatic > 0"


@pytest.fixture
def compared(crm_rows: Callable[..., list[dict[str, Any]]]) -> None:
    """The first run of activities is over."""
    eventually(lambda: crm_rows(_COMPARED))


@pytest.mark.usefixtures("compared")
def test_a_marketer_finds_who_clicked_in_four_clicks(page: Page) -> None:
    page.goto("/constant-contact/")
    page.get_by_role("banner").get_by_role("link", name="Campaigns").click()
    page.get_by_role("columnheader", name="Clicks").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=-clicks"))
    expect(page.get_by_role("columnheader", name="Clicks")).to_have_attribute(
        "aria-sort", "descending"
    )
    screenshot(page, "campaigns")
    page.locator("tbody tr").first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Links by clicks")).to_be_visible()
    assert accessible(page) == []
    assert not scrolls_sideways(page)
    screenshot(page, "campaign")
    page.get_by_role("link", name="Who: clicks").click()
    expect(page.locator("tbody tr").first).to_contain_text("Clicked")
    assert accessible(page) == []


@pytest.mark.usefixtures("compared")
def test_one_campaign_fits_a_telephone(open_window: Callable[..., Page]) -> None:
    telephone = open_window(viewport={"width": 400, "height": 800})
    telephone.goto(CAMPAIGNS)
    telephone.locator("tbody tr").first.get_by_role("link").click()
    expect(telephone.get_by_role("heading", name="Engagement by day")).to_be_visible()
    assert not scrolls_sideways(telephone)
    telephone.get_by_role("link", name="Who: sends").click()
    expect(telephone.get_by_role("heading", level=1)).to_contain_text("Sends of")
    assert not scrolls_sideways(telephone)
