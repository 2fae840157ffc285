"""The page about memberships: what became of each request, and another try."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts
from simulator.server import Running
from tests.airflow.overview_page import table
from tests.airflow.site import Site
from tests.support import Add, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id

PAGE = "/constant-contact/memberships"
NEWS = list_id(1)


@pytest.fixture
def lists(connections: pytest.MonkeyPatch, sql_rows: Rows) -> None:
    for number, name in ((1, "News"), (2, "<b>Sport</b>")):
        sql_rows(
            "INSERT INTO ctct_list (list_id, name, membership_count, mirrored_at)"
            " VALUES (%s, %s, 7, now())",
            list_id(number),
            name,
        )


@pytest.fixture
def request_row(sql_rows: Rows) -> Add:
    """Writes a request as it was left so many minutes ago."""

    def add(
        contact: str, status: str, *, number: int = 1, action: str = "add", minutes: int = 0
    ) -> None:
        sql_rows(
            "INSERT INTO crm_list_membership"
            " (contact_id, list_id, action, status, detail, requested_at)"
            " VALUES (%s, %s, %s, %s, %s, now() - make_interval(mins => %s))",
            contact, list_id(number), action, status, f"is {status}", minutes,
        )  # fmt: skip

    return add


def status_of(sql_rows: Rows, contact: str) -> str:
    (row,) = sql_rows("SELECT status FROM crm_list_membership WHERE contact_id = %s", contact)
    return str(row["status"])


def section_of(site: Site, query: str) -> str:
    """The requests that an address shows, as HTML."""
    answer = site.get(f"{PAGE}?{query}")
    assert answer.status == 200, answer.text
    return answer.text[answer.text.index('<section aria-labelledby="requests">') :]


def test_without_requests_the_page_says_so(site: Site, lists: None) -> None:
    body = site.get(PAGE).text
    assert "The CRM has requested no membership yet" in body
    assert "No bulk job has changed a membership lately" in body


def test_a_crm_that_is_away_shows_as_such(site: Site, connections: pytest.MonkeyPatch) -> None:
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    for path in (PAGE, f"{PAGE}/new"):
        answer = site.get(path, "OP")
        assert (answer.status, "the CRM database does not answer" in answer.text) == (503, True)


def test_requests_are_filtered_by_status_list_and_action(
    site: Site, lists: None, request_row: Add, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com", first_name="<script>x</script>")
    request_row("c1", "rejected")
    request_row("c2", "done", number=2)
    request_row("c3", "done", action="remove")
    body = site.get(PAGE).text
    assert "<script>x" not in body
    assert "<b>Sport" not in body
    assert "&lt;b&gt;Sport&lt;/b&gt;" in body
    assert "ann@example.com" not in body
    assert 'done <span class="count">2</span>' in body

    def shown(query: str) -> set[str]:
        return set(re.findall(r"\b(c[123])\b", site.get(f"{PAGE}?{query}").text))

    assert shown("status=done") == {"c2", "c3"}
    assert shown(f"list_id={NEWS}") == {"c1", "c3"}
    assert shown("action=remove") == {"c3"}
    assert shown(f"status=done&list_id={NEWS}&action=remove") == {"c3"}
    assert "No request is like this." in site.get(f"{PAGE}?status=failed").text


def test_pages_of_requests_meet_without_gap_or_overlap_even_at_one_time(
    site: Site, lists: None, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id)"
        " SELECT 'p' || lpad(n::text, 3, '0'), %s FROM generate_series(1, 120) n",
        NEWS,
    )
    path, seen = f"{PAGE}?list_id={NEWS}", []
    while path:
        body = site.get(path).text
        seen += re.findall(r"<td>(p\d+)</td>", body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"p{number:03}" for number in range(120, 0, -1)]


def test_requests_are_sorted_by_their_address(
    site: Site, lists: None, request_row: Add, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_link (contact_id, first_name) VALUES ('c1', 'Zoe'), ('c2', 'Ann')")
    request_row("c1", "done", minutes=3)
    request_row("c2", "rejected", minutes=2, number=2)
    request_row("c3", "done", minutes=1, action="remove")

    def shown(query: str) -> list[str]:
        return [row[0].split()[-1] for row in table(section_of(site, query))]

    assert shown("") == shown("sort=-requested_at") == ["c3", "c2", "c1"]
    assert shown("sort=requested_at") == ["c1", "c2", "c3"]
    assert shown("sort=name") == ["c2", "c1", "c3"]
    assert shown("sort=-name") == ["c1", "c2", "c3"]
    assert shown("sort=list_name") == ["c2", "c3", "c1"]
    assert shown("sort=status&action=add") == ["c1", "c2"]
    body = site.get(f"{PAGE}?list_id={NEWS}&status=done&sort=name").text
    assert f'href="{PAGE}?status=done&amp;list_id={NEWS}&amp;sort=-name"' in body
    assert f'href="{PAGE}?status=held&amp;list_id={NEWS}&amp;sort=name"' in body
    assert '<input type="hidden" name="status" value="done">' in body
    assert '<input type="hidden" name="sort" value="name">' in body


def test_of_many_requests_the_newest_are_sorted(
    site: Site, lists: None, request_row: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.people.memberships import RequestFilter

    monkeypatch.setattr(RequestFilter, "most_sorted", 2)
    for number in (1, 2, 3):
        request_row(f"c{number}", ("pending", "failed", "done")[number - 1], minutes=4 - number)
    body = section_of(site, "sort=-status")
    assert re.findall(r"<td>(c\d)</td>", body) == ["c2", "c3"]
    assert "The newest 2 requests of this filter, sorted" in body
    assert "1 to 2 of the newest 2 requests" in body


@pytest.mark.parametrize("sort", ["", "sort=requested_at"])
def test_a_page_leads_to_the_one_before_it_too(
    site: Site, lists: None, sql_rows: Rows, sort: str
) -> None:
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id)"
        " SELECT lpad(n::text, 3, '0') || '@crm.example', %s FROM generate_series(1, 120) n",
        NEWS,
    )

    def page_of(query: str) -> tuple[list[str], dict[str, str]]:
        body = section_of(site, query)
        links = re.findall(r'rel="(prev|next)" href="[^"]+?\?([^"]*)"', body)
        return (
            re.findall(r"<td>(\d+)@crm", body),
            {rel: each.replace("&amp;", "&") for rel, each in links},
        )

    first, links = page_of(sort)
    assert list(links) == ["next"]
    second, links = page_of(links["next"])
    third, of_third = page_of(links["next"])
    assert sorted(first + second + third) == [f"{n:03}" for n in range(1, 121)]
    assert list(of_third) == ["prev"]
    assert page_of(of_third["prev"])[0] == second
    assert page_of(links["prev"])[0] == first


@pytest.mark.parametrize(
    "query",
    ["sort=password", "status=odd", "action=odd", "before=x", 'after=["2026-01-01T00:00Z","c"]'],
)
def test_what_an_address_asks_for_wrongly_is_told(site: Site, lists: None, query: str) -> None:
    assert site.get(f"{PAGE}?{query}").status == 422


def test_a_bulk_call_under_way_is_followed(site: Site, lists: None, sql_rows: Rows) -> None:
    sql_rows(
        "INSERT INTO ctct_bulk_activity (kind, list_ids, contacts, state, vendor_state, counts)"
        " VALUES ('add', %s, 480, 'queued', 'processing', '{\"items_total\": 480}')",
        [NEWS],
    )
    body = site.get(PAGE).text
    assert "items total: 480" in body
    assert 'hx-trigger="every 5s"' in body
    sql_rows("UPDATE ctct_bulk_activity SET state = 'done'")
    assert "hx-trigger" not in site.get(PAGE).text


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_an_unmet_request_is_tried_again_by_itself_or_with_its_like(
    site: Site, lists: None, request_row: Add, sql_rows: Rows, status: str
) -> None:
    for contact in ("c1", "c2", "c3"):
        request_row(contact, status)
    request_row("c4", status, number=2)
    request_row("c5", "done")
    one = site.post(f"{PAGE}/retry", contact_id="c1", list_id=NEWS)
    assert one.headers["location"] == f"{PAGE}?retried=1"
    assert [status_of(sql_rows, each) for each in ("c1", "c2")] == ["pending", status]
    rest = site.post(f"{PAGE}/retry", status=status, list_id=NEWS)
    assert rest.headers["location"] == f"{PAGE}?list_id={NEWS}&retried=2"
    assert "2 requests are tried again" in site.get(rest.headers["location"]).text
    left = [status_of(sql_rows, each) for each in ("c2", "c3", "c4", "c5")]
    assert left == ["pending", "pending", status, "done"]


@pytest.mark.parametrize("status", ["pending", "held", "done"])
def test_what_is_not_unmet_is_left_alone(
    site: Site, lists: None, request_row: Add, sql_rows: Rows, status: str
) -> None:
    request_row("c1", status)
    assert site.post(f"{PAGE}/retry", contact_id="c1", list_id=NEWS).status == 409
    assert status_of(sql_rows, "c1") == status


@pytest.mark.parametrize("how", ["link", "address"])
@pytest.mark.parametrize(
    ("newer", "answer", "status"),
    [("remove", 409, "failed"), ("add", 303, "pending"), (None, 303, "pending")],
)
def test_an_old_wish_never_overrules_a_newer_one_for_the_same_person(
    site: Site,
    lists: None,
    request_row: Add,
    add_crm_contact: Add,
    sql_rows: Rows,
    crm: Database,
    how: str,
    newer: str | None,
    answer: int,
    status: str,
) -> None:
    link, addresses = (
        (contact_id(1), ("a@example.com", "b@example.com"))
        if how == "link"
        else (None, ("Ann@example.com ", "ann@EXAMPLE.com"))
    )
    for contact, address in zip(("c1", "c2"), addresses, strict=True):
        add_crm_contact(contact, address, constant_contact_id=link)
    see_contacts(crm)
    request_row("c1", "failed", minutes=60)
    if newer:
        request_row("c2", "done", action=newer, minutes=5)
    assert site.post(f"{PAGE}/retry", contact_id="c1", list_id=NEWS).status == answer
    assert status_of(sql_rows, "c1") == status


def test_a_viewer_has_no_buttons(site: Site, lists: None, request_row: Add) -> None:
    request_row("c1", "failed")
    body = site.get(f"{PAGE}?status=failed").text
    assert 'method="post"' not in body
    assert f"{PAGE}/new" not in body
    assert site.get(f"{PAGE}/new").status == 403
    assert 'method="post"' in site.get(f"{PAGE}?status=failed", "OP").text


def test_who_says_no_is_refused_again_when_tried_again(
    site: Site,
    simulator: Running,
    connections: pytest.MonkeyPatch,
    start_dag: Callable[..., Any],
    add_crm_contact: Add,
    request_row: Add,
    sql_rows: Rows,
) -> None:
    simulator.control.load(
        lists=[{"list_id": NEWS, "name": "News"}], contacts=[vendor_contact(1, "ann@example.com")]
    )
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1), do_not_email=True)
    request_row("c1", "rejected")
    assert site.post(f"{PAGE}/retry", contact_id="c1", list_id=NEWS).status == 303
    start_dag("constant_contact_list_memberships")
    assert status_of(sql_rows, "c1") == "rejected"
    assert simulator.control.truth_contact(contact_id(1))["lists"] == []
