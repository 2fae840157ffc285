"""*Run now*: runs started from the overview."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.airflow.airflow_runs import ROOT, load_dags, pause_all
from tests.airflow.overview_page import EU_OVERVIEW, OVERVIEW, section, sync_row, text_of
from tests.airflow.site import Site

LISTS = "constant_contact_lists"
RUNS = "/constant-contact/runs"
HTMX = {"HX-Request": "true"}


def runs(dag_id: str = LISTS) -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=dag_id).all()
        session.expunge_all()
        return found


def end_runs(state: str) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagRun).values(state=state))


@pytest.mark.usefixtures("dags_on")
def test_who_may_start_runs_starts_one_in_their_name(site: Site) -> None:
    answer = site.post(f"{RUNS}/lists", "OP")
    assert (answer.status, answer.headers["location"]) == (303, f"{OVERVIEW}#lists")
    (run,) = runs()
    assert (str(run.run_type), str(run.state)) == ("manual", "queued")
    assert run.triggering_user_name == "op"


@pytest.mark.usefixtures("dags_on")
def test_a_start_is_in_airflows_audit_log(site: Site) -> None:
    from airflow.models.log import Log
    from airflow.utils.session import create_session

    site.post(f"{RUNS}/lists", "OP")
    with create_session() as session:
        started = session.query(Log).filter_by(event="trigger_dag_run", dag_id=LISTS)
        last = started.order_by(Log.id.desc()).first()
        assert last is not None
        assert (last.owner, last.run_id) == ("op", runs()[0].run_id)


@pytest.mark.usefixtures("dags_on")
def test_the_row_looks_again_by_itself_while_its_run_has_not_ended(site: Site) -> None:
    asks = 'hx-get="/constant-contact/runs/lists" hx-trigger="every 4s"'
    assert asks not in sync_row(site, "lists", "OP")
    row = site.post(f"{RUNS}/lists", "OP", headers=HTMX).text
    assert row.lstrip().startswith('<tr id="lists"')
    assert '<span class="badge queued">' in row
    assert asks in row
    assert "disabled>" in row
    end_runs("running")
    assert '<span class="badge running">' in site.get(f"{RUNS}/lists", "OP").text
    end_runs("success")
    ended = site.get(f"{RUNS}/lists", "OP").text
    assert '<span class="badge success">' in ended
    assert asks not in ended
    assert "disabled>" not in ended


@pytest.mark.parametrize("state", ["queued", "running"])
@pytest.mark.usefixtures("dags_on")
def test_a_second_click_starts_no_second_run_and_says_so(site: Site, state: str) -> None:
    site.post(f"{RUNS}/lists", "OP")
    end_runs(state)
    row = site.post(f"{RUNS}/lists", "OP", headers=HTMX).text
    assert "no other was started" in row
    again = site.post(f"{RUNS}/lists", "OP")
    assert "no other was started" in text_of(site.get(again.headers["location"], "OP").text)
    assert len(runs()) == 1
    end_runs("success")
    site.post(f"{RUNS}/lists", "OP")
    assert len(runs()) == 2


@pytest.mark.usefixtures("dags_on")
def test_of_clicks_at_the_same_moment_one_starts_a_run(site: Site) -> None:
    token = site.form_token("OP")
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda _: site.post(f"{RUNS}/lists", "OP", form_token=token).status, range(4)
        )
    assert set(answers) == {303}
    assert len(runs()) == 1


@pytest.mark.usefixtures("dags_on")
def test_a_scheduled_run_does_not_keep_a_person_from_starting_one(site: Site) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(DagRun(LISTS, run_id="night", run_type="scheduled", state="running"))
    site.post(f"{RUNS}/lists", "OP")
    assert sorted(str(run.run_type) for run in runs()) == ["manual", "scheduled"]


@pytest.mark.usefixtures("dags_on")
def test_only_our_dags_are_started_and_only_those_that_need_no_more_to_be_told(site: Site) -> None:
    for noun in ("no_such", "bulk_memberships", "opt_ins", "approvals"):
        assert site.post(f"{RUNS}/{noun}", "OP").status == 404, noun
    assert site.get(f"{RUNS}/no_such", "OP").status == 404
    assert site.post(f"{RUNS}/no_such/unpause", "OP").status == 404
    assert not runs("constant_contact_approvals")


@pytest.fixture
def eu_dags(airflow: pytest.MonkeyPatch, dags_on: None) -> Iterator[None]:
    """Airflow knows a second account's DAGs too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "eu")
        load_dags(ROOT / "dags")
        pause_all(False)
        yield


@pytest.mark.usefixtures("eu_dags")
def test_another_account_has_the_same_buttons_on_its_own_page(site: Site) -> None:
    eu, default = (section(site, "syncs", "OP", page) for page in (EU_OVERVIEW, OVERVIEW))
    plain = {"lists", "contacts", "activities", "opt_outs", "list_memberships", "retention"}
    for syncs in (eu, default):
        assert set(re.findall(r'<button [^>]*id="sync-(\w+)"', syncs)) == plain
    assert "constant_contact_eu" not in default
    assert set(re.findall(r"constant_contact_[a-z]+", eu)) == {"constant_contact_eu"}
    for noun, link in (
        ("opt_ins", f'href="{EU_OVERVIEW}opt-outs">Opt-outs<'),
        ("bulk_memberships", f'href="{EU_OVERVIEW}memberships">Memberships<'),
        ("erasure", 'href="/dags/constant_contact_eu_erasure" data-airflow>Trigger<'),
    ):
        assert link in sync_row(site, noun, "OP", EU_OVERVIEW)
        assert site.post(f"{EU_OVERVIEW}runs/{noun}", "OP").status == 404


@pytest.mark.usefixtures("eu_dags")
def test_what_is_started_on_an_accounts_page_is_its_own(site: Site) -> None:
    answer = site.post(f"{EU_OVERVIEW}runs/lists", "OP")
    assert (answer.status, answer.headers["location"]) == (303, f"{EU_OVERVIEW}#lists")
    assert len(runs("constant_contact_eu_lists")) == 1
    assert not runs()
    asks = f'hx-get="{EU_OVERVIEW}runs/lists" hx-trigger="every 4s"'
    assert asks in site.get(f"{EU_OVERVIEW}runs/lists", "OP").text
    assert '<span class="badge queued">' not in sync_row(site, "lists", "OP")
    assert site.post(f"{RUNS}/eu_lists", "OP").status == 404
    pause_all(True)
    site.post(f"{EU_OVERVIEW}runs/lists/unpause", "OP")
    assert '<span class="badge paused">' in sync_row(site, "lists")
    assert '<span class="badge paused">' not in sync_row(site, "lists", "OP", EU_OVERVIEW)


@pytest.mark.usefixtures("eu_dags")
def test_a_dag_of_which_nothing_is_known_is_left_to_airflows_form(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was that account's belongs to no account now.
    monkeypatch.delenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS")
    row = sync_row(site, "eu_lists", "OP")
    assert "Run now" not in row
    assert 'href="/dags/constant_contact_eu_lists" data-airflow>Trigger<' in row
    assert site.post(f"{RUNS}/eu_lists", "OP").status == 404


@pytest.mark.usefixtures("dags_on")
def test_a_viewer_is_shown_no_button_and_starts_nothing(site: Site) -> None:
    assert "<form" not in section(site, "syncs", "VIEWER")
    assert site.post(f"{RUNS}/lists", "VIEWER").status == 403
    assert site.post(f"{RUNS}/no_such", "VIEWER").status == 403
    assert site.post(f"{RUNS}/lists/unpause", "VIEWER").status == 403
    assert "Run now" in section(site, "syncs", "USER")
    assert not runs()


def test_a_paused_dag_is_shown_as_such_and_let_run_by_who_may(site: Site, dags_on: None) -> None:
    pause_all(True)
    row = sync_row(site, "lists", "OP")
    assert '<span class="badge paused">' in row
    assert "Run now" not in row
    assert "unpause it first" in site.post(f"{RUNS}/lists", "OP", headers=HTMX).text
    assert not runs()
    row = site.post(f"{RUNS}/lists/unpause", "USER", headers=HTMX).text
    assert "Run now" in row
    assert "paused" not in row
    assert '<span class="badge paused">' in sync_row(site, "contacts", "OP")
