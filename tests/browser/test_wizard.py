"""The wizard: a list, contacts for it, what would become of them, and what became of them."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.local_airflow import eventually
from tests.browser.looks import accessible, beyond_the_keyboard, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser

MEMBERSHIPS = "/constant-contact/memberships"
DONE_WITHIN_MS = 240_000
WANTED = 12

Rows = list[dict[str, Any]]


@pytest.fixture
def a_list(crm_rows: Callable[..., Rows]) -> dict[str, Any]:
    """The smallest, once lists are read and contacts linked."""
    found = eventually(
        lambda: crm_rows(
            "SELECT list_id, name FROM ctct_list WHERE deleted_at IS NULL"
            " AND EXISTS (SELECT FROM crm_contact WHERE constant_contact_id IS NOT NULL)"
            " ORDER BY membership_count, list_id LIMIT 1"
        )
    )
    return found[0]


@pytest.fixture
def some_contacts(a_list: dict[str, Any], crm_rows: Callable[..., Rows]) -> list[str]:
    """Ids of mailable contacts of the CRM who are not on it."""
    found = crm_rows(
        "SELECT crm.contact_id FROM crm_contact AS crm JOIN ctct_contact AS theirs"
        " ON theirs.contact_id = crm.constant_contact_id"
        " WHERE theirs.permission_to_send = 'implicit' AND NOT crm.do_not_email"
        " AND NOT %s = ANY(coalesce(theirs.list_ids, '{}')) AND crm.contact_id !~ '-2$'"
        " ORDER BY crm.contact_id DESC LIMIT %s",
        str(a_list["list_id"]),
        WANTED,
    )
    assert len(found) == WANTED
    return [each["contact_id"] for each in found]


def test_contacts_are_put_on_a_list_as_foretold(
    page: Page, a_list: dict[str, Any], some_contacts: list[str]
) -> None:
    page.goto(MEMBERSHIPS)
    page.get_by_role("link", name="Add or remove contacts…").click()
    assert accessible(page) == []
    page.get_by_label("List", exact=True).select_option(str(a_list["list_id"]))
    page.get_by_label("or among these ids").fill("\n".join([*some_contacts, "NOBODY"]))
    page.get_by_role("button", name="Find").click()

    shown = page.get_by_role("main")
    expect(shown).to_contain_text(f"Contacts of the CRM that were found: {WANTED}")
    expect(shown).to_contain_text("ids that were not: 1")
    foretold = page.get_by_role("region", name="What would become of them")
    expect(foretold).to_contain_text(f"Of {WANTED} contacts {WANTED} would be put on the list")
    # who is not ticked is left out, and the forecast follows
    page.get_by_role("checkbox").first.uncheck()
    expect(foretold).to_contain_text(f"1 of {WANTED} are left out")
    assert accessible(page) == []
    assert beyond_the_keyboard(page) == []
    screenshot(page, "wizard")
    foretold.get_by_role("button", name=f"Request it for {WANTED - 1} contacts").click()

    # no click and no reload: the page asks for itself
    outcome = page.get_by_role("row").filter(has=page.locator(".badge.done"))
    expect(outcome.get_by_role("cell").first).to_have_text(str(WANTED - 1), timeout=DONE_WITHIN_MS)
    expect(page.get_by_text("Nothing changed since the forecast.")).to_be_visible()
    assert accessible(page) == []
    page.get_by_role("main").get_by_role("link", name="Memberships", exact=True).click()
    expect(page.get_by_role("table").last).to_contain_text(some_contacts[0])
    assert accessible(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert not scrolls_sideways(page)


def test_a_search_is_saved_and_found_again_in_a_narrow_frame(
    open_window: Callable[..., Page], a_list: dict[str, Any]
) -> None:
    narrow = open_window(viewport={"width": 400, "height": 800})
    narrow.goto(f"{MEMBERSHIPS}/new")
    narrow.get_by_label("List", exact=True).select_option(str(a_list["list_id"]))
    narrow.get_by_label("Part of a name").fill("an")
    narrow.get_by_label("Name of the search").fill("Names with an")
    narrow.get_by_role("button", name="Save this search").click()
    narrow.goto(f"{MEMBERSHIPS}/new")
    expect(narrow.get_by_label("Part of a name")).to_have_value("")
    narrow.get_by_role("link", name="Names with an").click()
    expect(narrow.get_by_label("Part of a name")).to_have_value("an")
    expect(narrow.get_by_label("List", exact=True)).to_have_value(str(a_list["list_id"]))
    assert accessible(narrow) == []
    assert beyond_the_keyboard(narrow) == []
    assert not scrolls_sideways(narrow)
    narrow.get_by_role("button", name="Delete this search").click()
    expect(narrow.get_by_role("link", name="Names with an")).to_have_count(0)
