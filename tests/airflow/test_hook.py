"""The connection type: its form, its Test button, its hook."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.server import Running
from tests.airflow.airflow_runs import Ran, account_connection
from tests.api.raw_server import raw_server, whole
from tests.support import CONN_ID, MemoryTokenStore, Rows

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
    simulator: Running, run_dag: Callable[..., Ran], sql_rows: Rows
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


@pytest.fixture
def hook(simulator: Running, connections: pytest.MonkeyPatch) -> Iterator[Any]:
    """With tokens in memory: only a task may write Variables through the hook's own store."""
    from constant_contact.hooks.constant_contact import ConstantContactHook

    seed = {"refresh_token": simulator.control.grant()}
    connections.setenv(ACCOUNT, account_connection(simulator, extra=seed))
    with closing(ConstantContactHook()) as made:
        made.token_store = MemoryTokenStore(made.crm)
        yield made


def test_a_netrc_replaces_no_token_and_another_host_gets_none(
    hook: Any, connections: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password guessed\n")
    connections.setenv("NETRC", str(netrc))
    with raw_server(whole("200 OK", b"")) as elsewhere, hook.get_conn() as session:
        # as with an API that is not on this machine
        session.trust_env = True
        assert session.get(f"{hook.base_url}/v3/contact_lists").status_code == 200
        session.get(elsewhere.url)
    assert b"authorization" not in elsewhere.requests[0].lower()


def test_a_session_for_calls_by_hand_follows_no_redirect(hook: Any) -> None:
    elsewhere = whole("302 Found", b"", "Location: http://127.0.0.1:9/")
    with raw_server(elsewhere) as server, hook.get_conn() as session:
        assert session.get(server.url).status_code == 302


def test_a_session_for_calls_by_hand_reads_no_flood(hook: Any) -> None:
    flood = whole("200 OK", gzip.compress(b"a" * (64 << 20)), "Content-Encoding: gzip")
    refused = pytest.raises(requests.RequestException, match="more than")
    with raw_server(flood) as server, hook.get_conn() as session, refused:
        session.get(server.url)
