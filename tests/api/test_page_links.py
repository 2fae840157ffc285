"""Page links that a gateway rewrote: few calls, no row of another listing, no early end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from constant_contact.api.client import Client, Page
from constant_contact.api.page_links import MOST_WITHOUT_NEW_ROWS
from constant_contact.errors import ContractBroken, DeadCursor
from constant_contact.sync.paging import restarting
from simulator.server import Running
from tests.gateway import Gateway, gateway, href_of

ALL = {"status": "all", "limit": 10}


@pytest.fixture
def between(simulator: Running, client: Client) -> Iterator[Gateway]:
    """A gateway that the client calls; 30 contacts are behind it."""
    simulator.control.generate(seed=1, contacts=30, lists=1, campaigns=0, events=0)
    with gateway(simulator.url) as running:
        client._settings = replace(client._settings, base_url=running.url)
        yield running


def contact_ids(pages: Iterator[Page]) -> list[str]:
    return [row["contact_id"] for page in pages for row in page.rows("contacts")]


def relinked(change: Callable[[str], Any]) -> Callable[[str, dict[str, Any]], None]:
    """Each page link is changed; what `change` returns stands for `_links`."""

    def changed(_path: str, body: dict[str, Any]) -> None:
        if href := href_of(body):
            body["_links"] = change(href)

    return changed


def next_to(href: Any) -> dict[str, Any]:
    return {"next": {"href": href}}


@pytest.mark.parametrize(
    "change",
    [
        lambda href: next_to(href.replace("?", "?&amp;")),
        lambda href: next_to(href.replace("?", "?&amp;amp;amp;")),
        lambda href: next_to(f"{href}#top"),
        lambda href: next_to(f" {href}\n"),
        lambda href: next_to(f"http://127.0.0.1:1{href}"),
        lambda href: next_to(href.replace("/v3/contacts", "/V3/Contacts/")),
        lambda href: next_to(href.replace("contacts", "%63ontacts")),
        lambda href: {"Next": {"HREF": href}},
        lambda href: {"next": href},
    ],
)
def test_a_link_is_followed_whatever_became_of_its_spelling(
    between: Gateway, client: Client, change: Callable[[str], Any]
) -> None:
    between.change = relinked(change)
    assert len(set(contact_ids(client.pages("/contacts", ALL)))) == 30
    assert len(between.asked) == 3


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (next_to("/v3/emails?cursor=x"), r"another listing \(/v3/emails\)"),
        (next_to("/v3/contacts/sms?cursor=x"), "another listing"),
        (next_to("https://elsewhere.example/v3/contacts?cursor=x"), "another host"),
        (next_to("https://127.0.0.1@elsewhere.example/v3/contacts?cursor=x"), "another host"),
        (next_to("//elsewhere.example/v3/contacts?cursor=x"), "another host"),
        (next_to("http://[::1/v3/contacts?cursor=x"), "no URL"),
        (next_to(7), "no text but int"),
        ({"next": [{"href": "/v3/contacts?cursor=x"}]}, "no text but list"),
        ([{"rel": "next", "href": "/v3/contacts?cursor=x"}], "no text but list"),
    ],
)
def test_a_link_that_is_none_of_the_listings_is_not_followed(
    between: Gateway, client: Client, links: Any, said: str
) -> None:
    between.change = relinked(lambda _: links)
    with pytest.raises(ContractBroken, match=rf"GET /v3/contacts\?.*{said}.*run the check"):
        contact_ids(restarting(lambda: client.pages("/contacts", ALL)))
    assert len(between.asked) == 1


@pytest.mark.parametrize(
    "links", [None, {}, {"next": None}, {"next": {}}, next_to(None), next_to("")]
)
def test_a_page_without_a_link_is_the_last(between: Gateway, client: Client, links: Any) -> None:
    between.change = relinked(lambda _: links)
    assert len(contact_ids(client.pages("/contacts", ALL))) == 10


@pytest.mark.parametrize("is_empty", [True, False])
def test_pages_that_lead_on_without_a_new_row_come_to_an_end(
    between: Gateway, client: Client, is_empty: bool
) -> None:
    numbers = count()

    def lead_on(path: str, body: dict[str, Any]) -> None:
        if href_of(body) is None:
            further = f"/v3/contacts?cursor={next(numbers)}"
            between.aliases[further] = between.aliases.get(path, path)
            body["_links"] = next_to(further)
            if is_empty:
                body["contacts"] = []

    between.change = lead_on
    with pytest.raises(ContractBroken, match=r"GET /v3/contacts\?cursor=\d+: 10 pages.* link to a"):
        contact_ids(restarting(lambda: client.pages("/contacts", ALL)))
    assert len(between.asked) <= 3 + MOST_WITHOUT_NEW_ROWS


def test_a_circle_of_ever_new_links_comes_to_an_end(between: Gateway, client: Client) -> None:
    numbers = count()

    def begin_again(_path: str, body: dict[str, Any]) -> None:
        further = f"/v3/contacts?cursor={next(numbers)}"
        between.aliases[further] = href_of(body) or "/v3/contacts?status=all&limit=10"
        body["_links"] = next_to(further)

    between.change = begin_again
    with pytest.raises(ContractBroken, match="10 pages, one after the other"):
        contact_ids(restarting(lambda: client.pages("/contacts", ALL)))
    assert len(between.asked) <= 3 + MOST_WITHOUT_NEW_ROWS


def test_a_few_empty_pages_lose_nothing(between: Gateway, client: Client) -> None:
    numbers = count(1)

    def put_off(path: str, body: dict[str, Any]) -> None:
        if href_of(body) is None and (number := next(numbers)) < MOST_WITHOUT_NEW_ROWS:
            further = f"/v3/contacts?cursor={number}"
            between.aliases[further] = between.aliases.get(path, path)
            body["_links"] = next_to(further)
            body["contacts"] = []

    between.change = put_off
    assert len(set(contact_ids(client.pages("/contacts", ALL)))) == 30


@pytest.mark.parametrize("kept", ["", "?limit=10", "?status=all", "?limit=10&status=all"])
def test_a_link_that_lost_its_cursor_reads_nothing_again(
    between: Gateway, client: Client, kept: str
) -> None:
    between.change = relinked(lambda href: next_to(href.partition("?")[0] + kept))
    with pytest.raises(ContractBroken, match="read already; the listing was begun 4 times"):
        contact_ids(restarting(lambda: client.pages("/contacts", ALL)))
    assert len(between.asked) == 4


def test_a_link_that_always_dies_ends_the_listing(between: Gateway, client: Client) -> None:
    between.change = relinked(lambda href: next_to(href.replace("cursor=", "cursor=%25")))
    with pytest.raises(ContractBroken, match=r"answered 400.*begun 4 times"):
        contact_ids(restarting(lambda: client.pages("/contacts", ALL)))
    assert len(between.asked) == 8


@pytest.mark.parametrize("cursor", ["/v3/emails?cursor=x", "http://[::1/", "/v3/contacts?cursor=x"])
def test_a_stored_cursor_that_leads_nowhere_is_dead(
    between: Gateway, client: Client, cursor: str
) -> None:
    with pytest.raises(DeadCursor):
        next(client.pages("/contacts", cursor=cursor))


@pytest.mark.parametrize("status", [400, 404, 410, 414, 422, 431])
@pytest.mark.parametrize("body", ["<html>", [{"error_key": "x", "error_message": "no"}]])
def test_a_link_is_dead_whoever_refuses_it(
    simulator: Running, client: Client, status: int, body: Any
) -> None:
    simulator.control.add_fault(
        "status", match={"path": "contacts"}, params={"status": status, "body": body}
    )
    with pytest.raises(DeadCursor):
        next(client.pages("/contacts", cursor="/v3/contacts?cursor=x"))


def test_a_list_that_the_contract_does_not_name_is_not_taken_for_the_rows(
    between: Gateway, client: Client
) -> None:
    def warn(_path: str, body: dict[str, Any]) -> None:
        rows = body.pop("contacts")
        body |= {"warnings": [], "contacts": rows}

    between.change = warn
    # More pages than may come without a new row.
    assert len(contact_ids(client.pages("/contacts", ALL | {"limit": 2}))) == 30
