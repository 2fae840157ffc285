"""Our pages, through Airflow's own api-server app: who may see what."""

from collections.abc import Callable

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import account_connection
from tests.support import CONN_ID

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
OVERVIEW = "/constant-contact/"
PAGES = [OVERVIEW]


class Site:
    """The api-server, asked as a user of a role, or as nobody."""

    def __init__(self) -> None:
        from airflow.api_fastapi.app import create_app
        from starlette.testclient import TestClient

        self._client = TestClient(create_app(apps="core"), base_url="http://testserver")

    def get(self, path: str, role: str | None = "VIEWER", token: str = "") -> tuple[int, str]:
        """Status and body."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        if role and not token:
            user = SimpleAuthManagerUser(username="somebody", role=role)
            token = get_auth_manager().generate_jwt(user)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._client.get(path, headers=headers)
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def site(airflow: pytest.MonkeyPatch) -> Site:
    return Site()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_shown_to_those_airflow_knows_and_to_nobody_else(
    site: Site, connections: pytest.MonkeyPatch, path: str
) -> None:
    assert site.get(path, role=None)[0] == 401
    assert site.get(path, token="forged")[0] == 403
    assert site.get(path, role="VIEWER")[0] == 200
    assert site.get(path, role="OP")[0] == 200


def test_the_overview_tells_what_each_lane_has_left(
    site: Site,
    simulator: Running,
    connections: pytest.MonkeyPatch,
    run_dag: Callable[..., object],
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator, extra={"calls_per_day": "1000"}))
    run_dag("constant_contact_lists")
    _, body = site.get(OVERVIEW)
    assert "1 of 1,000 calls made" in body
    for lane, left in (("opt_outs", 999), ("memberships", 899), ("engagement", 799)):
        row = body[body.index(f"<td>{lane}</td>") :]
        assert f'<td class="number">{left}</td>' in row[: row.index("</tr>")]
    assert "No task waits." in body


def test_a_crm_that_is_down_shows_as_such(site: Site, connections: pytest.MonkeyPatch) -> None:
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    status, body = site.get(OVERVIEW)
    assert status == 200
    assert "connection crm_default: the CRM database does not answer" in body
    assert "hunter2" not in body
