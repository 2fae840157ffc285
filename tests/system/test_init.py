"""deploy/init.sh, run without its container: both databases, the first user, the login."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.deployment import (
    ADDRESSES,
    BROKER,
    CONSTANT_CONTACT,
    CRM,
    EXECUTION_API,
    FOLDERS,
    METADATA,
)
from local.paths import ROOT
from local.postgres import AIRFLOW_DATABASE, LocalPostgres
from local.processes import spawn, stop_group
from local.secrets_file import generate
from tests.deploy.compose import SERVICES
from tests.local.local_commands import CLEAN
from tests.ports import free_port
from tests.system.deployment import PATIENCE_S, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]

Environment = dict[str, str]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The service's, with what .env and the image would give."""
    folder, made, url = (
        tmp_path_factory.mktemp("init"),
        generate(),
        f"http://localhost:{free_port()}",
    )
    with LocalPostgres(folder / "postgres") as postgres:
        yield {
            **CLEAN,
            **SERVICES["init"]["environment"],
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}",
            "LOCAL_FOLDER": str(folder),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW_ADMIN_PASSWORD": made.admin_password,
            "AIRFLOW__API_AUTH__JWT_SECRET": made.jwt_secret,
            "AIRFLOW__API__SECRET_KEY": made.api_secret_key,
            "AIRFLOW__CORE__FERNET_KEY": made.fernet_key,
            BROKER: "redis://localhost:1/0",
            METADATA: postgres.url(AIRFLOW_DATABASE, "psycopg2"),
            CRM: postgres.airflow_connection(),
            CONSTANT_CONTACT: '{"conn_type": "constant_contact"}',
            **dict.fromkeys(ADDRESSES, url),
            EXECUTION_API: f"{url}/execution/",
            **dict(zip(FOLDERS, (str(ROOT / "dags"), str(ROOT / "plugins")), strict=True)),
        }


def init(environment: Environment) -> str:
    done = subprocess.run(
        ["bash", "deploy/init.sh"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_it_prepares_everything_once_and_the_user_it_made_may_log_in(
    environment: Environment, tmp_path: Path
) -> None:
    first, second = init(environment), init(environment)
    assert 'User "admin" created' in first
    assert "applied 0001_crm" in first
    assert "admin already exist" in second
    assert "was already up to date" in second
    url = environment["AIRFLOW__API__BASE_URL"]
    command = [sys.executable, "-m", "airflow", "api-server", "--port", url.rpartition(":")[2]]
    server = spawn(command, tmp_path / "api-server.log", environment=environment)
    try:
        wait_for("the API server answers", lambda: answers(f"{url}/api/v2/version"))
        right, wrong = environment["AIRFLOW_ADMIN_PASSWORD"], "another"
        assert (log_in(url, right), log_in(url, wrong)) == (201, 401)
    finally:
        stop_group(server.pid)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def log_in(url: str, password: str) -> int:
    login = {"username": "admin", "password": password}
    return requests.post(f"{url}/auth/token", json=login, timeout=PATIENCE_S).status_code
