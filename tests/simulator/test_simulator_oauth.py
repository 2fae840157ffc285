from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from simulator_client import BASIC, PATIENCE_S, Api, token_call

from simulator.server import Running, running

AUTHORIZE = "/oauth2/default/v1/authorize"
CALLBACK = "http://localhost:8080/callback"


def ask(sim: Running, decision: str | None = "allow", **changes: str) -> requests.Response:
    form = {
        "response_type": "code",
        "client_id": "demo-api-key",
        "redirect_uri": CALLBACK,
        "scope": "contact_data campaign_data offline_access",
        "state": "s1",
        **changes,
    }
    if decision is None:
        return requests.get(
            sim.url + AUTHORIZE, params=form, allow_redirects=False, timeout=PATIENCE_S
        )
    form["decision"] = decision
    return requests.post(sim.url + AUTHORIZE, data=form, allow_redirects=False, timeout=PATIENCE_S)


def answer_of(response: requests.Response) -> dict[str, str]:
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(CALLBACK)
    return {k: v[0] for k, v in parse_qs(urlsplit(response.headers["location"]).query).items()}


def redeem(sim: Running, code: str, **more: str) -> requests.Response:
    return token_call(
        sim, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **more
    )


def refresh(sim: Running, token: str, auth: Any = BASIC) -> requests.Response:
    return token_call(sim, auth, grant_type="refresh_token", refresh_token=token)


def test_the_consent_page_posts_back_what_it_was_asked_and_allows(sim: Running) -> None:
    page = ask(sim, decision=None)
    assert page.status_code == 200
    assert "Allow" in page.text
    assert "Deny" in page.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    fields["decision"] = "allow"
    answer = answer_of(
        requests.post(sim.url + AUTHORIZE, data=fields, allow_redirects=False, timeout=PATIENCE_S)
    )
    assert answer["state"] == "s1"
    body = redeem(sim, answer["code"]).json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 86_400
    assert body["refresh_token"]


def test_denying_comes_back_as_access_denied_with_the_state(sim: Running) -> None:
    assert answer_of(ask(sim, "deny")) == {"error": "access_denied", "state": "s1"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "contact_data everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
    ],
)
def test_a_wrong_request_comes_back_with_its_error(
    sim: Running, changes: dict[str, str], error: str
) -> None:
    assert answer_of(ask(sim, None, **changes))["error"] == error


@pytest.mark.parametrize(
    "changes", [{"redirect_uri": "https://elsewhere.example/"}, {"client_id": "who"}]
)
def test_an_unknown_client_or_redirect_uri_is_never_redirected_to(
    sim: Running, changes: dict[str, str]
) -> None:
    page = ask(sim, None, **changes)
    assert page.status_code == 400
    assert "location" not in page.headers


def test_only_registered_redirect_uris_work_when_some_are_registered() -> None:
    with running(redirect_uris=["https://a.example/cb"]) as sim:
        assert ask(sim, None, redirect_uri="https://a.example/cb").status_code == 200
        assert ask(sim, None).status_code == 400


def test_a_code_works_once_and_for_five_minutes(sim: Running) -> None:
    code = answer_of(ask(sim))["code"]
    assert redeem(sim, code).status_code == 200
    again = redeem(sim, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    late = answer_of(ask(sim))["code"]
    sim.control.clock(advance_s=301)
    assert redeem(sim, late).json()["error"] == "invalid_grant"


def test_the_redirect_uri_of_the_code_is_checked(sim: Running) -> None:
    code = answer_of(ask(sim))["code"]
    wrong = token_call(
        sim, grant_type="authorization_code", code=code, redirect_uri="http://localhost/x"
    )
    assert wrong.json()["error"] == "invalid_grant"


def test_the_pkce_verifier_is_checked(sim: Running) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    for wrong in ({}, {"code_verifier": "w" * 64}):
        code = answer_of(ask(sim, **asked))["code"]
        assert redeem(sim, code, **wrong).json()["error"] == "invalid_grant"
    code = answer_of(ask(sim, **asked))["code"]
    assert redeem(sim, code, code_verifier=verifier).status_code == 200


def test_without_offline_access_no_refresh_token_comes_and_nobody_says_so(sim: Running) -> None:
    body = redeem(sim, answer_of(ask(sim, scope="contact_data"))["code"]).json()
    assert "refresh_token" not in body
    assert "error" not in body


def test_access_tokens_look_like_a_jwt_of_1000_to_1200_characters(sim: Running) -> None:
    for scopes in (["contact_data"], None):
        body = refresh(sim, sim.control.grant(scopes)).json()
        assert 1000 <= len(body["access_token"]) <= 1200
        assert body["access_token"].count(".") == 2
        assert body["access_token"].startswith("eyJ")


def test_rotation_ends_all_earlier_refresh_tokens(sim: Running) -> None:
    first, other = sim.control.grant(), sim.control.grant()
    second = refresh(sim, first).json()["refresh_token"]
    assert second != first
    for ended in (first, other):
        again = refresh(sim, ended)
        assert again.status_code == 400
        assert again.json()["error"] == "invalid_grant"
        assert again.json()["error_description"]
    assert refresh(sim, second).status_code == 200


def test_long_lived_refresh_tokens_stay_the_same(sim: Running) -> None:
    sim.control.settings(rotating=False)
    token = sim.control.grant()
    assert [refresh(sim, token).json()["refresh_token"] for _ in range(2)] == [token] * 2


@pytest.mark.parametrize("rotating", [True, False])
def test_refresh_tokens_die_after_180_days_without_use(sim: Running, rotating: bool) -> None:
    sim.control.settings(rotating=rotating)
    token = sim.control.grant()
    sim.control.clock(advance_s=179 * 86_400)
    token = refresh(sim, token).json()["refresh_token"]
    sim.control.clock(advance_s=181 * 86_400)
    assert refresh(sim, token).json()["error"] == "invalid_grant"


def test_clients_authenticate_by_http_basic_only(sim: Running) -> None:
    token = sim.control.grant()
    assert refresh(sim, token, ("demo-api-key", "wrong")).status_code == 401
    in_body = token_call(
        sim,
        None,
        grant_type="refresh_token",
        refresh_token=token,
        client_id="demo-api-key",
        client_secret="demo-secret",
    )
    assert (in_body.status_code, in_body.json()["error"]) == (401, "invalid_client")
    assert refresh(sim, token).status_code == 200


def test_a_new_secret_ends_the_old_one(sim: Running) -> None:
    secret = sim.control.new_secret()
    token = sim.control.grant()
    assert refresh(sim, token).json()["error"] == "invalid_client"
    assert refresh(sim, token, ("demo-api-key", secret)).status_code == 200


@pytest.mark.usefixtures("second")
def test_the_token_endpoint_takes_one_request_a_second(sim: Running) -> None:
    sim.control.limits(token_calls_per_second=1)
    token = sim.control.grant()
    first, second = refresh(sim, token), refresh(sim, token)
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["error_key"] == "throttled"


def test_access_tokens_expire_by_the_clock_and_on_request(sim: Running) -> None:
    sim.control.settings(access_token_ttl_s=60)
    api = Api(sim)
    assert api.get("/account/summary").status_code == 200
    sim.control.clock(advance_s=61)
    assert api.get("/account/summary").status_code == 401
    api = Api(sim)
    assert sim.control.expire_access_tokens() >= 1
    assert api.get("/account/summary").status_code == 401


def test_revoking_ends_access_and_refresh_tokens(sim: Running) -> None:
    api, token = Api(sim), sim.control.grant()
    sim.control.revoke()
    assert api.get("/account/summary").status_code == 401
    assert refresh(sim, token).json()["error"] == "invalid_grant"


def test_a_deactivated_application_gets_403_and_no_tokens(sim: Running) -> None:
    api, token = Api(sim), sim.control.grant()
    sim.control.deactivate()
    answer = api.get("/account/user/privileges")
    assert answer.status_code == 403
    assert answer.json()[0]["error_key"] == "forbidden"
    assert refresh(sim, token).status_code == 401


def test_a_seed_refresh_token_is_good_from_the_start() -> None:
    with running(refresh_token="seed-1") as sim:
        assert refresh(sim, "seed-1").status_code == 200
        sim.control.reset()
        assert refresh(sim, "seed-1").status_code == 200


def test_unknown_grants_are_refused(sim: Running) -> None:
    answer = token_call(sim, grant_type="password", username="a", password="b")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_two_applications_have_codes_and_tokens_of_their_own(sim: Running) -> None:
    sim.control.settings(other_applications={"second-key": "second-secret"})
    second = ("second-key", "second-secret")
    first_token = sim.control.grant()
    code = answer_of(ask(sim, client_id="second-key"))["code"]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert token_call(sim, second, **body).status_code == 200
    # Not another's code, nor another's token; a rotation ends one's own only.
    code = answer_of(ask(sim, client_id="second-key"))["code"]
    assert redeem(sim, code).json()["error"] == "invalid_grant"
    code = answer_of(ask(sim, client_id="second-key"))["code"]
    second_token = token_call(sim, second, **body | {"code": code}).json()["refresh_token"]
    assert refresh(sim, second_token).json()["error"] == "invalid_grant"
    assert refresh(sim, second_token, second).status_code == 200
    assert refresh(sim, first_token).status_code == 200
    # One ends, the other goes on.
    sim.control.deactivate()
    assert ask(sim, None).status_code == 400
    assert ask(sim, None, client_id="second-key").status_code == 200


def test_a_refresh_asks_for_no_more_than_was_granted(sim: Running) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": sim.control.grant(["contact_data"])}
    assert token_call(sim, scope="contact_data account_read", **body).json() == {
        "error": "invalid_scope",
        "error_description": "A scope was not granted.",
    }
    assert token_call(sim, scope="contact_data", **body).status_code == 200
