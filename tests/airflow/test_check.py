"""The check, as a DAG and as a command: before anything else is set but the two connections."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from constant_contact.sync.check.results import ASSUMED
from simulator.server import Running
from tests.airflow.airflow_runs import Run, account_connection, crm_connection
from tests.support import CONN_ID, Rows

Command = Callable[..., tuple[int, str, str]]


def test_a_run_tells_each_line_counts_them_last_and_keeps_them(
    run_dag: Run, sql_rows: Rows
) -> None:
    sql_rows("DROP INDEX ctct_link_email")
    ran = run_dag("constant_contact_check")
    assert ran.state == "success"
    for name in ASSUMED:
        assert f": {name}: " in ran.log, name
    assert "differs: our_indexes: missing or invalid: ctct_link_email" in ran.log
    last = [line for line in ran.log.splitlines() if "check: ok " in line]
    assert "found (our indexes differs)" in last[-1]
    assert ran.returned["check"]["found"] == {"our_indexes": "differs"}
    assert sql_rows("SELECT count(*) AS kept FROM ctct_check") == [{"kept": 1}]


def test_before_the_schema_is_there_a_run_says_so_and_succeeds(
    run_dag: Run, connections: pytest.MonkeyPatch, empty_url: str
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", crm_connection(empty_url))
    ran = run_dag("constant_contact_check")
    assert ran.state == "success"
    assert "differs: schema_version: there is no schema of ours yet" in ran.log
    assert "not tried: token: the account could not be asked" in ran.log
    assert ran.returned["check"]["not_kept"]


def test_a_run_fails_only_where_it_could_not_be_run(
    run_dag: Run, connections: pytest.MonkeyPatch
) -> None:
    without_contact = run_dag("constant_contact_check", write=True)
    assert without_contact.state == "failed"
    assert "param test_contact_id: is empty" in without_contact.log
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", "postgres://localhost:1/crm")
    away = run_dag("constant_contact_check")
    assert away.state == "failed"
    assert "connection crm_default: the CRM database does not answer" in away.log


def test_an_account_that_is_not_connected_leaves_the_lines_of_the_crm(
    run_dag: Run, connections: pytest.MonkeyPatch
) -> None:
    connections.delenv(f"AIRFLOW_CONN_{CONN_ID.upper()}")
    ran = run_dag("constant_contact_check")
    assert ran.state == "success"
    assert f"connection {CONN_ID}: does not exist" in ran.log
    assert "ok: server_version: PostgreSQL" in ran.log


def test_no_run_is_made_with_an_address_in_place_of_the_id(run_dag: Run) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.sdk.exceptions import ParamValidationError
    from airflow.utils.session import create_session

    for address in ("only.i.read.this@example.com", "only.i.read.this%40example.com"):
        with pytest.raises(ParamValidationError, match="test_contact_id"):
            run_dag("constant_contact_check", write=True, test_contact_id=address)
    with create_session() as session:
        kept = session.query(DagRun).filter_by(dag_id="constant_contact_check").all()
        assert "only.i.read" not in str([run.conf for run in kept])


def test_a_run_that_is_ended_from_outside_ends_where_it_is(
    connections: pytest.MonkeyPatch,
) -> None:
    from airflow.sdk.exceptions import AirflowTaskTerminated

    from constant_contact.hooks.constant_contact import ConstantContactHook
    from constant_contact.operators import check

    operator = check.CheckOperator(task_id="check")
    operator.on_kill()
    connections.setattr(check, "run_check", lambda *_: operator.on_kill())
    with closing(ConstantContactHook()) as hook, pytest.raises(AirflowTaskTerminated):
        operator.sync(hook, {})
    operator.on_kill()


def test_the_address_of_the_test_contact_is_nowhere(
    run_dag: Run, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    add_crm_contact("test", "only.i.read.this@example.com")
    ran = run_dag("constant_contact_check", write=True, test_contact_id="test")
    assert ran.state == "success"
    stored = sql_rows("SELECT * FROM ctct_check_line")
    called = sql_rows("SELECT * FROM ctct_api_call")
    assert "only.i.read" not in ran.log + str(ran.returned) + str(stored) + str(called)


def test_the_command_tells_the_same_without_a_run_and_writes_the_file(
    command: Command,
    connections: pytest.MonkeyPatch,
    sql_rows: Rows,
    tmp_path: Path,
) -> None:
    file = tmp_path / "check.md"
    status, out, err = command("check", "--file", str(file))
    assert (status, err) == (0, "")
    for name in ASSUMED:
        assert f": {name}: " in out, name
    assert file.read_text(encoding="utf-8").startswith("# Check of ")
    assert sql_rows("SELECT count(*) AS kept FROM ctct_check") == [{"kept": 1}]
    assert command("check", "--file", str(tmp_path / "no" / "check.md"))[2].startswith("--file: ")


def test_the_command_finds_connections_and_keeps_tokens_in_airflows_database(
    command: Command,
    connections: pytest.MonkeyPatch,
    simulator: Running,
    crm_url: str,
) -> None:
    from airflow.models.connection import Connection
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    stored = {
        "crm_default": crm_connection(crm_url),
        CONN_ID: account_connection(simulator),
    }
    for conn_id in stored:
        connections.delenv(f"AIRFLOW_CONN_{conn_id.upper()}")
    with create_session() as session:
        session.add_all(Connection.from_json(value, key) for key, value in stored.items())
    try:
        status, out, err = command("check")
        with create_session() as session:
            kept = session.scalar(select(Variable).where(Variable.key == f"{CONN_ID}_tokens"))
    finally:
        with create_session() as session:
            session.execute(delete(Connection).where(Connection.conn_id.in_(stored)))
    assert (status, err) == (0, "")
    assert "ok: token: " in out
    assert kept is not None


def test_the_command_says_in_one_line_why_it_cannot_run(
    command: Command, connections: pytest.MonkeyPatch
) -> None:
    assert command("check", "--account", "eu") == (1, "", "--account: is none of default.\n")
    assert command("check", "--write")[2].startswith("param test_contact_id: is empty")
    address = command("check", "--write", "--test-contact-id", "only.i.read.this@example.com")[2]
    assert address.startswith("param test_contact_id: has the form of an address")
    assert "only.i.read" not in address
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", "mysql://host/crm")
    status, out, err = command("check")
    assert (status, out) == (1, "")
    assert err.startswith("connection crm_default: is of type mysql")
    assert len(err.splitlines()) == 1


def test_each_account_has_a_check_of_its_own(
    run_dag: Run, eu: Running, eu_rows: Rows, sql_rows: Rows
) -> None:
    ran = run_dag("constant_contact_check", account="eu")
    assert ran.state == "success"
    assert ran.returned["check"]["found"] == {}
    assert eu_rows("SELECT count(*) AS kept FROM ctct_check") == [{"kept": 1}]
    assert sql_rows("SELECT count(*) AS kept FROM ctct_check") == [{"kept": 0}]


def test_the_command_checks_the_account_that_it_names(
    command: Command, eu: Running, eu_rows: Rows
) -> None:
    status, out, err = command("check", "--account", "eu")
    assert (status, err) == (0, "")
    assert "ok: own_tables: of this account" in out
    assert eu_rows("SELECT count(*) AS kept FROM ctct_check") == [{"kept": 1}]
