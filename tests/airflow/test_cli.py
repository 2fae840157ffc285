"""`airflow constant-contact …`: what a person runs where there is no `make`."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from constant_contact.store.seam import SHIPPED
from simulator.server import Running
from tests.airflow.airflow_runs import account_connection, crm_connection
from tests.support import EU_SCHEMA, run_rows

Command = Callable[..., tuple[int, str, str]]


def test_the_schema_comes_to_the_connection_that_airflows_database_has_and_comes_once(
    command: Command, empty_url: str
) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.add(Connection.from_json(crm_connection(empty_url), "crm_default"))
    try:
        status, out, err = command("migrate")
        assert (status, err) == (0, "")
        assert "applied 0001_crm" in out
        assert command("migrate") == (
            0,
            "the CRM of connection crm_default was already up to date\n",
            "",
        )
    finally:
        with create_session() as session:
            session.execute(delete(Connection).where(Connection.conn_id == "crm_default"))
    assert run_rows(empty_url, "SELECT count(*) FROM ctct_link")


def test_each_account_is_migrated_and_knows_whose_its_tables_are(
    command: Command, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "eu")
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DEFAULT", crm_connection(empty_url))
    monkeypatch.setenv("AIRFLOW_CONN_CRM_EU", crm_connection(empty_url, search_path=EU_SCHEMA))
    status, out, err = command("migrate")
    assert (status, err) == (0, "")
    assert out.count("applied 0001_crm") == 2
    (owner,) = run_rows(empty_url, f"SELECT constant_contact_conn_id FROM {EU_SCHEMA}.ctct_account")
    assert owner["constant_contact_conn_id"] == "constant_contact_eu"


def test_a_file_that_does_not_fit_is_a_line_and_the_schema_is_there(
    command: Command, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "contacts.sql").write_bytes((SHIPPED / "contacts.sql").read_bytes())
    (tmp_path / "write_back.sql").write_text("UPDATE nowhere SET x = 1")
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DEFAULT", crm_connection(empty_url))
    monkeypatch.setenv("AIRFLOW__CONSTANT_CONTACT__CRM_FOLDER", str(tmp_path))
    status, out, err = command("migrate")
    assert (status, "applied 0001_crm" in out) == (1, True), err
    contacts, write_back = err.splitlines()
    assert contacts.startswith(f"{tmp_path}/contacts.sql: ")
    assert write_back.startswith(f"{tmp_path}/write_back.sql: ")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "connection crm_default: does not exist; add it in Airflow, or set AIRFLOW_CONN_CRM"),
        ("mysql://host/crm", "connection crm_default: is of type mysql; the CRM has to be Postgre"),
        ("postgres://localhost:1/crm", "connection crm_default: the CRM database does not answer"),
    ],
)
def test_a_connection_that_leads_to_no_crm_is_named_in_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DEFAULT", value)
    status, out, err = command("migrate")
    assert (status, out) == (1, "")
    assert err.startswith(says)
    assert len(err.splitlines()) == 1


def test_an_account_that_no_option_names_is_refused(command: Command) -> None:
    assert command("authorize", "--account", "eu") == (1, "", "--account: is none of default.\n")


def test_an_authorization_in_the_browser_leaves_a_token_for_its_owner_only(
    airflow: pytest.MonkeyPatch, simulator: Running, tmp_path: Path
) -> None:
    redirect = {"redirect_url": "http://localhost:8915/callback"}
    value = account_connection(simulator, extra=redirect)
    file = tmp_path / "refresh_token"
    child = subprocess.Popen(
        [sys.executable, "-m", "airflow", "constant-contact", "authorize", "--file", file],
        env={**os.environ, "AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT": value},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    url = next(
        found[0] for line in child.stdout if (found := re.search(r"http\S+/authorize\S+", line))
    )
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(url, timeout=60)
        browser.post(url, data={"decision": "allow"}, timeout=60)
    out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert f"The refresh token is in {file}." in out
    assert file.read_text().strip() not in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
