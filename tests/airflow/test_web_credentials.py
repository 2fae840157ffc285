"""Replacing an application: the old one works until the new one has answered."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from constant_contact.accounts import DEFAULT
from constant_contact.errors import CredentialsReplaced
from simulator.server import Running
from tests.airflow.airflow_runs import Ran, account_connection
from tests.airflow.consent import PAGE, REDIRECT_URL, Person
from tests.airflow.site import Answer, Site
from tests.airflow.test_privacy import metadata_url
from tests.support import CONN_ID, Rows, contact_id

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
CREDENTIALS = f"{PAGE}/credentials"
NEW_KEY, NEW_SECRET = "second-api-key", "second-secret-zqx"


@pytest.fixture
def person(site: Site, simulator: Running, connections: pytest.MonkeyPatch) -> Iterator[Person]:
    """An operator; the connection is in Airflow's database, and the new application exists."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    simulator.control.settings(other_applications={NEW_KEY: NEW_SECRET})
    connections.delenv(ACCOUNT)
    # As Airflow's api-server sets it for itself.
    connections.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    with create_session() as session:
        session.add(Connection.from_json(account_connection(simulator), CONN_ID))
    yield Person(site, simulator)
    with create_session() as session:
        session.execute(delete(Connection))


def connection() -> dict[str, Any]:
    """The connection as Airflow has it."""
    from airflow.models import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        row = session.query(Connection).filter_by(conn_id=CONN_ID).one()
        return {"login": row.login, "password": row.password, **row.extra_dejson}


def enter(person: Person, key: str = NEW_KEY, secret: str = NEW_SECRET) -> Answer:
    return person.site.post(CREDENTIALS, person.role, api_key=key, client_secret=secret)


def press(person: Person, what: str) -> Answer:
    return person.site.post(f"{CREDENTIALS}/{what}", person.role)


def keys_used(simulator: Running) -> set[str]:
    """The applications whose tokens made calls or were asked for."""
    return {token.client_id for token in simulator.world.oauth.access_tokens.values()}


def test_the_old_application_works_until_the_new_one_has_answered(
    person: Person, simulator: Running, run_dag: Callable[..., Ran]
) -> None:
    simulator.control.load(lists=[{"list_id": contact_id(900), "name": "News"}])
    before = connection()
    assert run_dag("constant_contact_lists").state == "success"

    assert enter(person).status == 303
    assert connection() == before
    back = person.authorize("next")
    assert (back.status, back.headers["location"]) == (303, CREDENTIALS)
    assert connection() == before
    simulator.control.expire_access_tokens()
    assert run_dag("constant_contact_lists").state == "success"

    done = press(person, "take-over")
    assert done.status == 200, done.text
    assert "1 lists" in done.text
    assert "…-key" in done.text
    after = connection()
    assert (after["login"], after["password"]) == (NEW_KEY, NEW_SECRET)
    assert (after["refresh_token"], after["redirect_url"]) == ("", REDIRECT_URL)
    assert after["token_url"] == before["token_url"]

    simulator.control.deactivate()
    simulator.control.expire_access_tokens()
    assert run_dag("constant_contact_lists").state == "success"


def test_a_new_application_that_does_not_answer_changes_nothing(
    person: Person, simulator: Running, run_dag: Callable[..., Ran]
) -> None:
    before = connection()
    assert run_dag("constant_contact_lists").state == "success"
    enter(person)
    person.authorize("next")
    simulator.control.settings(other_applications={})
    refused = press(person, "take-over")
    assert refused.status == 409
    assert "deactivated" in refused.text
    assert connection() == before
    assert run_dag("constant_contact_lists").state == "success"
    # Nothing needs to be entered again when it is active.
    simulator.control.settings(other_applications={NEW_KEY: NEW_SECRET})
    assert press(person, "take-over").status == 200


def test_an_application_of_another_account_is_not_taken_over(
    person: Person, simulator: Running, sql_rows: Rows
) -> None:
    simulator.control.load(lists=[{"name": "Of this account"}])
    before = connection()
    enter(person)
    person.authorize("next")
    sql_rows("INSERT INTO ctct_list (list_id, mirrored_at) VALUES ('another-accounts', now())")
    refused = press(person, "take-over")
    assert (refused.status, "it is another account" in refused.text) == (409, True)
    assert connection() == before


def test_only_what_was_tested_is_taken_over(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.connection import credentials

    before = connection()
    enter(person)
    person.authorize("next")
    ask = credentials.ask_account

    def meanwhile(*asked: Any) -> Any:
        answered = ask(*asked)
        # Another operator, at the same page.
        press(person, "cancel")
        enter(person)
        person.authorize("next")
        return answered

    monkeypatch.setattr(credentials, "ask_account", meanwhile)
    refused = press(person, "take-over")
    assert (refused.status, "was changed meanwhile" in refused.text) == (409, True)
    assert connection() == before
    monkeypatch.setattr(credentials, "ask_account", ask)
    assert press(person, "take-over").status == 200


def test_an_authorized_application_is_not_entered_over(person: Person, simulator: Running) -> None:
    simulator.control.settings(other_applications={NEW_KEY: NEW_SECRET, "third-key": "third"})
    enter(person)
    assert enter(person, "third-key", "third").status == 303
    enter(person)
    person.authorize("next")
    refused = enter(person, "third-key", "third")
    assert (refused.status, "entered by op, is authorized already" in refused.text) == (409, True)
    assert press(person, "take-over").status == 200
    assert connection()["login"] == NEW_KEY


def test_a_task_that_began_before_the_take_over_does_not_use_the_old_seed(
    person: Person,
) -> None:
    from airflow.utils.session import create_session

    from constant_contact.hooks.constant_contact import ConstantContactHook
    from constant_contact.web.frame import stored

    began = ConstantContactHook()
    assert began.settings.refresh_token
    enter(person)
    person.authorize("next")
    assert press(person, "take-over").status == 200
    with create_session() as session:
        kept = stored.read(session, DEFAULT, f"{CONN_ID}_tokens")
    began.token_store = stored.StoredTokens(began.crm, CONN_ID)
    with pytest.raises(CredentialsReplaced):
        began.access_token()
    began.close()
    with create_session() as session:
        assert stored.read(session, DEFAULT, f"{CONN_ID}_tokens") == kept


def test_key_and_secret_that_do_not_belong_together_are_not_kept(person: Person) -> None:
    refused = enter(person, secret="wrong-secret-zqx")
    assert (refused.status, "Constant Contact refuses them" in refused.text) == (409, True)
    assert "wrong-secret-zqx" not in refused.text
    assert "must both be given" in enter(person, secret=" ").text
    assert "is the one in use" in enter(person, key="demo-api-key").text
    assert 'name="client_secret"' in person.site.get(CREDENTIALS, "OP").text


def test_steps_cannot_be_skipped(person: Person) -> None:
    before = connection()
    assert "are not being replaced" in press(person, "take-over").text
    enter(person)
    refused = press(person, "take-over")
    assert (refused.status, "holds no refresh token" in refused.text) == (409, True)
    assert connection() == before


def test_cancelling_forgets_the_new_application(person: Person) -> None:
    from airflow.models import Variable
    from airflow.utils.session import create_session

    enter(person)
    person.authorize("next")
    assert press(person, "cancel").status == 303
    with create_session() as session:
        assert [each.key for each in session.query(Variable)] == []
    assert connection()["login"] == "demo-api-key"


def test_what_is_entered_is_nowhere_in_plain_text(
    person: Person, crm_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    enter(person)
    person.authorize("next")
    shown = [person.site.get(path, "ADMIN").text for path in (CREDENTIALS, PAGE)]
    shown.append(press(person, "take-over").text)
    shown += capfd.readouterr()
    for url in (crm_url, metadata_url()):
        with psycopg.connect(url) as database:
            for (table,) in database.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                rows = database.execute(f'SELECT t::text FROM "{table}" AS t').fetchall()
                shown.append(json.dumps(rows))
    assert [text for text in shown if NEW_SECRET in text] == []


def test_a_connection_of_the_environment_is_explained_and_not_touched(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator))
    shown = person.site.get(CREDENTIALS, "OP")
    assert shown.status == 200
    assert f"the environment, {ACCOUNT}" in shown.text
    assert f"<code>{REDIRECT_URL}</code>" in shown.text
    assert "<form" not in shown.text
    refused = enter(person)
    assert (refused.status, "no page can write" in refused.text) == (409, True)


def test_a_connection_of_a_secrets_backend_is_not_taken_for_one_of_ours(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv("AIRFLOW__SECRETS__BACKEND", "tests.airflow.vault.Vault")
    connections.setenv(f"VAULT_{CONN_ID.upper()}", account_connection(simulator))
    before = connection()
    assert "the secrets backend Vault" in person.site.get(CREDENTIALS, "OP").text
    assert "no page can write" in enter(person).text
    assert connection() == before


def test_a_real_call_tells_who_answers(person: Person, simulator: Running) -> None:
    person.authorize()
    answer = person.site.post(f"{PAGE}/test", "OP")
    assert "Constant Contact answers: 0 lists" in " ".join(answer.text.split())
    simulator.control.revoke()
    refused = person.site.post(f"{PAGE}/test", "OP")
    assert "A person must authorize again" in refused.text


def test_the_account_is_named_where_the_scope_allows_it(
    person: Person, simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    scope = "account_read contact_data campaign_data offline_access"
    value = account_connection(simulator, extra={"scope": scope})
    connections.setenv(ACCOUNT, value)
    person.authorize()
    assert "Demo Organization" in person.site.post(f"{PAGE}/test", "OP").text
