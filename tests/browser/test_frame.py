"""Our pages inside Airflow's: the menu, light and dark, times, the keyboard, the way out."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.frame import framed
from tests.browser.local_airflow import eventually

pytestmark = pytest.mark.browser

OVERVIEW = "/constant-contact/"
IN_FRAME = "/plugin/constant-contact"


def choose_appearance(page: Page, name: str) -> None:
    page.get_by_role("button", name="User").click()
    page.get_by_role("menuitem", name="Appearance").click()
    page.get_by_role("menuitemradio", name=name).click()


def test_the_menu_browse_opens_our_pages(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Constant Contact").click()
    expect(framed(page).get_by_role("heading", name="Overview")).to_be_visible()
    assert IN_FRAME in page.url


def test_a_page_in_the_frame_is_the_same_after_reloading(page: Page) -> None:
    page.goto(IN_FRAME)
    expect(framed(page).get_by_role("link", name="Overview")).to_have_attribute(
        "aria-current", "page"
    )
    page.reload()
    expect(framed(page).get_by_role("heading", name="Overview")).to_be_visible()


def test_our_pages_turn_dark_and_light_with_airflows(page: Page) -> None:
    page.goto(IN_FRAME)
    html = framed(page).locator("html")
    for mode, theme in (("Dark Mode", "dark"), ("Light Mode", "light")):
        choose_appearance(page, mode)
        expect(html).to_have_attribute("data-theme", theme)
        eventually(lambda: ground(html.locator("body")) == ground(page.locator("html")))
        page.keyboard.press("Escape")
    page.reload()
    expect(framed(page).locator("html")).to_have_attribute("data-theme", "light")


def ground(place: Locator) -> list[int]:
    """Its background's red, green and blue, in whatever notation it was written."""
    rgb: list[int] = place.evaluate(
        """element => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.fillStyle = getComputedStyle(element).backgroundColor;
            pen.fillRect(0, 0, 1, 1);
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return rgb


def test_times_are_in_the_zone_chosen_in_airflow(page: Page) -> None:
    page.goto(IN_FRAME)
    # when the budget's day ends: no run changes it
    shown = framed(page).locator(".forecast time").last
    moment = datetime.fromisoformat(str(shown.get_attribute("datetime")))
    utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    expect(shown).to_have_text(utc)
    page.get_by_role("button", name="+00:00").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("Adelaide")
    page.get_by_role("option", name=re.compile("Adelaide")).click()
    expect(shown).to_have_text(
        f"{moment.astimezone(ZoneInfo('Australia/Adelaide')):%Y-%m-%d %H:%M:%S}"
    )
    expect(shown).to_have_attribute("title", f"{utc} UTC")


def test_the_keyboard_reaches_the_content_and_the_pages(page: Page) -> None:
    page.goto(OVERVIEW)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    focused = page.locator(":focus")
    assert focused.evaluate("el => el.closest('nav') !== null")
    assert focused.evaluate("el => getComputedStyle(el).outlineStyle") == "solid"


def only_navigation(route: Route) -> None:
    """Leaves what a page asks for beside it without an answer."""
    if route.request.is_navigation_request():
        route.continue_()


def test_an_expired_session_says_so_and_leads_to_the_login(page: Page) -> None:
    page.goto(IN_FRAME)
    overview = framed(page).get_by_role("link", name="Overview")
    # Airflow's own page would notice, too, and leave for the login before us
    page.route(re.compile("/(ui|api/v2)/"), only_navigation)
    page.context.clear_cookies()
    overview.click()
    frame = framed(page)
    expect(frame.get_by_role("alert")).to_contain_text("You are not logged in to Airflow")
    frame.get_by_role("link", name="Log in to Airflow").click()
    expect(page.get_by_label("Username")).to_be_visible()
    assert page.locator("iframe").count() == 0
