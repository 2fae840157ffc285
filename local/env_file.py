"""`make env`: `.env` for docker-compose.yaml, of `.env.example`, with keys of its own.

Needs nothing but Python: where containers run, no environment for Airflow has to be made.
"""

import argparse
import json
import secrets
from pathlib import Path
from string import Template

from local.environment import CONSTANT_CONTACT, CRM
from local.paths import ROOT
from local.secrets_file import generate, publish
from local.stop import Stop, command

DEMO_CRM = "@postgres:5432/crm"
DEMO_SIMULATOR = "http://simulator:8099"


def main() -> int:
    """Makes the file, once."""
    parser = argparse.ArgumentParser(prog="python -m local.env_file", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="connect to the profile demo's parts")
    asked = parser.parse_args()
    write_env(ROOT, demo=asked.demo)
    rest = "for the profile demo" if asked.demo else f"fill in {CRM} and {CONSTANT_CONTACT}"
    print(f"made .env, readable by you only: {rest}, keep a copy, and see docs/deploying.md")
    return 0


def write_env(root: Path, *, demo: bool) -> None:
    """Fills the empty lines of the example.

    Raises:
        Stop: there is one: its keys belong to the data that it was used with.
    """
    file = root / ".env"
    if file.exists():
        raise Stop(f"{file} is there, and with other keys its databases cannot be read: left as is")
    values = _keys()
    if demo:
        values |= _demo_connections(values["POSTGRES_PASSWORD"])
    lines = (root / ".env.example").read_text().splitlines()
    publish(file, "\n".join(_filled(line, values) for line in lines) + "\n")


def _filled(line: str, values: dict[str, str]) -> str:
    name, equals, value = line.partition("=")
    if line.startswith("#") or not equals:
        return line
    return f"{name}={Template(value).substitute(values) or values.get(name, '')}"


def _keys() -> dict[str, str]:
    made = generate()
    return {
        "AIRFLOW__CORE__FERNET_KEY": made.fernet_key,
        "AIRFLOW__API__SECRET_KEY": made.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": made.jwt_secret,
        "AIRFLOW_ADMIN_PASSWORD": made.admin_password,
        # they stand in URLs: nothing that would have to be quoted there
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
    }


def _demo_connections(postgres_password: str) -> dict[str, str]:
    account = {
        "conn_type": "constant_contact",
        "host": DEMO_SIMULATOR,
        "login": "demo-api-key",
        "password": "demo-secret",
        "extra": {
            "authorize_url": f"{DEMO_SIMULATOR}/oauth2/default/v1/authorize",
            "token_url": f"{DEMO_SIMULATOR}/oauth2/default/v1/token",
            "redirect_url": "http://localhost:8080/oauth2/callback",
            "scope": "contact_data campaign_data offline_access",
            "refresh_token": "demo-refresh-token",
        },
    }
    return {
        CRM: f"postgresql://airflow:{postgres_password}{DEMO_CRM}",
        # in single quotes Compose takes it as it is
        CONSTANT_CONTACT: f"'{json.dumps(account)}'",
    }


if __name__ == "__main__":
    command(main)
