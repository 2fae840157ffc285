"""Several accounts: DAGs for each, which carry what is theirs and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.accounts import Account, accounts_named
from simulator.server import Running
from tests.airflow.airflow_runs import (
    ROOT,
    Run,
    account_connection,
    crm_connection,
    load_dags,
)
from tests.airflow.test_dags import DAGS
from tests.support import EU_CONN_ID, EU_SCHEMA, Add, Flag, Rows, contact_id, vendor_contact

OPTION = "AIRFLOW__CONSTANT_CONTACT__ACCOUNTS"
PREFIX = "constant_contact_"


@pytest.fixture
def both(airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The DAGs of two accounts, without any connection."""
    monkeypatch.setenv(OPTION, "eu")
    return load_dags(ROOT / "dags")


def eu_of(dag_id: str) -> str:
    return dag_id.replace(PREFIX, f"{PREFIX}eu_")


def assets(dag: Any) -> set[str]:
    """Every asset that a DAG waits for, reads or fills."""
    waited = getattr(dag.timetable, "asset_condition", None)
    return {
        asset.name
        for asset in [
            *(waited.objects if hasattr(waited, "objects") else []),
            *(each for task in dag.tasks for each in [*task.inlets, *task.outlets]),
        ]
    }


def test_each_account_has_every_dag_and_the_default_ones_keep_their_ids(
    both: dict[str, Any],
) -> None:
    assert both.keys() == DAGS.keys() | {eu_of(dag_id) for dag_id in DAGS}


@pytest.mark.parametrize("dag_id", DAGS)
def test_the_dags_of_two_accounts_have_nothing_in_common_but_the_work(
    both: dict[str, Any], dag_id: str
) -> None:
    default, eu = both[dag_id], both[eu_of(dag_id)]
    assert eu.task_ids == default.task_ids
    assert {f"eu.{name}" for name in assets(default)} == assets(eu)
    assert set(eu.tags) == {*default.tags, "eu"}
    for task in eu.tasks:
        for field in ("constant_contact_conn_id", "crm_conn_id"):
            assert getattr(task, field, "is_eu").endswith("eu"), task.task_id
    assert (DAGS.keys() & set(eu.doc_md.replace("`", " ").split())) == set()
    assert "account eu" in eu.doc_md.splitlines()[0]
    assert "**When it fails**" in eu.doc_md


@pytest.mark.parametrize("noun", ["opt_outs", "list_memberships"])
def test_the_second_account_looks_at_its_own_rows_and_asks_by_its_own_dag(
    both: dict[str, Any], noun: str
) -> None:
    dag = both[f"{PREFIX}eu_{noun}"]
    (watched,) = (asset for asset in dag.timetable.asset_condition.objects if asset.watchers)
    assert watched.watchers[0].trigger.crm_conn_id == "crm_eu"
    ask = dag.get_task("ask")
    assert ask.partial_kwargs["trigger_dag_id"] == f"{PREFIX}eu_approvals"


def test_airflow_keeps_a_watcher_of_each_accounts_own(both: dict[str, Any]) -> None:
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.asset import AssetModel
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        # A paused DAG has no watcher.
        session.execute(update(DagModel).values(is_paused=False))
    sync_bag_to_db(DagBag(ROOT / "dags"), "dags-folder", None)
    with create_session() as session:
        watched = {
            asset.name: [trigger.kwargs["crm_conn_id"] for trigger in asset.triggers]
            for asset in session.query(AssetModel)
            if asset.triggers
        }
    assert {name: ids for name, ids in watched.items() if name.startswith("eu.")} == {
        "eu.crm_opt_out_change": ["crm_eu"],
        "eu.crm_list_membership": ["crm_eu"],
    }


def test_the_second_account_runs_through_airflow_and_leaves_the_first_alone(
    eu: Running, simulator: Running, run_dag: Run, sql_rows: Rows, eu_rows: Rows,
    add_crm_contact: Add, set_do_not_email: Flag,
) -> None:  # fmt: skip
    eu.control.load(lists=[{"name": "Europe"}], contacts=[vendor_contact(7, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    assert run_dag("constant_contact_lists", account="eu").returned["lists"]["active"] == 1
    contacts = run_dag("constant_contact_contacts", account="eu")
    assert contacts.returned["links"]["linked"] == 1
    set_do_not_email("c1", True, by_contact=True)
    ran = run_dag("constant_contact_opt_outs", account="eu")
    assert (ran.state, ran.returned["opt_outs"]["unsubscribed"]) == ("success", 1)
    assert eu.control.truth_contact(contact_id(7))["permission"] == "unsubscribed"
    assert run_dag("constant_contact_activities", account="eu").state == "success"
    assert run_dag("constant_contact_retention", account="eu").state == "success"
    assert simulator.control.calls() == []
    for table in ("ctct_list", "ctct_contact", "ctct_api_call", "ctct_api_budget", "ctct_token"):
        assert sql_rows(f"SELECT * FROM {table}") == []
        assert eu_rows(f"SELECT * FROM {table}") != []
    called_by = {row["dag_id"] for row in eu_rows("SELECT DISTINCT dag_id FROM ctct_api_call")}
    assert f"{PREFIX}eu_lists" in called_by
    assert all(dag_id.startswith(f"{PREFIX}eu_") for dag_id in called_by)


def test_each_account_has_tokens_and_a_budget_of_its_own(
    eu: Running, run_dag: Run, sql_rows: Rows, eu_rows: Rows
) -> None:
    run_dag("constant_contact_lists")
    run_dag("constant_contact_lists", account="eu")
    calls = "SELECT calls FROM ctct_api_budget"
    assert sql_rows(calls) == eu_rows(calls) == [{"calls": 1}]
    from airflow.models import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        keys = {variable.key for variable in session.query(Variable)}
    assert keys == {"constant_contact_default_tokens", "constant_contact_eu_tokens"}


def test_accounts_that_share_an_api_key_share_its_day(
    eu: Running, connections: pytest.MonkeyPatch, start_dag: Callable[..., Any], sql_rows: Rows,
    eu_rows: Rows,
) -> None:  # fmt: skip
    eu.control.settings(client_id="demo-api-key")
    shared = account_connection(eu, extra={"calls_per_day": "3"})
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", shared)
    for _ in range(2):
        assert start_dag(f"{PREFIX}lists").state == "success"
    # Of three a day engagement may take two, of any account.
    assert "lists goes on after" in start_dag(f"{PREFIX}eu_lists").waits
    assert sql_rows("SELECT calls FROM ctct_api_budget") == [{"calls": 2}]
    assert eu_rows("SELECT * FROM ctct_api_budget") == []


@pytest.mark.parametrize("path", [None, f"{EU_SCHEMA},public"])
def test_a_connection_that_sees_another_accounts_tables_is_refused(
    eu: Running, connections: pytest.MonkeyPatch, crm_url: str, run_dag: Run, path: str | None
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_EU", crm_connection(crm_url, search_path=path))
    ran = run_dag("constant_contact_contacts", account="eu")
    after = dict.fromkeys(("links", "completeness"), "upstream_failed")
    assert ran.tasks == {"contacts": "failed"} | after
    assert "connection crm_eu: " in ran.log
    assert "docs/accounts.md" in ran.log
    assert eu.control.calls() == []


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("EU", "'EU' is no name of an account"),
        ("north_america", "'north_america' is no name of an account"),
        ("eu, default", "'default' is always there"),
        ("eu, selections", "'selections' is the folder of your selections"),
        ("eu, us, eu", "'eu' is there twice"),
    ],
)
def test_a_wrong_name_is_told(
    airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, names: str, says: str
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv(OPTION, names)
    (error,) = DagBag(ROOT / "dags" / "constant_contact_lists.py").import_errors.values()
    assert f"[constant_contact] accounts: {says}" in error


def test_the_accounts_are_the_default_one_and_those_named() -> None:
    assert accounts_named("") == (Account("default"),)
    assert [account.name for account in accounts_named(" eu ,us,")] == ["default", "eu", "us"]
