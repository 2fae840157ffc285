"""All our pages, through Airflow's own api-server app: who may see and do what."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.airflow.site import NOBODY, Site

ROOT = "/constant-contact"
# Forms that only look: what they look for is an address, which may be in no URL.
LOOKING = {f"{ROOT}/why"}


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route of ours, its parameters filled with an id."""
    from fastapi.routing import APIRoute

    from constant_contact.web.app import create_app

    for route in create_app().routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                yield method, ROOT + re.sub(r"\{[^}]+\}", "1", route.path)


@pytest.fixture(scope="module")
def all_routes(airflow: Any) -> list[tuple[str, str]]:
    return list(routes())


def test_no_route_answers_those_whom_airflow_does_not_know(
    site: Site, connections: pytest.MonkeyPatch, all_routes: list[tuple[str, str]]
) -> None:
    for method, path in all_routes:
        ask = site.get if method == "GET" else site.post
        assert ask(path, NOBODY).status == 401, (method, path)
        if method == "GET":
            assert site.get(path, token="forged").status == 403, path


def test_nothing_is_changed_by_a_form_that_is_not_ours(
    site: Site, connections: pytest.MonkeyPatch, all_routes: list[tuple[str, str]]
) -> None:
    somebody_elses = site.form_token("VIEWER")
    for method, path in all_routes:
        if method != "GET":
            for token in ("", "forged", somebody_elses):
                answer = site.post(path, "ADMIN", form_token=token)
                assert answer.status == 403, (path, token)
                assert "This form has expired" in answer.text


def test_a_viewer_changes_nothing(
    site: Site, connections: pytest.MonkeyPatch, all_routes: list[tuple[str, str]]
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
