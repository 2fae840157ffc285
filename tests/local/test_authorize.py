"""`make authorize`, with the simulator's consent page."""

import json
import re
import socket
import stat

import pytest
import requests

from simulator.server import Running
from tests.local.local_commands import Commands, finish


def connection(simulator: Running, port: int, **fields: str) -> str:
    extra = {
        "authorize_url": f"{simulator.url}/oauth2/default/v1/authorize",
        "token_url": f"{simulator.url}/oauth2/default/v1/token",
        "redirect_url": f"http://localhost:{port}/callback",
    } | fields
    return json.dumps(
        {
            "conn_type": "constant_contact",
            "host": simulator.url,
            "login": "demo-api-key",
            "password": "demo-secret",
            "extra": extra,
        }
    )


def authorize(
    commands: Commands, simulator: Running, port: int, decision: str, account: str = "",
    **fields: str,
) -> tuple[int, str, str]:  # fmt: skip
    """Start the command, open the page it names, decide, follow the redirect."""
    variable = f"AIRFLOW_CONN_CONSTANT_CONTACT_{account.upper() or 'DEFAULT'}"
    environment = {variable: connection(simulator, port, **fields), "ACCOUNT": account}
    child = commands.start("local.authorize", PYTHONUNBUFFERED="1", **environment)
    assert child.stdout is not None
    url = ""
    for line in child.stdout:
        if found := re.search(r"http\S+/authorize\S+", line):
            url = found.group()
            break
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(url, timeout=60)
        browser.post(url, data={"decision": decision}, timeout=60)
    ended = finish(child)
    return ended.status, ended.out, ended.err


def test_an_allowed_access_leaves_a_refresh_token_that_works(
    commands: Commands, simulator: Running
) -> None:
    status, out, err = authorize(commands, simulator, 8911, "allow")
    assert status == 0, err
    file = commands.local / "refresh_token"
    token = file.read_text().strip()
    assert token not in out + err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    reply = requests.post(
        f"{simulator.url}/oauth2/default/v1/token",
        data={"grant_type": "refresh_token", "refresh_token": token},
        auth=("demo-api-key", "demo-secret"),
        timeout=60,
    )
    assert reply.status_code == 200


def test_another_account_has_its_own_connection_and_its_own_file(
    commands: Commands, simulator: Running
) -> None:
    (commands.local / "refresh_token").unlink(missing_ok=True)
    status, _, err = authorize(commands, simulator, 8914, "allow", account="eu")
    assert status == 0, err
    assert (commands.local / "refresh_token_eu").exists()
    assert not (commands.local / "refresh_token").exists()


def test_a_denied_access_and_a_missing_scope_are_told(
    commands: Commands, simulator: Running
) -> None:
    status, _, err = authorize(commands, simulator, 8912, "deny")
    assert (status, "not allowed" in err) == (1, True)
    scope = "contact_data campaign_data"
    status, _, err = authorize(commands, simulator, 8913, "allow", scope=scope)
    assert (status, "offline_access" in err) == (1, True)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is not set"),
        ('{"conn_type": "constant_contact"}', "field Login (API key): is empty"),
        ('{"login": "k", "password": "s"}', "redirect_url in extra must lead to this machine"),
        ('{"login": "k", "password": "hushed', "is no Airflow connection (JSONDecodeError)"),
    ],
)
def test_what_is_missing_is_named(commands: Commands, value: str, says: str) -> None:
    ended = commands.run("local.authorize", AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT=value)
    assert ended.status == 2
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "hushed" not in ended.err


def test_a_port_that_somebody_listens_at_is_named(commands: Commands, simulator: Running) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        value = connection(simulator, port)
        ended = commands.run("local.authorize", AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT=value)
    assert ended.status == 1
    assert ended.err.startswith(f"the browser cannot be led back to localhost:{port} (")
    assert len(ended.err.splitlines()) == 1
