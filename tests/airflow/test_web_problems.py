"""What goes wrong with a part of a page: it is shown beside the part, which stays as it is."""

import psycopg
import pytest
from psycopg import sql

from simulator.server import Running
from tests.airflow.airflow_runs import crm_connection
from tests.airflow.overview_page import OVERVIEW, section, text_of
from tests.airflow.site import Site
from tests.support import CONN_ID, EU_CONN_ID, EU_SCHEMA, Rows

ROOT = "/constant-contact"
HTMX = {"HX-Request": "true"}
AWAY = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9}'

# What replaces itself every few seconds, and how it is asked for.
PARTS = ("opt-outs/1", "holds/1", "memberships", "memberships/choices/1/forecast", "calls")


@pytest.mark.parametrize("path", PARTS)
def test_a_part_that_cannot_be_shown_takes_the_place_of_nothing(
    site: Site, connections: pytest.MonkeyPatch, path: str
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", AWAY)
    answer = site.get(f"{ROOT}/{path}", headers=HTMX)
    assert answer.status == 503
    assert answer.headers["HX-Retarget"] == "#problem"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert answer.headers["HX-Reselect"] == "[role=alert]"
    assert answer.text.startswith('<p role="alert">')
    assert '<div id="problem"></div>' in site.get(f"{ROOT}/{path}").text


def test_a_row_whose_button_is_refused_stays_too(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    answer = site.post(f"{ROOT}/runs/lists", "VIEWER", headers=HTMX)
    assert (answer.status, answer.headers["HX-Retarget"]) == (403, "#problem")


def test_going_back_to_what_cannot_be_shown_is_a_whole_page(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", AWAY)
    back = HTMX | {"HX-History-Restore-Request": "true"}
    answer = site.get(f"{ROOT}/calls", headers=back)
    assert "<html" in answer.text
    assert "HX-Retarget" not in answer.headers


def test_pages_do_not_show_another_accounts_tables(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_account (constant_contact_conn_id) VALUES (%s)", EU_CONN_ID)
    answer = site.get(f"{ROOT}/calls")
    assert answer.status == 503
    theirs = f"the tables that it sees are those of connection {EU_CONN_ID}"
    assert theirs in answer.text
    assert theirs in section(site, "calls")


def test_pages_whose_next_connection_sees_another_accounts_tables_show_none_of_them(
    site: Site, eu: Running, connections: pytest.MonkeyPatch, crm_url: str
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_EU", crm_connection(crm_url))
    with psycopg.connect(crm_url, autocommit=True) as crm:
        name = sql.Identifier(crm.info.dbname)
        path = sql.SQL("ALTER DATABASE {} SET search_path = {}")
        crm.execute(path.format(name, sql.Identifier(EU_SCHEMA)))
        assert site.get(f"{ROOT}/accounts/eu/calls").status == 200
        crm.execute(sql.SQL("ALTER DATABASE {} RESET search_path").format(name))
        crm.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    answer = site.get(f"{ROOT}/accounts/eu/calls")
    assert answer.status == 503
    assert f"the tables that it sees are those of connection {CONN_ID}" in answer.text


def test_pages_that_only_look_do_not_take_tables_that_are_nobodys(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    assert "calls made" in text_of(site.get(OVERVIEW).text)
    assert sql_rows("SELECT * FROM ctct_account") == []
