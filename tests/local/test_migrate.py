"""`make migrate`, of several accounts."""

from pathlib import Path

import psycopg
import pytest

from tests.airflow.airflow_runs import crm_connection
from tests.guide import TABLE, examples, write_files
from tests.local.local_commands import Commands
from tests.support import EU_SCHEMA, run_rows

ACCOUNTS = "AIRFLOW__CONSTANT_CONTACT__ACCOUNTS"


@pytest.mark.slow
def test_one_command_migrates_every_account_and_does_nothing_the_second_time(
    commands: Commands, empty_url: str
) -> None:
    environment = {
        ACCOUNTS: "eu",
        "AIRFLOW_CONN_CRM_DEFAULT": crm_connection(empty_url),
        "AIRFLOW_CONN_CRM_EU": crm_connection(empty_url, search_path=EU_SCHEMA),
    }
    first = commands.run("local.migrate", **environment)
    assert first.status == 0, first.err
    assert first.out.count("applied 0001_crm") == 2
    again = commands.run("local.migrate", **environment)
    assert again.out.splitlines() == [
        "the CRM of AIRFLOW_CONN_CRM_DEFAULT was already up to date",
        "the CRM of AIRFLOW_CONN_CRM_EU was already up to date",
    ]
    with psycopg.connect(empty_url) as connection:
        owners = connection.execute(
            "SELECT constant_contact_conn_id FROM public.ctct_account UNION ALL"
            " SELECT constant_contact_conn_id FROM constant_contact_eu.ctct_account"
        ).fetchall()
    assert owners == [("constant_contact_default",), ("constant_contact_eu",)]


def test_what_is_wrong_with_the_files_is_a_line_each_and_the_schema_is_there(
    commands: Commands, empty_url: str, crm_url: str, tmp_path: Path
) -> None:
    example = examples()["Several accounts"]
    run_rows(empty_url, "CREATE SCHEMA crm; " + example[TABLE])
    # Contacts of another database; there is no table for the files that write in this one.
    write_files(example, tmp_path)
    ended = commands.run(
        "local.migrate",
        AIRFLOW_CONN_CRM_DEFAULT=crm_connection(crm_url),
        AIRFLOW_CONN_CRM_REPLICA=crm_connection(empty_url),
        AIRFLOW__CONSTANT_CONTACT__CONTACTS_CONN_ID="crm_replica",
        AIRFLOW__CONSTANT_CONTACT__CRM_FOLDER=str(tmp_path),
    )
    assert ended.status == 1
    write_back, doorbell = ended.err.splitlines()
    assert write_back.startswith(f"{tmp_path}/write_back.sql: ")
    assert doorbell.startswith(f"{tmp_path}/doorbell.sql: ")


@pytest.mark.slow
def test_each_accounts_files_are_checked_and_advice_is_no_failure(
    commands: Commands, empty_url: str, tmp_path: Path
) -> None:
    example = examples()["Several accounts"]
    run_rows(empty_url, "CREATE SCHEMA crm; " + example[TABLE].replace("PRIMARY KEY", ""))
    write_files(example, tmp_path)
    environment = {
        ACCOUNTS: "eu",
        "AIRFLOW_CONN_CRM_DEFAULT": crm_connection(empty_url),
        "AIRFLOW_CONN_CRM_EU": crm_connection(empty_url, search_path=EU_SCHEMA),
        "AIRFLOW__CONSTANT_CONTACT__CRM_FOLDER": str(tmp_path),
    }
    fits = commands.run("local.migrate", **environment)
    assert fits.status == 0, fits.err
    assert "advice: " in fits.out
    assert "CREATE INDEX ON crm.lead (id)." in fits.out
    run_rows(empty_url, "ALTER TABLE crm.lead DROP cc_id_eu")
    ended = commands.run("local.migrate", **environment)
    assert ended.status == 1
    assert ended.err.startswith(f"{tmp_path}/eu/write_back.sql: ")


def test_a_connection_for_the_contacts_that_is_not_there_is_named(
    commands: Commands, crm_url: str
) -> None:
    ended = commands.run(
        "local.migrate",
        AIRFLOW_CONN_CRM_DEFAULT=crm_connection(crm_url),
        AIRFLOW__CONSTANT_CONTACT__CONTACTS_CONN_ID="crm_replica",
    )
    assert ended.status == 1
    assert ended.err.startswith("AIRFLOW_CONN_CRM_REPLICA is ")


def test_an_account_that_would_get_the_default_ones_tables_is_refused(
    commands: Commands, empty_url: str
) -> None:
    same = crm_connection(empty_url)
    ended = commands.run(
        "local.migrate",
        **{ACCOUNTS: "eu", "AIRFLOW_CONN_CRM_DEFAULT": same, "AIRFLOW_CONN_CRM_EU": same},
    )
    assert ended.status == 1
    assert ended.err.startswith("AIRFLOW_CONN_CRM_EU: the tables that it sees are those of")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("eu", "AIRFLOW_CONN_CRM_EU is not set, but"),
        ("EU", f"{ACCOUNTS}: 'EU' is no name of an account"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_changed(
    commands: Commands, names: str, says: str
) -> None:
    ended = commands.run("local.migrate", **{ACCOUNTS: names})
    assert (ended.status, says in ended.err) == (2, True)


def test_an_account_without_its_crm_migrates_nothing(commands: Commands) -> None:
    ended = commands.run("local.migrate", AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT='{"login": "k"}')
    assert ended.status == 2
    assert ended.err.startswith("AIRFLOW_CONN_CRM_DEFAULT is not set")
