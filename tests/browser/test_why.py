"""Why?: from a person's address to what is known on both sides and why a list does without them."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.local_airflow import eventually
from tests.browser.looks import accessible, screenshot

pytestmark = pytest.mark.browser

WHY = "/constant-contact/why"


@pytest.fixture
def known_contact(crm_rows: Callable[..., list[dict[str, Any]]]) -> dict[str, Any]:
    """Return a linked contact with a history, once the first nightly runs are through."""
    found = eventually(
        lambda: crm_rows(
            "SELECT contact_id, preferred_email FROM crm_contact AS contact"
            " WHERE EXISTS (SELECT FROM crm_interaction AS interaction"
            " WHERE interaction.contact_id = contact.contact_id AND activity_type = 'click')"
            " ORDER BY contact_id LIMIT 1"
        )
    )
    return found[0]


def test_a_person_is_found_by_address_and_a_list_explained(
    page: Page, known_contact: dict[str, Any]
) -> None:
    page.goto(WHY)
    assert accessible(page) == []
    page.get_by_label("Name, id or email address").fill(known_contact["preferred_email"])
    page.get_by_role("button", name="Find").click()
    found = page.get_by_role("link", name=f"({known_contact['contact_id']})")
    expect(found).to_be_visible()
    # an address would stay in histories and logs
    assert "@" not in page.url
    assert "%40" not in page.url
    found.click()
    expect(page.get_by_role("cell", name=known_contact["preferred_email"]).first).to_be_visible()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Clicked")
    page.get_by_role("combobox").select_option(index=1)
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("status")).to_contain_text("on th")
    assert accessible(page) == []
    screenshot(page, "why")
    page.emulate_media(media="print")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Clicked")


def test_a_name_that_is_half_typed_suggests_who_may_be_meant(
    page: Page, known_contact: dict[str, Any], crm_rows: Callable[..., list[dict[str, Any]]]
) -> None:
    (named,) = crm_rows(
        "SELECT last_name FROM crm_contact WHERE contact_id = %s", known_contact["contact_id"]
    )
    page.goto(WHY)
    page.get_by_label("Name, id or email address").press_sequentially(named["last_name"][:4])
    suggested = page.locator("#suggestions").get_by_role("link")
    expect(suggested.first).to_contain_text(named["last_name"][:4])
    suggested.first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_an_unknown_person_is_told_as_that(page: Page) -> None:
    page.goto(WHY)
    page.get_by_label("Name, id or email address").fill("nobody@example.org")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("The CRM has no contact with this id or address")).to_be_visible()
    page.goto(f"{WHY}?contact_id=nobody")
    expect(page.get_by_role("alert")).to_contain_text("The CRM has no contact with the id nobody")
