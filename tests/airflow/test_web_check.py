"""*Connection → Check*: the last check, a file of it, and the start of another."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from constant_contact.sync.check.results import ASSUMED
from constant_contact.sync.check.vendor_reads import READ_CALLS
from tests.airflow.airflow_runs import ROOT, Run, load_dags
from tests.airflow.overview_page import section, text_of
from tests.airflow.site import NOBODY, Site
from tests.support import Rows

CHECK = "/constant-contact/connection/check"
FILE = f"{CHECK}/file"
DAG = "constant_contact_check"
ONCE = "0123abcd"


@pytest.fixture
def dag(connections: pytest.MonkeyPatch) -> Iterator[str]:
    """Airflow knows the DAG."""
    load_dags(ROOT / "dags" / f"{DAG}.py")
    yield DAG
    forget()


def forget() -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id == DAG))


def runs() -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=DAG).all()
        session.expunge_all()
        return found


def test_before_the_first_check_the_page_says_so_and_there_is_no_file(site: Site, dag: str) -> None:
    assert "No check was kept yet" in site.get(CHECK).text
    assert site.get(FILE).status == 404
    assert f'href="{CHECK}"' in site.get("/constant-contact/connection").text


def test_the_page_has_a_line_of_each_assumption_and_what_to_do(
    site: Site, run_dag: Run, sql_rows: Rows
) -> None:
    assert run_dag(DAG).state == "success"
    sql_rows("DROP INDEX ctct_link_email")
    assert run_dag(DAG).state == "success"
    shown = site.get(CHECK)
    assert shown.status == 200
    for assumption in ASSUMED.values():
        assert f'<code class="muted">{assumption.name}</code>' in shown.text
    text = text_of(shown.text)
    assert "differs was ok Each index of our tables is there" in text
    assert "CREATE INDEX ctct_link_email ON ctct_link (email_key)" in text


def test_the_file_is_a_download_in_markdown(site: Site, run_dag: Run) -> None:
    run_dag(DAG)
    answer = site.get(FILE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert re.search(
        r'filename="constant-contact-check-.*\.md"', answer.headers["content-disposition"]
    )
    assert answer.text.startswith("# Check of ")


def test_who_may_start_runs_starts_one_and_a_second_press_starts_no_other(
    site: Site, dag: str
) -> None:
    assert "Check now" not in site.get(CHECK, "VIEWER").text
    shown = text_of(site.get(CHECK, "OP").text)
    assert f"Check now It takes at most {READ_CALLS} of the day's API calls to read" in shown
    for _ in range(2):
        answer = site.post(CHECK, "OP", once=ONCE)
        assert (answer.status, answer.headers["location"]) == (303, CHECK)
    (run,) = runs()
    assert run.conf == {"write": False, "test_contact_id": ""}
    assert run.triggering_user_name == "op"
    assert f'hx-get="{CHECK}"' in site.get(CHECK).text


def test_writes_want_a_yes_and_a_contact(site: Site, dag: str) -> None:
    refused = site.post(CHECK, "OP", once=ONCE, write="true")
    assert refused.status == 422
    assert "param test_contact_id: is empty" in text_of(refused.text)
    refused = site.post(CHECK, "OP", once=ONCE, write="true", test_contact_id="ann@example.com")
    assert refused.status == 422
    assert "param test_contact_id: has the form of an address" in text_of(refused.text)
    assert "ann@" not in refused.text
    assert runs() == []
    site.post(CHECK, "OP", once=ONCE, write="true", test_contact_id=" test ")
    site.post(CHECK, "OP", once="fedc3210", test_contact_id="test")
    assert [run.conf for run in sorted(runs(), key=lambda run: run.id)] == [
        {"write": True, "test_contact_id": "test"},
        {"write": False, "test_contact_id": ""},
    ]


def test_nobody_else_sees_or_starts_it(site: Site, dag: str) -> None:
    assert site.get(CHECK, NOBODY).status == 401
    assert site.get(FILE, NOBODY).status == 401
    assert site.post(CHECK, "VIEWER", once=ONCE).status == 403
    assert runs() == []


def test_the_overview_tells_what_the_last_check_found_for_a_week(
    site: Site, run_dag: Run, sql_rows: Rows
) -> None:
    run_dag(DAG)
    assert "The check of" not in section(site, "needs-a-person")
    sql_rows("DROP INDEX ctct_link_email")
    run_dag(DAG)
    shown = section(site, "needs-a-person")
    assert "found 1 thing that does not hold: our indexes." in text_of(shown)
    assert f'href="{CHECK}"' in shown
    sql_rows("UPDATE ctct_check SET checked_at = now() - interval '8 days'")
    assert "The check of" not in section(site, "needs-a-person")
