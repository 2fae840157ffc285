"""Our pages where Airflow has several teams: what is another team's is closed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from constant_contact.accounts import DEFAULT, Account
from simulator.server import Running
from tests.airflow.airflow_runs import account_connection
from tests.airflow.overview_page import EU_OVERVIEW, OVERVIEW, section
from tests.airflow.site import Site
from tests.airflow.teams import another_team, forget_teams, team_of
from tests.airflow.test_web import EU, routes
from tests.support import CONN_ID

LISTS = "constant_contact_lists"
APPROVALS = "constant_contact_approvals"
PAGES = "/constant-contact"


@pytest.fixture
def another_teams(start_dag: Callable[..., Any]) -> Iterator[None]:
    """Two of our DAGs, and the account's connection, belong to a team that no user here is in."""
    with another_team((LISTS, APPROVALS), CONN_ID):
        yield


@pytest.mark.usefixtures("another_teams")
def test_a_dag_of_another_team_is_neither_shown_nor_started_nor_switched_on(site: Site) -> None:
    syncs = section(site, "syncs", "OP")
    assert '<tr id="contacts"' in syncs
    assert '<tr id="lists"' not in syncs
    assert site.post(f"{PAGES}/runs/lists", "OP").status == 403
    assert site.post(f"{PAGES}/runs/lists/unpause", "OP").status == 403
    assert '<tr id="lists"' in section(site, "syncs", "ADMIN")


def test_a_task_of_another_team_that_waits_is_not_shown(
    site: Site,
    simulator: Running,
    connections: pytest.MonkeyPatch,
    start_dag: Callable[..., Any],
    request: pytest.FixtureRequest,
) -> None:
    extra = {"calls_per_day": "1"}
    connections.setenv(
        f"AIRFLOW_CONN_{CONN_ID.upper()}", account_connection(simulator, extra=extra)
    )
    assert start_dag(LISTS).waits
    assert LISTS in section(site, "waiting", "OP")
    request.getfixturevalue("another_teams")
    assert LISTS not in section(site, "waiting", "OP")


@pytest.mark.usefixtures("another_teams")
def test_the_account_of_another_team_is_not_changed(site: Site) -> None:
    assert "<form" not in site.get(f"{PAGES}/connection", "OP").text
    assert site.post(f"{PAGES}/connection/test", "OP").status == 403
    assert site.post(f"{PAGES}/connection/test", "ADMIN").status == 200


def test_what_is_kept_for_an_account_is_read_by_the_tasks_of_its_team_only(
    site: Site, start_dag: Callable[..., Any], connections: pytest.MonkeyPatch
) -> None:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    from constant_contact.web.frame import stored

    def read_by(team: str | None) -> Any:
        return Variable.get(key, default_var=None, team_name=team)

    key = f"{CONN_ID}_tokens"
    connections.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    for made_before_there_were_teams in (True, False):
        if made_before_there_were_teams:
            Variable.set(key, "a pair")
        with team_of(DEFAULT):
            with create_session() as session:
                if not made_before_there_were_teams:
                    stored.write(session, DEFAULT, key, "a pair", "")
                assert stored.read(session, DEFAULT, key) == "a pair"
            assert (read_by("others"), read_by("another"), read_by(None)) == ("a pair", None, None)


@pytest.mark.usefixtures("another_teams")
def test_who_may_answer_is_asked_as_airflow_asks_it() -> None:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from constant_contact.web.frame.access import may_answer

    assert not may_answer(SimpleAuthManagerUser(username="op", role="OP"), DEFAULT)
    theirs = SimpleAuthManagerUser(username="op", role="OP", teams=["others"])
    assert may_answer(theirs, DEFAULT)


@pytest.mark.usefixtures("another_teams")
def test_the_teams_of_all_our_dags_are_asked_for_at_once(site: Site) -> None:
    from airflow.settings import engine
    from sqlalchemy import event

    asked: list[str] = []
    forget_teams()
    event.listen(engine, "after_cursor_execute", lambda *a: asked.append(a[2]))
    section(site, "syncs", "OP")
    # who may read our pages at all; what may be read of our DAGs, and of the tasks that wait; and
    # whose the DAGs shown are
    assert len([each for each in asked if "dag_bundle_team" in each]) == 4


@pytest.mark.parametrize(
    ("closed", "open_page"), [(Account("eu"), OVERVIEW), (DEFAULT, EU_OVERVIEW)]
)
def test_who_may_use_the_pages_of_one_account_is_refused_on_each_of_anothers(
    eu: Running, site: Site, start_dag: Callable[..., Any], closed: Account, open_page: str
) -> None:
    theirs = [
        (method, path.replace("/runs/1", "/runs/lists")) for method, path in routes()
        if path.startswith(EU) == (closed != DEFAULT) and "/oauth2/" not in path
        and "/task-calls" not in path
    ]  # fmt: skip
    with team_of(closed):
        for method, path in theirs:
            answer = (site.get if method == "GET" else site.post)(path, "OP")
            assert (answer.status, "does not allow" in answer.text) == (403, True), (method, path)
        refused = site.get(OVERVIEW if closed == DEFAULT else EU_OVERVIEW, "OP").text
        assert f'<a href="{open_page}" >' in refused
        shown = site.get(open_page, "OP")
        assert shown.status == 200
        assert 'aria-current="true"' in shown.text
        switcher = shown.text[shown.text.index('aria-label="Accounts"') :]
        assert f">{closed.name}</a>" not in switcher
        assert f">{closed.name}</a>" in site.get(open_page, "ADMIN").text


def test_who_may_edit_connections_needs_the_account_too_where_no_connection_is_a_teams(
    eu: Running, site: Site, start_dag: Callable[..., Any]
) -> None:
    from constant_contact.web.overview.syncs import syncs_of

    # As with an auth manager that knows no single connection: the right is one to all of them.
    with another_team(list(syncs_of(Account("eu"))), "of_somebody"):
        for path in ("authorize", "test", "credentials", "credentials/take-over"):
            assert site.post(f"{EU}/connection/{path}", "OP").status == 403, path
        assert site.get(f"{EU}/connection/credentials", "OP").status == 403
        assert site.post(f"{PAGES}/connection/test", "OP").status == 200
    assert site.post(f"{EU}/connection/test", "OP").status == 200
