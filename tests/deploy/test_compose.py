"""The compose file says what `make up EXECUTOR=celery` does; it cannot run here."""

import importlib.resources
import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import redis

from local import deployment, up
from local.components import commands
from local.environment import airflow_environment
from local.paths import ROOT
from tests.deploy.compose import (
    COMPOSE,
    OVERRIDES,
    REQUIRED,
    SERVICES,
    Service,
    example,
    variables_in,
)
from tests.ports import free_port

AIRFLOW = {name: SERVICES[name] for name in deployment.PROCESSES}
ONCE = ("init", "demo-contacts")
#: What only `make up` sets, and why a deployment does without.
ONLY_HERE = {
    "AIRFLOW_HOME": "the image has one",
    "AIRFLOW_CONFIG": "likewise",
    "AIRFLOW__API__HOST": "this machine only; a container's is its own",
    "AIRFLOW__API__PORT": "likewise",
    "AIRFLOW__API__WORKERS": "the default, said aloud",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "the default, but for the simulator",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": "the login of a developer's machine",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "likewise",
    "AIRFLOW__CORE__TEST_CONNECTION": "Airflow advises against it where several people log in",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "files of an image do not change",
}


def native() -> dict[str, str]:
    """The environment of `make up EXECUTOR=celery`."""
    below = airflow_environment(
        {},
        metadata_url="postgresql+psycopg2://…",
        connections={deployment.CRM: "…", deployment.CONSTANT_CONTACT: "…"},
        paused=True,
        settings=deployment.SETTINGS,
    )
    return below | up.addresses(8080) | {deployment.BROKER: "redis+socket://…"}


def test_it_is_what_the_compose_specification_allows() -> None:
    package = importlib.resources.files("check_jsonschema")
    schema = json.loads((package / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    assert len(OVERRIDES) == 2
    for file in (COMPOSE, *OVERRIDES.values()):
        jsonschema.validate(file, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(COMPOSE | {"servces": {}}, schema)


def test_its_processes_are_those_of_make_up() -> None:
    for name, service in AIRFLOW.items():
        assert tuple(service["command"].split()) == deployment.PROCESSES[name]
    assert AIRFLOW["worker"]["deploy"]["replicas"] == deployment.WORKERS
    started = commands(deployment.SETTINGS[deployment.EXECUTOR])
    for name, arguments in started.items():
        process = deployment.PROCESSES[name.split("-")[0] if "worker" in name else name]
        assert arguments[: len(process)] == process
    assert len(started) == len(AIRFLOW) - 1 + deployment.WORKERS
    program, *arguments = deployment.REDIS
    assert f"exec {program} - {' '.join(arguments)} <<" in SERVICES["redis"]["command"][-1]


@pytest.mark.usefixtures("own_secrets")
@pytest.mark.parametrize("service", [*AIRFLOW.values(), SERVICES["init"]], ids=[*AIRFLOW, "init"])
def test_its_settings_are_those_of_make_up(service: Service) -> None:
    given = service["environment"]
    assert {name: given[name] for name in deployment.SETTINGS} == dict(deployment.SETTINGS)
    assert given[deployment.AUTH_MANAGER] == deployment.LOGIN[deployment.AUTH_MANAGER]
    here = {name for name in native() if name.startswith("AIRFLOW")} - ONLY_HERE.keys()
    assert {name for name in given if name.startswith("AIRFLOW_")} - {
        deployment.AUTH_MANAGER, "AIRFLOW_ADMIN_PASSWORD",
    } == here  # fmt: skip


def test_what_is_secret_comes_from_the_env_file_and_nothing_starts_without() -> None:
    given = AIRFLOW["worker"]["environment"]
    for name in (*deployment.SECRETS, *deployment.ADDRESSES):
        required = REQUIRED.fullmatch(given[name])
        assert required is not None, name
        assert required[1] == name
    used = variables_in(json.dumps([COMPOSE, *OVERRIDES.values()]))
    assert used - {"IMAGE"} == example().keys()


def test_the_example_holds_no_secret_and_git_takes_none_of_the_real_ones() -> None:
    values = example()
    secret = {name for name in values if name.endswith(("_KEY", "_SECRET", "_PASSWORD"))}
    for name in secret | {deployment.CRM, deployment.CONSTANT_CONTACT}:
        assert values[name] == ""
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize(("name", "service"), SERVICES.items(), ids=SERVICES.keys())
def test_every_service_is_limited_watched_and_restarted(name: str, service: Service) -> None:
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["logging"]["options"]["max-size"]
    if name in ONCE:
        assert service["restart"].startswith("on-failure")
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize(("name", "service"), SERVICES.items(), ids=SERVICES.keys())
def test_no_service_gets_rights_that_it_does_not_need(name: str, service: Service) -> None:
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert ("cap_add" in service) == (name == "postgres")
    assert not {"privileged", "pid", "devices"} & service.keys()


def test_no_secret_is_an_argument_of_a_process() -> None:
    """Every user of the machine reads those, and `docker inspect` prints them."""
    for name, service in SERVICES.items():
        said = json.dumps([service.get("command", ""), service.get("healthcheck", {})])
        assert not variables_in(said), name
    script = (ROOT / "deploy" / "init.sh").read_text()
    commands = [
        line for line in script.replace("\\\n", " ").splitlines()
        if "PASSWORD" in line and not line.startswith(("#", "printf "))
    ]  # fmt: skip
    assert commands == []


def test_redis_reads_its_password_from_its_input_alone(tmp_path: Path) -> None:
    *shell, script = SERVICES["redis"]["command"]
    script = script.replace("$$", "$")
    port = free_port()
    process = subprocess.Popen(
        [*shell, script.replace("--appendonly yes", f"--appendonly yes --port {port}")],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": "of-the-test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("Ready to accept" in line for line in process.stdout)
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert arguments.startswith(b"redis-server")
        assert b"of-the-test" not in arguments
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        assert redis.Redis(port=port, password="of-the-test").ping()
    finally:
        process.terminate()
        process.wait()


def test_on_several_machines_the_first_offers_what_the_others_need_on_one_address() -> None:
    shared = OVERRIDES["compose.shared.yaml"]["services"]
    assert shared.keys() == {"postgres", "redis", "api-server"}
    for service in shared.values():
        (port,) = service["ports"]
        assert port.startswith("${PRIVATE_ADDRESS:?")
    assert OVERRIDES["compose.worker.yaml"]["services"].keys() == {"worker"}


def test_nothing_but_the_ui_is_reached_from_outside() -> None:
    open_ports = {name for name, service in SERVICES.items() if "ports" in service}
    assert open_ports == {"api-server"}
    assert example()["PUBLISH"].startswith("127.0.0.1:")


def test_the_simulator_runs_in_the_demo_only() -> None:
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert {name for name, each in profiles.items() if each} == {"simulator", "demo-contacts"}
