"""The CRM's connection: a host that swallows packets is given up, and other jobs go on."""

import asyncio
import json
import os
import socket
import time
from datetime import date
from typing import Any

import pytest

from constant_contact.errors import DatabaseUnavailable, SettingError
from tests.airflow.airflow_runs import crm_connection

VARIABLE = "PGCONNECT_TIMEOUT"


def made(class_name: str, value: str) -> Any:
    """The connection as a task, or as the api-server, has it; None: it is to be looked up."""
    from airflow.models.connection import Connection as OrmConnection
    from airflow.sdk import Connection

    makes = {"sdk": Connection.from_json, "orm": OrmConnection.from_json}
    return makes[class_name](value, conn_id="crm_default") if class_name in makes else None


@pytest.mark.parametrize("class_name", ["none", "sdk", "orm"])
@pytest.mark.parametrize(("own", "counts"), [({}, "4"), ({"connect_timeout": "7"}, "7")])
def test_the_connections_own_timeout_wins_over_the_one_of_the_code(
    connections: pytest.MonkeyPatch,
    crm_url: str,
    class_name: str,
    own: dict[str, str],
    counts: str,
) -> None:
    from constant_contact.hooks.crm import crm_database

    connections.delenv(VARIABLE, raising=False)
    given = json.loads(crm_connection(crm_url, search_path="pg_catalog,public"))
    given["extra"] |= own
    value = json.dumps(given)
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", value)
    crm = crm_database(connection=made(class_name, value), connect_timeout_s=4)
    with crm.transaction() as connection:
        assert connection.info.get_parameters()["connect_timeout"] == counts
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog,public",)
    crm.close()
    # Airflow's own connections of this process are as patient as before.
    assert VARIABLE not in os.environ


@pytest.mark.parametrize(
    "extra",
    [
        {"cursor": "dictcursor"},
        {"cursor": "realdictcursor"},
        {"autocommit": True},
        {"client_encoding": "LATIN1"},
        {"options": "-cdatestyle=German -cstandard_conforming_strings=off"},
    ],
)
def test_what_the_connection_has_for_others_changes_nothing_of_ours(
    connections: pytest.MonkeyPatch, crm_url: str, extra: dict[str, Any]
) -> None:
    from constant_contact.hooks.crm import crm_database

    given = json.loads(crm_connection(crm_url))
    given["extra"] = given.get("extra", {}) | extra
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", json.dumps(given))
    crm = crm_database()
    with crm.transaction() as connection:
        found = connection.execute(r"SELECT '\s', DATE '2026-02-01', '名'").fetchone()
        connection.execute("INSERT INTO crm_contact (contact_id) VALUES ('c1')")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM crm_contact").fetchone() == (0,)
    assert found == (r"\s", date(2026, 2, 1), "名")
    crm.close()


def test_an_extra_that_the_driver_does_not_know_is_named(
    connections: pytest.MonkeyPatch, crm_url: str
) -> None:
    from constant_contact.hooks.crm import connect_async, crm_database

    given = json.loads(crm_connection(crm_url))
    given["extra"] = given.get("extra", {}) | {"application_nam": "x"}
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", json.dumps(given))
    crm = crm_database()
    says = 'connection crm_default, field Extra: .*"application_nam"'
    with pytest.raises(SettingError, match=says), crm.transaction():
        pass
    with pytest.raises(SettingError, match=says):
        asyncio.run(connect_async())
    crm.close()


@pytest.mark.parametrize("class_name", ["sdk", "orm"])
def test_a_server_that_never_answers_is_given_up_in_time(
    airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, class_name: str
) -> None:
    from constant_contact.hooks.crm import crm_database

    monkeypatch.delenv(VARIABLE, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://ann@127.0.0.1:{silent.getsockname()[1]}/crm"
        crm = crm_database(connection=made(class_name, crm_connection(url)), connect_timeout_s=2)
        asked = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="connection crm_default"), crm.transaction():
            pass
    assert time.monotonic() - asked < 20
