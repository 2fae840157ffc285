"""What holds for every page in the menu: for those who see less, have no mouse, or a telephone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import accessible, beyond_the_keyboard, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser


def each_page(page: Page) -> Iterator[str]:
    """Opens one after the other; the menu names them, so that none is forgotten."""
    page.goto("/constant-contact/")
    names = page.get_by_role("banner").get_by_role("link").all_inner_texts()
    for name in names:
        page.goto("/constant-contact/")
        page.get_by_role("banner").get_by_role("link", name=name).click()
        expect(page).to_have_title(f"{name} · Constant Contact")
        yield name


def test_no_page_breaks_a_rule_of_accessibility(page: Page) -> None:
    found = []
    for name in each_page(page):
        found += [(name, each) for each in accessible(page)]
        if name == "Lists":
            screenshot(page, "lists")
    assert found == []


def test_every_control_is_reached_by_keyboard_and_shows_it(page: Page) -> None:
    assert [(name, each) for name in each_page(page) for each in beyond_the_keyboard(page)] == []


def test_no_page_is_wider_than_a_telephone(open_window: Callable[..., Page]) -> None:
    telephone = open_window(viewport={"width": 400, "height": 800})
    assert [name for name in each_page(telephone) if scrolls_sideways(telephone)] == []
