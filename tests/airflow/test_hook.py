"""The connection type: its form, its Test button, its hook."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Ran, account_connection
from tests.support import CONN_ID

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"


def button(simulator: Running, patch: pytest.MonkeyPatch, **fields: Any) -> tuple[bool, str]:
    """What the Test button answers for a connection with these fields."""
    from airflow.models.connection import Connection

    value = json.loads(account_connection(simulator, **fields))
    # As the api-server does it: under a made-up id, from the environment.
    patch.setenv("AIRFLOW_CONN_MADE_UP_ID", json.dumps(value))
    return Connection.from_json(json.dumps(value), conn_id="made_up_id").test_connection()


def test_the_button_says_that_all_is_right_and_uses_up_no_refresh_token(
    simulator: Running, connections: pytest.MonkeyPatch
) -> None:
    seed = simulator.control.grant()
    ok, message = button(simulator, connections, extra={"refresh_token": seed})
    assert (ok, message) == (True, "Key and secret are right, and the API answers.")
    refreshed = [call for call in simulator.control.calls() if call["status"] == 200]
    assert refreshed == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"login": ""}, "field Login (API key): is empty"),
        ({"password": "wrong"}, "Constant Contact refuses them"),
        ({"extra": {"refresh_token": ""}}, "refresh_token is empty"),
        ({"host": "http://127.0.0.1:9"}, "did not answer"),
        ({"extra": {"token_url": "http://127.0.0.1:9/token"}}, "field token_url"),
        ({"extra": {"rate_plan": "gold"}}, "'gold' is not a plan"),
    ],
)
def test_the_button_says_what_is_wrong(
    simulator: Running, connections: pytest.MonkeyPatch, fields: dict[str, Any], says: str
) -> None:
    ok, message = button(simulator, connections, **fields)
    assert not ok
    assert says in message
    assert "made_up_id" not in message
    assert "demo-secret" not in message


@pytest.mark.usefixtures("airflow")
def test_airflow_knows_the_connection_type_and_its_form() -> None:
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    hook = manager.hooks["constant_contact"]
    assert hook is not None
    assert hook.hook_name == "Constant Contact"
    from constant_contact.get_provider_info import get_provider_info

    (connection_type,) = get_provider_info()["connection-types"]
    assert {"refresh_token", "rate_plan", "scope"} <= connection_type["conn-fields"].keys()
    assert connection_type["conn-fields"]["refresh_token"]["schema"]["format"] == "password"
    for name, field in connection_type["conn-fields"].items():
        assert field["label"], name
        assert len(field["description"]) > 10, name


@pytest.mark.usefixtures("airflow")
def test_the_provider_info_is_what_airflows_schema_asks_for() -> None:
    from airflow.providers_manager import _create_provider_info_schema_validator

    from constant_contact.get_provider_info import get_provider_info

    _create_provider_info_schema_validator().validate(get_provider_info())


def test_a_session_for_calls_by_hand_is_authorized_and_paced(
    simulator: Running, run_dag: Callable[..., Ran], sql_rows: Callable[..., list[dict[str, Any]]]
) -> None:
    simulator.control.load(lists=[{"name": "One"}])
    ran = run_dag("by_hand", folder=Path(__file__).parent / "dags")
    assert ran.returned == {"names": ["One"]}
    assert sql_rows("SELECT calls FROM ctct_api_budget") == [{"calls": 1}]


def test_a_connection_that_is_not_there_is_named(connections: pytest.MonkeyPatch) -> None:
    from constant_contact.errors import SettingError
    from constant_contact.hooks.constant_contact import ConstantContactHook

    with pytest.raises(SettingError, match="connection constant_contact_other: does not exist"):
        _ = ConstantContactHook("constant_contact_other").settings
