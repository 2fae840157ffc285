"""Authorizing and replacing the connection of one account while another has its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from constant_contact.accounts import Account
from simulator.server import Running
from tests.airflow.airflow_runs import account_connection
from tests.airflow.consent import CALLBACK, PAGE, Person, query
from tests.airflow.site import Site
from tests.airflow.teams import team_of
from tests.support import CONN_ID, EU_CONN_ID, Rows, contact_id

EU_PAGE = "/constant-contact/accounts/eu/connection"
NEW_KEY, NEW_SECRET = "second-api-key", "second-secret-zqx"
AWAY = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9}'


def kept() -> dict[str, str]:
    """Every Variable, decrypted."""
    from airflow.models import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        return {each.key: str(each.get_val()) for each in session.query(Variable)}


@pytest.fixture
def person(site: Site, simulator: Running, connections: pytest.MonkeyPatch) -> Person:
    """An operator on the page of the default account, which is not authorized yet."""
    value = account_connection(simulator, extra={"refresh_token": ""})
    connections.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", value)
    return Person(site, simulator)


@pytest.fixture
def eu_person(person: Person, site: Site, eu: Running, connections: pytest.MonkeyPatch) -> Person:
    """The same operator, in the same browser, on the page of the account eu."""
    value = account_connection(eu, login="eu-api-key", extra={"refresh_token": ""})
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", value)
    return Person(site, eu, page=EU_PAGE)


def test_all_accounts_come_back_to_one_address_and_each_to_its_own_page(
    person: Person, eu_person: Person
) -> None:
    # Both are under way at once.
    mine, theirs = person.decide(person.begin()), eu_person.decide(eu_person.begin())
    back = eu_person.come_back(theirs)
    assert (back.status, back.headers["location"]) == (303, EU_PAGE)
    assert kept().keys() == {f"{EU_CONN_ID}_tokens", f"{CONN_ID}_authorization_token"}
    assert "Not authorized yet" in person.site.get(PAGE).text
    assert "by op" in person.site.get(EU_PAGE).text
    back = person.come_back(mine)
    assert (back.status, back.headers["location"]) == (303, PAGE)
    tokens = kept()
    assert tokens.keys() == {f"{EU_CONN_ID}_tokens", f"{CONN_ID}_tokens"}
    assert tokens[f"{EU_CONN_ID}_tokens"] != tokens[f"{CONN_ID}_tokens"]


def test_the_state_of_one_account_stores_nothing_for_another(
    person: Person, eu_person: Person, eu: Running, connections: pytest.MonkeyPatch
) -> None:
    # Both accounts at one vendor, by one application: its code alone would be accepted for both.
    shared = account_connection(eu, login="eu-api-key", extra={"refresh_token": ""})
    connections.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", shared)
    mine, theirs = person.decide(person.begin()), eu_person.decide(eu_person.begin())
    for code, state in ((mine, theirs), (theirs, mine)):
        path = f"{CALLBACK}?code={query(code)['code']}&state={query(state)['state']}"
        answer = person.come_back(path)
        assert (answer.status, "no longer accepts the code" in answer.text) == (400, True)
    # Not even a page of the other account's to bring it to.
    elsewhere = mine.replace(CALLBACK, f"/constant-contact/accounts/eu{CALLBACK[17:]}")
    assert person.come_back(elsewhere).status == 404
    assert kept() == {}


def test_an_authorization_that_fails_leads_back_to_the_page_of_its_account(
    eu_person: Person,
) -> None:
    answer = eu_person.come_back(eu_person.decide(eu_person.begin(), "deny"))
    assert answer.status == 400
    assert f'<a href="{EU_PAGE}">Try again</a>' in answer.text
    assert "Account <strong>eu</strong>" in answer.text


def test_who_may_not_change_an_accounts_connection_cannot_finish_its_authorization(
    person: Person, eu_person: Person, start_dag: Callable[..., Any]
) -> None:
    path = eu_person.decide(eu_person.begin())
    with team_of(Account("eu")):
        assert eu_person.come_back(path).status == 403
        assert eu_person.site.post(f"{EU_PAGE}/authorize", "OP").status == 403
        # What they may do at the default account is of no use here.
        assert person.authorize().status == 303
    assert f"{EU_CONN_ID}_tokens" not in kept()
    assert eu_person.come_back(path).status == 303
    assert f"{EU_CONN_ID}_tokens" in kept()


def test_a_state_of_an_account_that_is_no_more_is_refused(
    eu_person: Person, connections: pytest.MonkeyPatch
) -> None:
    path = eu_person.decide(eu_person.begin())
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "us")
    answer = eu_person.come_back(path)
    assert (answer.status, "does not name its account" in answer.text) == (400, True)


def test_an_answer_that_is_refused_is_told_on_a_page_of_the_account_that_it_is_for(
    eu_person: Person, monkeypatch: pytest.MonkeyPatch, start_dag: Callable[..., Any]
) -> None:
    path = eu_person.decide(eu_person.begin())
    with team_of(Account("eu")):
        refused = eu_person.come_back(path)
    assert (refused.status, "Account <strong>eu</strong>" in refused.text) == (403, True)
    monkeypatch.setattr("constant_contact.web.connection.authorize._VALID_S", -1)
    late = eu_person.come_back(path)
    assert (late.status, "longer than a quarter" in late.text) == (400, True)
    # "Authorize again on the page Connection": of the right one.
    assert f'href="{EU_PAGE}"' in late.text
    assert "Account <strong>eu</strong>" in late.text
    assert f"{EU_CONN_ID}_tokens" not in kept()


@pytest.fixture
def mirrored(eu: Running, sql_rows: Rows) -> Callable[..., None]:
    """The account that eu's person is logged in to has a list that the default's mirror has."""
    eu.control.load(lists=[{"list_id": contact_id(900), "name": "News"}])

    def mirror(deleted: bool = False) -> None:
        sql_rows(
            "INSERT INTO ctct_list (list_id, mirrored_at, deleted_at)"
            " VALUES (%s, now(), CASE WHEN %s THEN now() END)",
            contact_id(900),
            deleted,
        )

    return mirror


@pytest.mark.parametrize("application", ["current", "next"])
def test_a_new_account_does_not_get_the_tokens_of_another_whose_mirror_has_its_lists(
    eu_person: Person, mirrored: Callable[..., None], application: str
) -> None:
    from airflow.utils.session import create_session

    from constant_contact.web.connection.applications import NextApplication

    with create_session() as session:
        following = NextApplication("eu-api-key", "demo-secret", "", "op")
        following.save(session, Account("eu"))
    mirrored()
    before = kept()
    answer = eu_person.authorize(application)
    assert answer.status == 400
    assert f"that of connection {CONN_ID}, whose mirror has its lists" in answer.text
    assert kept() == before


def test_a_list_that_another_mirror_had_by_mistake_once_refuses_no_account(
    eu_person: Person, mirrored: Callable[..., None]
) -> None:
    mirrored(deleted=True)
    assert eu_person.authorize().status == 303


def test_an_account_that_knows_its_own_lists_is_not_compared_with_others(
    eu_person: Person, mirrored: Callable[..., None], eu_rows: Rows
) -> None:
    mirrored()
    eu_rows("INSERT INTO ctct_list (list_id, mirrored_at) VALUES (%s, now())", contact_id(900))
    assert eu_person.authorize().status == 303


def test_another_account_that_cannot_be_asked_in_time_refuses_nobody(
    eu_person: Person, mirrored: Callable[..., None], connections: pytest.MonkeyPatch
) -> None:
    mirrored()
    path = eu_person.decide(eu_person.begin())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("constant_contact.web.connection.connection._OTHERS_WITHIN_S", -1.0)
        assert eu_person.come_back(path).status == 303
    path = eu_person.decide(eu_person.begin())
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", AWAY)
    assert eu_person.come_back(path).status == 303


def test_asking_now_tells_whose_account_was_authorized_for_a_new_one(
    eu_person: Person, mirrored: Callable[..., None]
) -> None:
    eu_person.authorize()
    assert "compared with those of the other accounts" in eu_person.site.get(EU_PAGE, "OP").text
    assert "holds no list yet" in eu_person.site.post(f"{EU_PAGE}/test").text
    mirrored()
    answered = eu_person.site.post(f"{EU_PAGE}/test").text
    assert '<p role="alert">Constant Contact answers' in answered
    assert f"It is the account of connection {CONN_ID}, whose mirror has its lists" in answered
    assert "holds no list yet" not in answered


@pytest.fixture
def stored(
    eu: Running, simulator: Running, connections: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """Both connections are in Airflow's database; tells the key of one."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    connections.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    eu.control.settings(other_applications={NEW_KEY: NEW_SECRET})
    values = {
        CONN_ID: account_connection(simulator),
        EU_CONN_ID: account_connection(eu, login="eu-api-key"),
    }
    with create_session() as session:
        for conn_id, value in values.items():
            connections.delenv(f"AIRFLOW_CONN_{conn_id.upper()}")
            session.add(Connection.from_json(value, conn_id))

    def key(conn_id: str) -> str:
        with create_session() as session:
            return str(session.query(Connection).filter_by(conn_id=conn_id).one().login)

    yield key
    with create_session() as session:
        session.execute(delete(Connection))


def test_the_application_of_one_account_is_replaced_beside_that_of_another(
    site: Site, eu: Running, stored: Callable[[str], str]
) -> None:
    person = Person(site, eu, page=EU_PAGE)
    credentials = f"{EU_PAGE}/credentials"
    entered = site.post(credentials, api_key=NEW_KEY, client_secret=NEW_SECRET)
    assert (entered.status, entered.headers["location"]) == (303, credentials)
    assert kept().keys() == {f"{EU_CONN_ID}_next_token"}
    assert "entered by op" in site.get(credentials, "OP").text
    assert "entered by op" not in site.get(f"{PAGE}/credentials", "OP").text
    assert site.post(f"{PAGE}/credentials/take-over").status == 409
    site.post(f"{PAGE}/credentials/cancel")
    back = person.authorize("next")
    assert (back.status, back.headers["location"]) == (303, credentials)
    assert site.post(f"{credentials}/take-over").status == 200
    assert (stored(EU_CONN_ID), stored(CONN_ID)) == (NEW_KEY, "demo-api-key")
    assert kept().keys() == {f"{EU_CONN_ID}_tokens"}


@pytest.mark.usefixtures("stored")
def test_an_application_of_another_account_is_not_taken_over(
    site: Site, eu: Running, mirrored: Callable[..., None]
) -> None:
    person = Person(site, eu, page=EU_PAGE)
    site.post(f"{EU_PAGE}/credentials", api_key=NEW_KEY, client_secret=NEW_SECRET)
    assert person.authorize("next").status == 303
    mirrored()
    answer = site.post(f"{EU_PAGE}/credentials/take-over")
    assert (answer.status, f"that of connection {CONN_ID}" in answer.text) == (409, True)
    assert kept().keys() == {f"{EU_CONN_ID}_next_token"}


@pytest.mark.usefixtures("stored")
def test_the_way_back_to_airflow_leads_into_its_frame_where_airflow_is_below_a_path(
    site: Site, eu: Running
) -> None:
    person = Person(site, eu, page=EU_PAGE)
    person.authorize()
    site.post(f"{EU_PAGE}/credentials", api_key=NEW_KEY, client_secret=NEW_SECRET)
    person.authorize("next")
    # The frame shows what follows its own address, from the server's root.
    back = f'<a href="/airflow/plugin/constant-contact/airflow{EU_PAGE}"'
    with site.below("/airflow"):
        assert back in site.get(EU_PAGE, "OP").text
        assert back in site.post(f"{EU_PAGE}/credentials/take-over").text


@pytest.mark.usefixtures("stored")
def test_cancelling_forgets_what_the_account_was_about_to_take(site: Site) -> None:
    credentials = f"{EU_PAGE}/credentials"
    site.post(credentials, api_key=NEW_KEY, client_secret=NEW_SECRET)
    answer = site.post(f"{credentials}/cancel")
    assert (answer.status, answer.headers["location"]) == (303, credentials)
    assert kept() == {}
