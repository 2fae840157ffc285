"""Authorizing on the page: to the simulator's consent page and back."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psycopg
import pytest
from structlog.testing import CapturingLogger

from constant_contact.accounts import DEFAULT
from constant_contact.api.token_pair import TokenPair
from simulator.server import Running
from tests.airflow.airflow_runs import Ran, account_connection
from tests.airflow.consent import CALLBACK, PAGE, Person, query
from tests.airflow.site import Site
from tests.support import CONN_ID, LOCK_WAITS, Rows, contact_id

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"


@pytest.fixture
def person(site: Site, simulator: Running, connections: pytest.MonkeyPatch) -> Person:
    """An operator, before the first authorization."""
    value = account_connection(simulator, extra={"refresh_token": ""})
    connections.setenv(ACCOUNT, value)
    return Person(site, simulator)


def pair() -> TokenPair | None:
    """What is stored."""
    from airflow.utils.session import create_session

    from constant_contact.web.frame import stored

    with create_session() as session:
        kept = stored.read(session, DEFAULT, f"{CONN_ID}_tokens")
    return TokenPair.from_json(kept) if kept else None


@pytest.mark.slow
def test_what_a_person_allows_is_stored_encrypted_and_used_by_the_next_run(
    person: Person, simulator: Running, run_dag: Callable[..., Ran]
) -> None:
    back = person.authorize()
    assert (back.status, back.headers["location"]) == (303, PAGE)
    stored = pair()
    assert stored is not None
    assert stored.authorized_by == "op"
    from airflow.models import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        kept = [(each.key, each.is_encrypted, each._val) for each in session.query(Variable)]
    assert [(key, encrypted) for key, encrypted, _ in kept] == [(f"{CONN_ID}_tokens", True)]
    assert stored.access_token not in kept[0][2]
    simulator.control.clear_calls()
    assert run_dag("constant_contact_lists").state == "success"
    paths = [call["path"] for call in simulator.control.calls()]
    assert [path for path in paths if path.endswith("/token")] == []
    assert pair() == stored


@pytest.mark.slow
def test_a_new_authorization_wins_over_a_stored_one_and_over_the_pasted_seed(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch, run_dag: Callable[..., Ran]
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator))
    assert run_dag("constant_contact_lists").state == "success"
    before = pair()
    person.authorize()
    after = pair()
    assert before is not None
    assert after is not None
    assert after.access_token != before.access_token
    # The old grant dies with the next refresh; the new one lives on.
    simulator.control.expire_access_tokens()
    assert run_dag("constant_contact_lists").state == "success"
    refreshed = pair()
    assert refreshed is not None
    assert refreshed.authorized_by == "op"


def test_the_verifier_is_proven_and_in_no_address(person: Person, simulator: Running) -> None:
    url = person.begin()
    assert query(url)["code_challenge_method"] == "S256"
    path = person.decide(url, code_challenge="of-somebody-elses-verifier")
    answer = person.come_back(path)
    assert answer.status == 400
    assert "no longer accepts the code" in answer.text
    assert pair() is None
    verifier_in = [call["path"] + str(call.get("query")) for call in simulator.control.calls()]
    assert "code_verifier" not in url + path + str(verifier_in)


def test_an_access_that_is_denied_is_told_in_the_vendors_words_made_harmless(
    person: Person,
) -> None:
    url = person.begin()
    path = person.decide(url, "deny")
    said = "&error_description=<script>alert(1)</script>%20ann@example.com"
    answer = person.come_back(path + said)
    assert answer.status == 400
    assert "did not give access: access_denied" in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "ann@example.com" not in answer.text
    assert pair() is None


@pytest.mark.parametrize(
    ("ours", "is_secure"),
    [("https://airflow.example.com", True), ("http://testserver", False)],
)
def test_behind_a_proxy_with_tls_the_cookie_is_sent_by_tls_only(
    person: Person, connections: pytest.MonkeyPatch, ours: str, is_secure: bool
) -> None:
    # the redirect URL is the page's own, at Airflow's address
    connections.setenv("AIRFLOW__API__BASE_URL", ours)
    answer = person.site.post("/constant-contact/connection/authorize")
    assert answer.status == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert ("secure" in cookie) == is_secure


def test_a_state_works_once(person: Person) -> None:
    path = person.decide(person.begin())
    assert person.come_back(path).status == 303
    stored = pair()
    again = person.come_back(path)
    assert (again.status, "used already" in again.text) == (400, True)
    assert pair() == stored


def test_only_who_began_can_finish_and_still_can_when_another_tried(person: Person) -> None:
    path = person.decide(person.begin())
    stranger = person.site.get(path, "ADMIN")
    assert (stranger.status, "another user" in stranger.text) == (400, True)
    assert person.site.get(path, "VIEWER").status == 403
    assert pair() is None
    assert person.come_back(path).status == 303


def test_only_the_browser_that_began_can_finish(person: Person) -> None:
    path = person.decide(person.begin())
    person.site.another_browser()
    answer = person.come_back(path)
    assert (answer.status, "another browser" in answer.text) == (400, True)
    assert pair() is None


def test_a_forged_an_old_and_an_overtaken_state_change_nothing(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken = person.decide(person.begin())
    path = person.decide(person.begin())
    for address, says in (
        (f"{CALLBACK}?code=x&state=forged", "not one of ours"),
        (CALLBACK, "not one of ours"),
        (overtaken, "another was begun since"),
    ):
        answer = person.come_back(address)
        assert (answer.status, says in answer.text) == (400, True)
    monkeypatch.setattr("constant_contact.web.connection.authorize._VALID_S", -1)
    assert "longer than a quarter" in person.come_back(path).text
    assert pair() is None


@pytest.mark.parametrize(
    ("granted", "says"),
    [
        ("contact_data campaign_data", "offline_access is missing"),
        ("contact_data offline_access", "lacks the scope campaign_data"),
    ],
)
def test_a_grant_without_a_scope_is_refused_and_the_old_one_stays(
    person: Person, granted: str, says: str
) -> None:
    person.authorize()
    stored = pair()
    answer = person.come_back(person.decide(person.begin(), scope=granted))
    assert (answer.status, says in answer.text) == (400, True)
    assert pair() == stored


@pytest.mark.parametrize("application", ["current", "next"])
def test_a_grant_of_another_account_is_refused_and_the_old_one_stays(
    person: Person,
    simulator: Running,
    sql_rows: Rows,
    application: Literal["current", "next"],
) -> None:
    from airflow.utils.session import create_session

    from constant_contact.accounts import DEFAULT
    from constant_contact.web.connection.applications import NextApplication

    person.authorize()
    before = pair()
    with create_session() as session:
        NextApplication("demo-api-key", "demo-secret", "", "op").save(session, DEFAULT)
    simulator.control.load(lists=[{"name": "Of the other account"}])
    sql_rows("INSERT INTO ctct_list (list_id, mirrored_at) VALUES ('of-ours', now())")
    simulator.control.expire_access_tokens()
    answer = person.authorize(application)
    assert (answer.status, "it is another account" in answer.text) == (400, True)
    assert "still in use" in answer.text
    assert pair() == before
    with create_session() as session:
        following = NextApplication.load(session, DEFAULT)
    assert following is not None
    assert following.tokens == ""


def test_a_mirror_whose_lists_were_all_marked_as_deleted_still_knows_its_account(
    person: Person, simulator: Running, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO ctct_list (list_id, mirrored_at, deleted_at) VALUES (%s, now(), now())",
        contact_id(900),
    )
    simulator.control.load(lists=[{"name": "Of the other account"}])
    assert person.authorize().status == 400
    simulator.control.load(lists=[{"list_id": contact_id(900), "name": "News"}])
    assert person.authorize().status == 303


def test_scopes_that_cannot_do_are_explained_before_anybody_goes(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    extra = {"scope": "contact_data campaign_data", "refresh_token": ""}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=extra))
    shown = person.site.get(PAGE, "OP").text
    assert "gives no refresh token" in shown
    assert "Authorize…" not in shown


def test_a_redirect_url_that_leads_elsewhere_is_told_with_the_right_one(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    extra = {"redirect_url": "http://localhost:8910/callback"}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=extra))
    shown = person.site.get(PAGE, "OP").text
    assert "does not lead back to this page" in shown
    assert f'readonly value="http://testserver{CALLBACK}"' in shown
    refused = person.site.post(f"{PAGE}/authorize", "OP")
    assert (refused.status, "does not lead back" in refused.text) == (409, True)
    other_host = {"redirect_url": f"http://airflow.example{CALLBACK}"}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=other_host))
    assert "open Airflow there first" in person.site.get(PAGE, "OP").text


def test_no_code_state_token_or_secret_is_logged_or_shown(
    person: Person,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sql_rows: Rows,
) -> None:
    # Airflow's own writes to whatever was the output when it was first used.
    requests_log = CapturingLogger()
    monkeypatch.setattr("airflow.api_fastapi.common.http_access_log.logger", requests_log)
    wrong = person.decide(person.begin(), code_challenge="of-another")
    overtaken = person.come_back(wrong)
    url = person.begin()
    path, second = person.decide(url), person.decide(url)
    # From here on: what was logged before is of this test's own browser.
    capfd.readouterr()
    caplog.clear()
    requests_log.calls.clear()
    caplog.set_level(logging.DEBUG)
    pages = [overtaken, person.come_back(path), person.come_back(second)]
    pages.append(person.site.get(PAGE, "VIEWER"))
    pages.append(person.site.get(PAGE, "OP"))
    stored = pair()
    assert stored is not None
    secrets = [stored.access_token, stored.refresh_token, "demo-secret", query(path)["code"]]
    state = query(path)["state"]
    out, err = capfd.readouterr()
    kept = str(sql_rows("SELECT * FROM ctct_api_call"))
    assert "/token" in kept
    # What the test client says of its own requests is no log of Airflow's.
    logged = "".join(
        each.getMessage() for each in caplog.records if not each.name.startswith("httpx")
    )
    logged += str(requests_log.calls)
    assert [each.kwargs["path"] for each in requests_log.calls].count(CALLBACK) == 2
    for each in [*secrets, state]:
        assert each not in out + err + kept + logged
    for answer in pages:
        for each in secrets:
            assert each not in answer.text
            assert each not in str(answer.headers)


def test_the_page_tells_the_state_to_a_viewer_without_buttons(person: Person) -> None:
    assert "Not authorized yet" in person.site.get(PAGE, "VIEWER").text
    person.authorize()
    seen = person.site.get(PAGE, "VIEWER")
    assert seen.status == 200
    for text in ("by op", "contact_data, campaign_data, offline_access", "179 days", "…-key"):
        assert text in seen.text, text
    assert "4 calls a second" not in seen.text
    for button in ("Authorize…", "Ask Constant Contact", "Replace credentials", "<form"):
        assert button not in seen.text
        assert button in person.site.get(PAGE, "OP").text


@pytest.fixture
def refreshing(crm_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A task that refreshes the tokens, until this is closed."""
    with psycopg.connect(crm_url) as connection:
        connection.execute("INSERT INTO ctct_token (conn_id) VALUES (%s)", [CONN_ID])
        connection.commit()
        connection.execute("SELECT 1 FROM ctct_token FOR UPDATE")
        yield connection


def test_a_refresh_under_way_is_waited_for_longer_than_another_lock(
    person: Person,
    refreshing: psycopg.Connection[Any],
    crm_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from constant_contact.web.frame import crm

    monkeypatch.setitem(crm._SESSION, "lock_timeout", "300ms")
    path = person.decide(person.begin())
    with ThreadPoolExecutor(1) as pool, psycopg.connect(crm_url, autocommit=True) as looking:
        answer = pool.submit(person.come_back, path)
        waits_long = f"{LOCK_WAITS} AND waitstart < now() - interval '600 ms'"
        while not answer.done() and not looking.execute(waits_long).fetchall():
            pass
        refreshing.rollback()
    assert answer.result().status == 303
    assert pair() is not None


def test_a_refresh_that_does_not_end_is_not_broken(
    person: Person, refreshing: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("constant_contact.web.frame.stored._WAIT_S", 1)
    answer = person.authorize()
    assert answer.status == 400
    assert "took too long" in answer.text
    assert pair() is None


def test_tokens_that_were_stored_are_not_said_to_be_refused(
    person: Person, crm_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.frame.stored import StoredTokens

    save = StoredTokens.save

    def save_and_go_away(store: StoredTokens, kept: TokenPair) -> None:
        save(store, kept)
        with psycopg.connect(crm_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )

    monkeypatch.setattr(StoredTokens, "save", save_and_go_away)
    answer = person.authorize()
    assert pair() is not None
    assert (answer.status, answer.headers.get("location")) == (303, PAGE)


def test_a_token_close_to_its_death_shows_how_many_days_it_has(person: Person) -> None:
    from dataclasses import replace

    from airflow.utils.session import create_session

    from constant_contact.web.frame import stored

    person.authorize()
    old = pair()
    assert old is not None
    then = datetime.now(UTC) - timedelta(days=170, hours=1)
    with create_session() as session:
        text = replace(old, obtained_at_utc=then, authorized_at_utc=then).to_json()
        stored.write(session, DEFAULT, f"{CONN_ID}_tokens", text, "")
    assert "9 days" in person.site.get(PAGE, "VIEWER").text
