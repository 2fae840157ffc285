"""The connection: authorized on the vendor's consent page, and moved to another application."""

import re

import pytest
from playwright.sync_api import Page, expect

from simulator.control import Control
from tests.browser.frame import framed
from tests.browser.looks import accessible, screenshot
from tests.support import UNLIMITED

pytestmark = pytest.mark.browser

CONNECTION = "/constant-contact/connection"
IN_FRAME = f"/plugin/constant-contact{CONNECTION}"
CONSENT = re.compile("/oauth2/default/v1/authorize")
NEW_KEY, NEW_SECRET = "another-api-key-1234", "another-secret"


def answer_consent(page: Page, button: str) -> None:
    """On the vendor's page, which only a person sees."""
    page.get_by_role("link", name="Continue at Constant Contact").click()
    page.wait_for_url(CONSENT)
    page.get_by_role("button", name=button).click()


def test_a_person_authorizes_from_the_frame_and_comes_back(page: Page) -> None:
    page.goto(IN_FRAME)
    frame = framed(page)
    frame.get_by_role("button", name="Authorize…").click()
    frame.get_by_role("link", name="Continue at Constant Contact").click()
    # the vendor's page stands alone: no frame of ours may hold it
    page.wait_for_url(CONSENT)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("status")).to_contain_text("Constant Contact gave access")
    expect(page.get_by_text(re.compile("by admin$"))).to_be_visible()
    expect(page).to_have_url(CONNECTION)
    page.get_by_role("button", name="Ask Constant Contact now").click()
    expect(page.get_by_role("status")).to_contain_text("Constant Contact answers")
    assert accessible(page) == []
    page.goto(IN_FRAME)
    framed(page)
    screenshot(page, "connection")


def test_a_refusal_changes_nothing_and_says_so(page: Page) -> None:
    page.goto(CONNECTION)
    authorized = page.get_by_role("definition").nth(1)
    before = authorized.inner_text()
    page.get_by_role("button", name="Authorize…").click()
    answer_consent(page, "Deny")
    expect(page.get_by_role("alert")).to_contain_text("did not give access")
    assert accessible(page) == []
    page.get_by_role("link", name="Try again").click()
    expect(authorized).to_have_text(before)


def test_a_check_is_started_from_the_connection_and_read_when_it_has_ended(page: Page) -> None:
    page.goto(CONNECTION)
    page.get_by_role("link", name="Check", exact=True).click()
    page.get_by_role("button", name="Check now").click()
    # the scheduler and a task are in between
    followed = page.locator("#follow")
    expect(followed.get_by_role("heading", name="The CRM's database")).to_be_visible(
        timeout=120_000
    )
    expect(followed.get_by_text("success", exact=True)).to_be_visible(timeout=120_000)
    assert accessible(page) == []
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download").click()
    assert downloaded.value.path().read_text(encoding="utf-8").startswith("# Check of ")


def test_an_application_is_replaced_by_another_that_was_tried_first(
    page: Page, vendor: Control
) -> None:
    vendor.settings(other_applications={NEW_KEY: NEW_SECRET})
    # no person clicks so fast; and the simulator counts the calls of both applications together
    vendor.limits(**UNLIMITED)
    page.goto(CONNECTION)
    page.get_by_role("link", name="Replace credentials…").click()
    assert accessible(page) == []
    page.get_by_label("API key").fill(NEW_KEY)
    page.get_by_label("Client secret").fill(NEW_SECRET)
    page.get_by_role("button", name="Check and keep").click()
    page.get_by_role("button", name="Authorize…").click()
    answer_consent(page, "Allow")
    page.get_by_role("button", name="Test and take over").click()
    expect(page.get_by_role("status")).to_contain_text("the jobs use it from now on")
    page.goto(CONNECTION)
    expect(page.get_by_text("…1234")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
