"""Who wins: the caller or the repository."""

import json
import stat

import pytest

from local import deployment, environment, paths
from local.environment import CONSTANT_CONTACT, CRM, METADATA
from local.secrets_file import load_secrets
from local.simulator import Account
from local.stop import USAGE, Stop

OURS = {CRM: "local crm", CONSTANT_CONTACT: "simulator"}
DAGS = "AIRFLOW__CORE__DAGS_FOLDER"


pytestmark = pytest.mark.usefixtures("own_secrets")


PRECEDENCE = {
    "nothing set: ours": ({}, METADATA, "local"),
    "metadata set: the caller's": ({METADATA: "theirs"}, METADATA, "theirs"),
    "metadata set but empty: ours": ({METADATA: ""}, METADATA, "local"),
    "DAGs folder: ours": ({}, DAGS, str(paths.ROOT / "dags")),
    "DAGs folder set: the caller's": ({DAGS: "elsewhere"}, DAGS, "elsewhere"),
    "examples: off": ({}, "AIRFLOW__CORE__LOAD_EXAMPLES", "False"),
    "executor set: ours": (
        {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"},
        "AIRFLOW__CORE__EXECUTOR",
        "LocalExecutor",
    ),
    "plugins set: ours": (
        {"AIRFLOW__CORE__PLUGINS_FOLDER": "x"},
        "AIRFLOW__CORE__PLUGINS_FOLDER",
        str(paths.ROOT / "plugins"),
    ),
    "anything else: passed on": ({"LANG": "C"}, "LANG", "C"),
    "connection: as resolved": ({CRM: ""}, CRM, "local crm"),
}


@pytest.mark.parametrize(("caller", "name", "value"), PRECEDENCE.values(), ids=PRECEDENCE.keys())
def test_precedence(caller: dict[str, str], name: str, value: str) -> None:
    result = environment.airflow_environment(
        caller, metadata_url="local", connections=OURS, paused=False
    )
    assert result[name] == value


def test_settings_of_a_deployment_give_way_to_the_callers_but_for_the_executor() -> None:
    timeout = "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"
    result = environment.airflow_environment(
        {timeout: "20", "AIRFLOW__CORE__EXECUTOR": "LocalExecutor"},
        metadata_url="local",
        connections=OURS,
        paused=False,
        settings=deployment.SETTINGS,
    )
    assert result[timeout] == "20"
    assert result["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert result["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "4"


def test_a_home_exported_for_another_project_is_not_used(tmp_path) -> None:  # type: ignore[no-untyped-def]
    result = environment.airflow_environment(
        {"AIRFLOW_HOME": "/else", "AIRFLOW_CONFIG": "/else/airflow.cfg"},
        metadata_url="local",
        connections=OURS,
        paused=True,
    )
    assert result["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert result["AIRFLOW_CONFIG"] == str(tmp_path / "airflow" / "airflow.cfg")


OWN = {
    "none": ({}, None),
    "both empty": ({CRM: "", CONSTANT_CONTACT: ""}, None),
    "both": ({CRM: "a", CONSTANT_CONTACT: "b"}, {CRM: "a", CONSTANT_CONTACT: "b"}),
}


@pytest.mark.parametrize(("caller", "given"), OWN.values(), ids=OWN.keys())
def test_connections_are_the_callers_both_or_neither(
    caller: dict[str, str], given: dict[str, str] | None
) -> None:
    assert environment.own_connections(caller) == given


@pytest.mark.parametrize(("present", "missing"), [(CRM, CONSTANT_CONTACT), (CONSTANT_CONTACT, CRM)])
def test_one_connection_alone_names_the_missing_one(present: str, missing: str) -> None:
    with pytest.raises(Stop, match=f"^{missing} is not set, but {present} is") as stop:
        environment.own_connections({present: "x"})
    assert stop.value.status == USAGE


def test_secrets_are_made_once_and_for_this_user_only(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "again" / "secrets.json"
    assert load_secrets(file) == load_secrets(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_simulators_connection_is_one_that_airflow_reads() -> None:
    from airflow.sdk import Connection

    text = Account("http://127.0.0.1:1234", "seed", 1).airflow_connection(ui_port=8090)
    connection = Connection.from_json(text, conn_id="constant_contact_default")
    assert connection.conn_type == "constant_contact"
    assert connection.host == "http://127.0.0.1:1234"
    assert connection.extra_dejson["refresh_token"] == "seed"
    assert connection.extra_dejson["token_url"] == "http://127.0.0.1:1234/oauth2/default/v1/token"
    assert json.loads(text)["extra"]["redirect_url"].startswith("http://localhost:8090/")
