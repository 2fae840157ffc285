"""Too many opt-outs at once: seen on the overview, looked at, and released by a person."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.local_airflow import eventually
from tests.browser.looks import accessible, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser

OVERVIEW = "/constant-contact/"
# more than 100 and more than 5 % of those who are linked
TOO_MANY = 120
RELEASED_WITHIN_MS = 180_000

Rows = list[dict[str, Any]]


@pytest.fixture
def hold_id(crm_rows: Callable[..., Rows]) -> int:
    """The circuit breaker's stop of an import gone wrong in the CRM."""
    mailable = eventually(
        lambda: crm_rows(
            "SELECT crm.contact_id FROM crm_contact AS crm JOIN ctct_contact AS theirs"
            " ON theirs.contact_id = crm.constant_contact_id"
            " WHERE theirs.permission_to_send = 'implicit' AND NOT crm.do_not_email"
            " AND crm.contact_id !~ '-2$' ORDER BY crm.contact_id LIMIT %s",
            TOO_MANY,
        )
    )
    assert len(mailable) == TOO_MANY
    crm_rows(
        "WITH told AS (SELECT set_config('constant_contact.reason', 'Import of 22 November', TRUE))"
        " UPDATE crm_contact SET do_not_email = TRUE FROM told WHERE contact_id = ANY(%s)",
        [each["contact_id"] for each in mailable],
    )
    held = eventually(lambda: crm_rows("SELECT hold_id FROM ctct_hold WHERE answer IS NULL"))
    (hold,) = held
    return int(hold["hold_id"])


def test_a_hold_is_found_on_the_overview_and_released(
    page: Page, hold_id: int, crm_rows: Callable[..., Rows]
) -> None:
    page.goto(OVERVIEW)
    todo = page.get_by_role("region", name="Needs a person").get_by_role("listitem")
    held = todo.filter(has_text="held by the circuit breaker")
    expect(held).to_contain_text(f"{TOO_MANY} opt-outs are held")
    held.get_by_role("link", name="Opt-outs").click()
    expect(page.get_by_role("heading", name="Stopped by the circuit breaker")).to_be_visible()
    assert accessible(page) == []
    screenshot(page, "opt-outs")
    page.get_by_role("link", name="look and answer").click()
    expect(page.get_by_role("table")).to_contain_text("Import of 22 November")
    # the page asks for itself until Airflow has put the question
    approve = page.get_by_role("button", name=f"Approve: unsubscribe {TOO_MANY}")
    expect(approve).to_be_visible(timeout=RELEASED_WITHIN_MS)
    assert accessible(page) == []
    approve.click()
    expect(page.get_by_text("Approved by admin")).to_be_visible(timeout=RELEASED_WITHIN_MS)
    eventually(
        lambda: crm_rows(
            "SELECT 1 FROM crm_opt_out_change WHERE hold_id = %s AND status = 'done'", hold_id
        )
    )
    page.goto("/constant-contact/opt-outs?status=done")
    page.get_by_role("table").last.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert accessible(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert not scrolls_sideways(page)
