"""All our pages, of each account, through Airflow's own api-server app: who may see and do what."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.site import NOBODY, Site

ROOT = "/constant-contact"
EU = f"{ROOT}/accounts/eu"
# Forms that only look: what they look for is an address, which may be in no URL.
LOOKING = {f"{root}/why{part}" for root in (ROOT, EU) for part in ("", "/suggestions")}


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route of ours, its parameters filled with an account or an id."""
    from fastapi.routing import APIRoute

    from constant_contact.web.app import create_app

    for route in create_app().routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                path = route.path.replace("{account}", "eu")
                yield method, ROOT + re.sub(r"\{[^}]+\}", "1", path)


@pytest.fixture(scope="module")
def all_routes(airflow: Any) -> list[tuple[str, str]]:
    return list(routes())


def test_each_account_has_every_page(all_routes: list[tuple[str, str]]) -> None:
    of_all = {f"{ROOT}/oauth2/callback", f"{ROOT}/task-calls"}
    of_eu = {(method, path) for method, path in all_routes if path.startswith(EU)}
    of_default = {(method, path) for method, path in all_routes if path not in of_all} - of_eu
    assert len(of_default) > 30
    assert {(method, path.replace(EU, ROOT)) for method, path in of_eu} == of_default


def test_no_route_answers_those_whom_airflow_does_not_know(
    site: Site, eu: Running, all_routes: list[tuple[str, str]]
) -> None:
    for method, path in all_routes:
        ask = site.get if method == "GET" else site.post
        assert ask(path, NOBODY).status == 401, (method, path)
        if method == "GET":
            assert site.get(path, token="forged").status == 403, path


def test_nothing_is_changed_by_a_form_that_is_not_ours(
    site: Site, eu: Running, all_routes: list[tuple[str, str]]
) -> None:
    somebody_elses = site.form_token("VIEWER")
    for method, path in all_routes:
        if method != "GET":
            for token in ("", "forged", somebody_elses):
                answer = site.post(path, "ADMIN", form_token=token)
                assert answer.status == 403, (path, token)
                assert "This form has expired" in answer.text


def test_a_viewer_changes_nothing(
    site: Site, eu: Running, all_routes: list[tuple[str, str]]
) -> None:
    for method, path in all_routes:
        if method != "GET" and path not in LOOKING:
            answer = site.post(path, "VIEWER")
            assert (answer.status, "does not allow" in answer.text) == (403, True), path


def test_a_page_names_what_may_run_in_it_and_is_kept_nowhere(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    headers = site.get(f"{ROOT}/").headers
    assert headers["Cache-Control"] == "no-store"
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert site.get(f"{ROOT}/static/page.js", NOBODY).status == 200


def test_an_unknown_page_says_so_on_a_page(site: Site, connections: pytest.MonkeyPatch) -> None:
    answer = site.get(f"{ROOT}/nothing-here")
    assert answer.status == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize("name", ["us", "EU", "constant_contact_eu", "1", "eu%00", "..%2Feu"])
def test_an_account_that_the_option_does_not_name_has_no_page(
    site: Site, eu: Running, name: str
) -> None:
    for path in ("/", "/calls", "/connection"):
        answer = site.get(f"{ROOT}/accounts/{name}{path}", "ADMIN")
        assert (answer.status, "There is no such" in answer.text) == (404, True), path
        assert "Account <strong>" not in answer.text
        assert site.get(f"{ROOT}/accounts/{name}{path}", NOBODY).status in {401, 404}
    assert site.get(f"{ROOT}/accounts/us/", NOBODY).status == 401
    assert site.post(f"{ROOT}/accounts/us/connection/test", "ADMIN").status == 404


def test_a_wrong_option_is_told_on_the_pages_of_other_accounts_and_the_default_one_has_its_own(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "EU")
    answer = site.get(f"{EU}/calls")
    assert (answer.status, "is no name of an account" in answer.text) == (503, True)
    assert site.get(f"{ROOT}/calls").status == 200
    assert "is no name of an account" in site.get(f"{ROOT}/").text


def test_a_problem_before_the_account_is_known_leads_to_no_page_of_the_default_one(
    site: Site, eu: Running, connections: pytest.MonkeyPatch
) -> None:
    for path, status in (
        (f"{EU}/typo", 404),
        (f"{EU}/connection/test", 405),
        (f"{ROOT}/accounts/us/calls", 404),
    ):
        answer = site.get(path, "OP")
        assert (answer.status, "<nav" in answer.text) == (status, False), path
    assert f'href="{ROOT}/connection"' in site.get(f"{ROOT}/typo", "OP").text
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "EU")
    answer = site.get(f"{EU}/calls", "OP")
    assert (answer.status, "<nav" in answer.text) == (503, False)


def test_no_query_says_whose_page_it_is(site: Site, eu: Running) -> None:
    assert "constant_contact_eu" not in site.get(f"{ROOT}/connection?account=eu").text
