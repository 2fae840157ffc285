"""The pages of lists: members on both sides, what is requested, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start
from tests.airflow.overview_page import table, text_of
from tests.airflow.site import Site
from tests.support import Rows

LISTS = "/constant-contact/lists"
MEMBERS = "SELECT list_id, membership_count FROM ctct_list WHERE deleted_at IS NULL"


@pytest.fixture
def account(simulator: Running, run_jobs: Callable[..., None]) -> Running:
    """Four lists, read whole and compared."""
    simulator.control.generate(seed=9, contacts=300, lists=4, campaigns=1, events=10)
    run_jobs("lists", "contacts", "links", "completeness")
    return simulator


@pytest.fixture
def request_row(sql_rows: Rows) -> Callable[..., None]:
    """Writes a request as it was left a while ago."""

    def add(contact: str, status: str, list_id: str, **columns: Any) -> None:
        columns = {
            "contact_id": contact, "status": status, "list_id": list_id, "action": "add",
        } | columns  # fmt: skip
        marks = ", ".join(["%s"] * len(columns))
        sql_rows(
            f"INSERT INTO crm_list_membership ({', '.join(columns)}, processed_at)"
            f" VALUES ({marks}, now())",
            *columns.values(),
        )

    return add


def listed(site: Site, query: str = "") -> list[list[str]]:
    """The cells of each list."""
    answer = site.get(f"{LISTS}{query}")
    assert answer.status == 200, answer.text
    return table(answer.text[: answer.text.index("</tbody>") + 1])


def test_each_list_stands_with_its_members_on_both_sides(
    site: Site, account: Running, sql_rows: Rows
) -> None:
    rows = listed(site)
    assert [row[1] for row in rows] == ["agree"] * 4
    counts = sorted(row["membership_count"] for row in sql_rows(MEMBERS))
    assert sorted(int(row[2]) for row in rows) == counts
    assert [row[4:8] for row in rows] == [["0", "0", "0", "0"]] * 4
    assert f"All 4 lists {sum(counts):,}" in text_of(site.get(LISTS).text)
    first = sql_rows(MEMBERS)[0]
    page = text_of(site.get(f"{LISTS}/{first['list_id']}").text)
    assert f"At Constant Contact {first['membership_count']}, read just now" in page
    assert "The CRM asked for no change of this list." in page


def test_a_list_that_differs_says_by_how_many_and_what_to_do(
    site: Site, account: Running, start_dag: Start, sql_rows: Rows
) -> None:
    (one, *_) = sql_rows(f"{MEMBERS} ORDER BY membership_count DESC")
    # nothing of it is of the last hours, or it would be on its way
    sql_rows(
        "UPDATE ctct_contact SET list_ids = '{}', updated_at = now() - interval '9 years',"
        " created_at = NULL, opt_in_date = NULL, opt_out_date = NULL, deleted_at = NULL"
    )
    assert start_dag("constant_contact_contacts").state == "success"
    _, state, vendors, ours, difference, *_ = listed(site, "?state=differ&sort=-difference")[0]
    # what changed since the contacts were read was read again
    assert (state, vendors, int(ours) < 5) == ("differ", str(one["membership_count"]), True)
    assert difference == f"+{int(vendors) - int(ours)}"
    page = text_of(site.get(f"{LISTS}/{one['list_id']}").text)
    assert "Another number after all contacts were read, found just now : run lists, then" in page


def test_lists_are_sorted_and_filtered_by_the_address(site: Site, account: Running) -> None:
    names = [row[0] for row in listed(site)]
    assert names == sorted(names)
    assert [row[0] for row in listed(site, "?sort=-name")] == names[::-1]
    assert [row[0] for row in listed(site, f"?search={names[2].upper()}")] == [names[2]]
    members = [int(row[2]) for row in listed(site, "?sort=-vendor_members")]
    assert members == sorted(members, reverse=True)
    nothing = site.get(f"{LISTS}?state=not+compared").text
    assert "No list is like this." in nothing
    refused = site.get(f"{LISTS}?sort=password")
    assert (refused.status, "sort must be one of name" in refused.text) == (422, True)


def test_what_is_requested_and_refused_is_counted_with_its_reasons(
    site: Site, account: Running, sql_rows: Rows, request_row: Callable[..., None]
) -> None:
    one, other, *_ = sorted(row["list_id"] for row in sql_rows(MEMBERS))
    for number in range(3):
        request_row(f"r{number}", "rejected", one, detail="The contact unsubscribed.")
    request_row("f1", "failed", one, detail="Constant Contact did not answer.")
    request_row("f2", "rejected", other, detail="The contact unsubscribed.")
    request_row("p1", "pending", one)
    request_row("p2", "pending", one, action="remove")
    request_row("h1", "held", one, action="remove")
    request_row("d1", "done", one)
    assert listed(site, "?sort=-refused")[0][5:8] == ["1", "1 1 held", "4"]
    shown = site.get(LISTS).text
    assert table(shown)[0][:3] == ["The contact unsubscribed.", "rejected", "4"]
    page = site.get(f"{LISTS}/{one}").text
    assert "1 to add, 1 to remove, 1 held by the circuit breaker" in text_of(page)
    lately = table(page[: page.index("</tbody>") + 1])
    assert lately[0][:3] == ["add", "rejected", "3"]
    assert f'href="/constant-contact/memberships?status=rejected&amp;list_id={one}"' in page
    assert "Constant Contact did not answer." in page


def test_requests_of_a_list_are_counted_no_further_than_is_told(
    site: Site, account: Running, sql_rows: Rows, request_row: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from constant_contact.web.lists import lists

    monkeypatch.setattr(lists, "MOST_COUNTED", 3)
    one, other, *_ = sorted(row["list_id"] for row in sql_rows(MEMBERS))
    for number in range(2):
        request_row(f"old{number}", "rejected", one, detail="Old.", requested_at="2026-01-01")
    assert listed(site, "?sort=-refused")[0][5:8] == ["0", "0", "2"]
    for number in range(9):
        request_row(f"new{number}", "rejected", other, detail="New.")
    assert [row[7] for row in listed(site, "?sort=-refused")] == ["3+", "0+", "0+", "0+"]
    shown = site.get(LISTS).text
    assert table(shown)[0][:3] == ["New.", "rejected", "3"]
    assert "Counted among the newest 3 requests of each status." in shown
    # of its own requests alone
    page = site.get(f"{LISTS}/{one}").text
    assert "Old. rejected 2" in text_of(page)
    assert "Counted among" not in page
    assert "Counted among" in site.get(f"{LISTS}/{other}").text


def test_a_list_that_is_not_there_is_told_as_such(site: Site, connections: Any) -> None:
    answer = site.get(f"{LISTS}/none")
    assert (answer.status, "There is no list none at Constant Contact" in answer.text) == (
        404,
        True,
    )
    assert "No list is known here yet" in site.get(LISTS).text


def test_a_count_that_would_read_a_million_rows_ends_early(
    site: Site, connections: Any, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.frame import pages
    from constant_contact.web.people import memberships

    for module in (pages, memberships):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, status)"
        " SELECT 'c' || n, 'a list', 'done' FROM generate_series(1, 9) AS n"
    )
    shown = text_of(site.get("/constant-contact/memberships").text)
    assert "failed 0 rejected 0 done 2+" in shown
