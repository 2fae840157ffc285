"""The overview page."""

from collections.abc import Callable

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import account_connection
from tests.airflow.site import Site
from tests.support import CONN_ID

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
OVERVIEW = "/constant-contact/"


def test_the_overview_tells_what_each_lane_has_left(
    site: Site,
    simulator: Running,
    connections: pytest.MonkeyPatch,
    run_dag: Callable[..., object],
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator, extra={"calls_per_day": "1000"}))
    run_dag("constant_contact_lists")
    body = site.get(OVERVIEW).text
    assert "1 of 1,000 calls made" in body
    for lane, left in (("opt_outs", 999), ("memberships", 899), ("engagement", 799)):
        row = body[body.index(f"<td>{lane}</td>") :]
        assert f'<td class="number">{left}</td>' in row[: row.index("</tr>")]
    assert "No task waits." in body


def test_a_crm_that_is_down_shows_as_such(site: Site, connections: pytest.MonkeyPatch) -> None:
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    answer = site.get(OVERVIEW)
    assert answer.status == 200
    assert "connection crm_default: the CRM database does not answer" in answer.text
    assert "hunter2" not in answer.text
