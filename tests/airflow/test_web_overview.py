"""The overview page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_type_hints

import psycopg
import pytest

from constant_contact.api.vendor import TRACKER_BY_TYPE
from simulator.server import Running
from tests.airflow.airflow_runs import ROOT, Start, account_connection, pause_all
from tests.airflow.overview_page import OVERVIEW, section, sync_row, table, text_of
from tests.airflow.site import Site
from tests.support import CONN_ID, Rows

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
AWAY = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}'


@pytest.fixture
def one_night(simulator: Running, start_dag: Start) -> Running:
    """An account of some engagement, read by the nightly DAGs."""
    simulator.control.generate(seed=9, contacts=60, lists=4, campaigns=3, events=900)
    for noun in ("lists", "contacts", "activities"):
        assert start_dag(f"constant_contact_{noun}").state == "success"
    return simulator


def test_the_overview_tells_what_each_lane_has_left(
    site: Site, simulator: Running, connections: pytest.MonkeyPatch, run_dag: Start
) -> None:
    connections.setenv(ACCOUNT, account_connection(simulator, extra={"calls_per_day": "1000"}))
    run_dag("constant_contact_lists")
    body = section(site, "calls")
    assert "1 of 1,000 calls made" in body
    assert table(body) == [
        ["engagement", "800", "799"],
        ["memberships", "900", "899"],
        ["opt outs", "1,000", "999"],
    ]
    assert "The call log is younger than a day" in text_of(body)
    assert "No task waits." in section(site, "waiting")


def test_what_the_overview_knows_of_our_dags_is_what_they_are(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from constant_contact.web.overview.syncs import SYNCS

    dags = DagBag(ROOT / "dags").dags
    assert {sync.dag_id for sync in SYNCS} == set(dags)
    for sync in SYNCS:
        dag = dags[sync.dag_id]
        assert "constant_contact" in dag.tags
        assert sync.is_scheduled is bool(dag.schedule), sync.noun
        reported: set[str] = set()
        for task in map(dag.get_task, sync.tasks):
            operator = getattr(task, "operator_class", type(task))
            reported |= set(get_type_hints(operator.sync)["return"].__dataclass_fields__)
        assert set(sync.main) <= reported, sync.noun


@pytest.mark.usefixtures("one_night")
def test_each_sync_tells_when_it_ran_and_what_it_did(site: Site) -> None:
    lists, activities = sync_row(site, "lists"), sync_row(site, "activities")
    assert '<span class="badge success">' in lists
    assert "read 4, active 4" in text_of(lists)
    assert 'href="/dags/constant_contact_lists/runs/manual__' in lists
    assert re.search(r'aria-label="lists read by the last runs: (\d+, )*4"', lists)
    assert "engagement: " in activities
    assert "engagement: new events 900," in text_of(activities)
    assert re.search(r'aria-label="new events by the last runs: (\d+, )*900"', activities)
    assert "and seconds after a change in the CRM" in sync_row(site, "opt_outs")
    assert "has not run yet" in sync_row(site, "approvals")


def test_a_trend_reaches_back_a_fortnight_of_runs_and_asks_as_often_for_one_dag_as_for_all(
    site: Site, start_dag: Start
) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.settings import engine
    from airflow.utils.session import create_session
    from sqlalchemy import event

    now = datetime.now(UTC)

    def add_runs(noun: str) -> None:
        with create_session() as session:
            for number in range(40):
                begun = now - timedelta(days=40 - number)
                run = DagRun(f"constant_contact_{noun}", run_id=f"r{number}", run_type="manual")
                run.state, run.start_date = "success", begun
                run.end_date = begun + timedelta(seconds=number)
                session.add(run)

    asked: list[str] = []
    event.listen(engine, "after_cursor_execute", lambda *a: asked.append(a[2]))
    add_runs("lists")
    # the first answer also asks for what Airflow keeps from then on
    sync_row(site, "lists")
    asked.clear()
    row = sync_row(site, "lists")
    of_one = len(asked)
    trend = ", ".join(f"{number}.0" for number in range(26, 40))
    assert f'aria-label="Seconds that the last runs took: {trend}"' in row
    for noun in ("contacts", "activities", "opt_outs", "retention"):
        add_runs(noun)
    asked.clear()
    assert trend in sync_row(site, "contacts")
    assert len(asked) == of_one


@pytest.mark.usefixtures("one_night")
def test_the_charts_numbers_are_the_truth(site: Site, sql_rows: Rows) -> None:
    sql_rows("UPDATE ctct_engagement SET occurred_at = occurred_at")
    sql_rows(
        "INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)"
        " SELECT stream_id, 1, now() - interval '1 day' * n, 'somebody', ''"
        " FROM ctct_engagement_stream, generate_series(0, 40, 3) AS n"
    )
    sql_rows("DELETE FROM ctct_engagement WHERE contact_id = 'somebody' AND stream_id = 2")
    truth = {
        (row["day"], row["activity_type"]): row["events"]
        for row in sql_rows(
            "SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, activity_type,"
            " count(*) AS events FROM ctct_engagement JOIN ctct_engagement_stream"
            " USING (stream_id) GROUP BY 1, 2"
        )
    }
    today = datetime.now(UTC).date()
    assert table(section(site, "engagement")) == [
        [
            f"{day:%d %b}{', so far' if day == today else ''}",
            *(f"{truth.get((day, kind), 0):,}" for kind in TRACKER_BY_TYPE),
        ]
        for day in (today - timedelta(days=back) for back in range(29, -1, -1))
    ]
    hours = table(section(site, "hours"))
    calls = sql_rows("SELECT count(*) AS calls FROM ctct_api_call")[0]["calls"]
    assert len(hours) == 48
    assert sum(int(count) for _, count in hours) == calls


def test_the_calls_of_an_hour_stand_in_its_own(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    began = this_hour()
    calls = {began - timedelta(hours=ago): ago + 1 for ago in (0, 1, 46, 47, 48)}
    for hour, number in calls.items():
        sql_rows(
            "INSERT INTO ctct_api_call (called_at, method, path, duration_ms)"
            " SELECT %s, 'GET', '/x', 1 FROM generate_series(1, %s)",
            hour,
            number,
        )
    hours = table(section(site, "hours"))
    # an hour may have ended meanwhile
    assert hours in [
        [
            [f"{hour:%d %b %H:%M}{', so far' if hour == last else ''}", str(calls.get(hour, 0))]
            for hour in (last - timedelta(hours=back) for back in range(47, -1, -1))
        ]
        for last in {began, this_hour()}
    ]


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.mark.usefixtures("one_night")
def test_charts_take_their_colours_from_the_page_and_bring_no_script(site: Site) -> None:
    body = section(site, "engagement")
    assert 'role="img" aria-label="Engagement of the last 30 days by day and type"' in body
    assert "var(--chart-1)" in body
    assert "<script" not in body


def test_a_chart_escapes_what_it_names() -> None:
    from constant_contact.web.frame.charts import Chart

    evil = '<script>alert("1")</script>&'
    drawn = Chart(evil, evil, [evil, "b"], {evil: [1, 2], "other": [3, 4]}).svg
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_seventh_type_of_engagement_is_drawn_as_the_others() -> None:
    from constant_contact.web.frame.charts import Chart

    types = {f"type {number}": [number] for number in range(1, 8)}
    drawn = Chart("Engagement", "day (UTC)", ["01 Jan"], types).svg
    assert all(f"<title>{name}, 01 Jan: {n}</title>" in drawn for name, (n,) in types.items())


@pytest.mark.usefixtures("one_night", "dags_on")
def test_one_sentence_tells_how_the_syncs_went_and_whether_something_waits(
    site: Site, simulator: Running, start_dag: Start, sql_rows: Rows
) -> None:
    for noun in ("opt_outs", "list_memberships", "retention"):
        assert start_dag(f"constant_contact_{noun}").state == "success"

    def sentence() -> str:
        return first_sentence(site)

    assert sentence() == "All syncs succeeded; nothing waits for you."
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
        " VALUES ('a', TRUE, 'held'), ('b', FALSE, 'held')"
    )
    assert sentence() == "All syncs succeeded; 2 things wait for you."
    simulator.control.deactivate()
    assert start_dag("constant_contact_lists").state == "failed"
    assert sentence().startswith("Lists failed; ")


@pytest.mark.usefixtures("one_night", "dags_on")
def test_the_sentence_names_what_is_paused_and_what_has_not_run_yet(
    site: Site, start_dag: Start
) -> None:
    assert first_sentence(site) == (
        "Opt-outs, List memberships, Retention have not run yet; nothing waits for you."
    )
    assert start_dag("constant_contact_retention").state == "success"
    pause_all(True, "constant_contact_opt_outs")
    assert first_sentence(site) == (
        "Opt-outs is paused; List memberships has not run yet; 1 thing waits for you."
    )
    pause_all(True)
    assert first_sentence(site) == "All syncs are paused; 3 things wait for you."


def first_sentence(site: Site) -> str:
    found = re.search(r'<p class="summary">(.*?)</p>', site.get(OVERVIEW).text)
    assert found
    return found[1]


@pytest.mark.usefixtures("one_night")
def test_a_bar_of_a_trend_tells_its_run_and_the_hour_that_is_not_over_is_marked(
    site: Site,
) -> None:
    activities = sync_row(site, "activities")
    assert "900 new events" in text_of(activities)
    assert re.search(r"<title>\d\d \w{3} \d\d:\d\d UTC: 900 new events</title>", activities)
    assert 'class="bar so-far"' in section(site, "hours")


@pytest.mark.usefixtures("dags_on")
def test_an_account_without_data_has_nothing_to_show_and_nobody_to_worry(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    shown = text_of(site.get(OVERVIEW).text)
    assert "Nothing waits for you." in shown
    assert shown.count("Nothing yet.") == 2
    assert "enough for all." in shown
    assert "0 of 1,000,000 calls made" in shown


def test_a_crm_that_is_down_shows_as_such_where_it_is_needed(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", AWAY)
    answer = site.get(OVERVIEW)
    away = "connection crm_default: the CRM database does not answer"
    assert answer.status == 200
    assert "hunter2" not in answer.text
    for name in ("needs-a-person", "calls", "hours", "engagement"):
        assert away in section(site, name), name
    assert "Nothing waits for you." not in answer.text
    assert "paused" in sync_row(site, "lists")
    assert "No task waits." in section(site, "waiting")


def test_without_an_account_the_rest_is_shown(
    site: Site, connections: pytest.MonkeyPatch, start_dag: Start
) -> None:
    connections.delenv(ACCOUNT)
    missing = f"connection {CONN_ID}: does not exist"
    assert missing in section(site, "calls")
    needs = section(site, "needs-a-person")
    assert missing in needs
    assert 'href="/constant-contact/connection"' in needs
    assert "Nothing yet." in section(site, "hours")
    assert "paused" in sync_row(site, "lists")


@pytest.fixture
def slow_runs(start_dag: Start) -> Iterator[None]:
    """Readers of Airflow's table of runs wait; it is let go before `start_dag` tidies it."""
    from airflow.settings import engine

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE dag_run IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("slow_runs")
def test_an_airflow_database_that_is_slow_holds_up_its_own_section_only(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    assert "Airflow's own database did not answer" in text_of(section(site, "syncs"))
    assert "calls made" in section(site, "calls")
    assert "No task waits." in section(site, "waiting")
    # What is shown of a row stays, and is asked for again.
    assert site.get("/constant-contact/runs/lists").status == 204
