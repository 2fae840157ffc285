"""The wizard, from the list to the memberships at Constant Contact."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start, carry_on
from tests.airflow.site import Answer, Site
from tests.support import Add, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id, on_lists

PAGE = "/constant-contact/memberships"
DAG = "constant_contact_bulk_memberships"
NEWS, OLD = list_id(1), list_id(2)


@pytest.fixture
def people(
    simulator: Running,
    connections: pytest.MonkeyPatch,
    run_jobs: Callable[..., None],
    add_crm_contact: Add,
    sql_rows: Rows,
) -> Running:
    """Two who may be put on the list, one who is on it, one without address, two who said no."""
    simulator.control.load(
        lists=[{"list_id": NEWS, "name": "News & more"}, {"list_id": OLD, "name": "Old"}],
        contacts=[
            vendor_contact(1, "ann@example.com"),
            vendor_contact(2, "bea@example.com", list_memberships=[NEWS]),
            vendor_contact(4, "dan@example.com"),
            vendor_contact(5, "eve@example.com"),
        ],
    )
    simulator.control.unsubscribe(contact_id(5), source="Contact", reason="enough")
    add_crm_contact("c1", "ann@example.com", first_name="<script>x</script>")
    add_crm_contact("c2", "bea@example.com", last_name="Ôtis")
    add_crm_contact("c3", None, first_name="Cy")
    add_crm_contact("c4", "dan@example.com", do_not_email=True)
    add_crm_contact("c5", "eve@example.com")
    add_crm_contact("c6", "new@example.com", first_name="Flo")
    run_jobs("lists", "contacts", "links")
    sql_rows("UPDATE ctct_list SET deleted_at = now() WHERE list_id = %s", OLD)
    sql_rows("UPDATE crm_opt_out_change SET status = 'done'")
    return simulator


def choose(site: Site, **fields: Any) -> str:
    """Fill in the first form; returns the address of what was found."""
    found = site.post(f"{PAGE}/new", **{"list_id": NEWS, "action": "add"} | fields)
    assert found.status == 303, found.text
    return str(found.headers["location"])


def found(site: Site, path: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]+)"', site.get(path).text)


def edits(text: str) -> str:
    shown = re.search(r'name="edits" value="(\d+)"', text)
    assert shown, text
    return shown[1]


def press(site: Site, path: str, forecast: Answer) -> Answer:
    return site.post(f"{path}/request", edits=edits(forecast.text))


def runs() -> list[tuple[str, str, Any]]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=DAG)
        return [(run.run_id, run.triggering_user_name, run.conf) for run in found]


def test_the_whole_way_ends_with_the_memberships_at_constant_contact(
    site: Site, people: Running, start_dag: Start, sql_rows: Rows
) -> None:
    form = site.get(f"{PAGE}/new", "OP").text
    assert "News &amp; more (1)" in form
    assert "Old" not in form
    path = choose(site)
    assert found(site, path) == ["c1", "c2", "c3", "c4", "c5", "c6"]
    forecast = site.get(f"{path}/forecast", "OP")
    assert "Of 6 contacts <strong>2</strong> would be put on the list" in forecast.text
    assert "1 need nothing, <strong>3</strong> would be refused" in forecast.text
    for reason, who in (
        ("Do Not Email is set in the CRM for this address.", "c4"),
        ("Has unsubscribed; Constant Contact does not put", "c5"),
        ("Has no email address.", "Cy (c3)"),
        ("is created at Constant Contact", "Flo (c6)"),
    ):
        row = forecast.text[forecast.text.index(reason) :]
        assert who in row[: row.index("</tr>")]
    assert "It takes about 5 API calls" in forecast.text
    assert "<script>x" not in forecast.text
    for _ in range(2):
        assert press(site, path, forecast).status == 303
    assert runs() == [("choice_1", "op", {"choice_id": 1})]
    assert "The requests are being written" in site.get(path).text
    assert carry_on(DAG) == {"bulk_memberships": "success"}
    waiting = site.get(path).text
    assert "6 requests were written." in waiting
    assert "Nothing changed since the forecast." in waiting
    assert 'hx-trigger="every 3s"' in waiting
    start_dag("constant_contact_list_memberships")
    done = site.get(path).text
    assert "Do Not Email is set in the CRM for this address." in done
    assert 'hx-trigger="every 3s"' not in done
    lists = on_lists(people)
    assert {email for email, each in lists.items() if 1 in each} == {
        "ann@example.com",
        "bea@example.com",
        "new@example.com",
    }
    assert people.control.truth()["policy_violations"] == []


def test_contacts_are_found_by_what_is_known_of_them(site: Site, people: Running) -> None:
    for fields, who in (
        ({"search": " ANN@"}, ["c1"]),
        ({"search": "ôtis"}, ["c2"]),
        ({"search": "nobody"}, []),
        ({"on_list": NEWS}, ["c2"]),
        ({"not_on_list": NEWS, "is_mailable": "true"}, ["c1", "c3", "c6"]),
        ({"contact_ids": "c3\r\n c1 \nc77\n"}, ["c1", "c3"]),
        ({"selection": "contacts_never_mailed", "search": "example"}, ["c1", "c2", "c5", "c6"]),
    ):
        path = choose(site, **fields)
        assert found(site, path) == who, fields
    assert "ids that were not: 1" in site.get(choose(site, contact_ids="c3\nc77")).text
    nothing = site.get(choose(site, search="nobody")).text
    assert "No contact of the CRM fits: change the search." in nothing


def searched(text: str) -> tuple[str, bool]:
    """What the first form has as part of a name, and whether it looks among those on the list."""
    search = re.search(r'name="search"[^>]*value="([^"]*)"', text)
    assert search
    on_list = text.split('<select id="on_list"')[1].split("</select>", maxsplit=1)[0]
    return search[1], f'value="{NEWS}" selected' in on_list


def test_a_search_is_kept_under_a_name_found_again_and_changed(
    site: Site, people: Running, sql_rows: Rows
) -> None:
    wanted = {"list_id": NEWS, "action": "remove", "search": "fl", "on_list": NEWS}
    answer = site.post(f"{PAGE}/searches", name=" All of <b>Flo</b> ", **wanted)
    assert answer.status == 303, answer.text
    again = answer.headers["location"]
    text = site.get(again, "OP").text
    assert "All of &lt;b&gt;Flo&lt;/b&gt;" in site.get(f"{PAGE}/new", "OP").text
    assert f'href="{again}"' in site.get(f"{PAGE}/new", "OP").text
    assert "was saved by op" in text
    assert 'value="remove" checked' in text
    assert searched(text) == ("fl", True)
    assert searched(site.get(f"{PAGE}/new", "OP").text) == ("", False)
    # under its name: in its place
    changed = site.post(f"{PAGE}/searches", name="All of <b>Flo</b>", **wanted | {"search": "flo"})
    assert changed.headers["location"] == again
    assert searched(site.get(again, "OP").text) == ("flo", True)
    assert runs() == []
    (row,) = sql_rows("SELECT search_id FROM ctct_saved_search")
    gone = site.post(f"{PAGE}/searches/{row['search_id']}/deletion")
    assert gone.headers["location"] == f"{PAGE}/new"
    missing = site.get(again, "OP")
    assert (missing.status, "There is no saved search" in missing.text) == (404, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "a saved search needs one"),
        ({"name": "n" * 101}, "name"),
        ({"search": "ann@example.com"}, "keeps no email address"),
        ({"name": "of ann@example.com"}, "keeps no email address"),
        ({"contact_ids": "c1"}, "keeps no ids"),
    ],
)
def test_a_search_that_names_a_contact_or_has_no_name_is_not_kept(
    site: Site, people: Running, sql_rows: Rows, fields: dict[str, str], said: str
) -> None:
    answer = site.post(
        f"{PAGE}/searches", **{"name": "n", "list_id": NEWS, "action": "add"} | fields
    )
    assert (answer.status, said in answer.text) == (422, True)
    assert "ann@" not in answer.text
    assert sql_rows("SELECT name FROM ctct_saved_search") == []


def test_a_viewer_keeps_and_deletes_no_search(site: Site, people: Running, sql_rows: Rows) -> None:
    wanted = {"name": "n", "list_id": NEWS, "action": "add"}
    assert site.post(f"{PAGE}/searches", "VIEWER", **wanted).status == 403
    site.post(f"{PAGE}/searches", **wanted)
    (row,) = sql_rows("SELECT search_id FROM ctct_saved_search")
    assert site.post(f"{PAGE}/searches/{row['search_id']}/deletion", "VIEWER").status == 403
    assert len(sql_rows("SELECT name FROM ctct_saved_search")) == 1


def test_what_was_typed_is_in_no_address_and_no_conf(
    site: Site, people: Running, start_dag: Start
) -> None:
    path = choose(site, search="ann@example.com")
    assert path == f"{PAGE}/choices/1"
    press(site, path, site.get(f"{path}/forecast", "OP"))
    assert runs()[0][2] == {"choice_id": 1}
    assert 'value="ann@example.com"' in site.get(f"{PAGE}/new?choice=1", "OP").text


def test_who_is_left_out_is_left_out(
    site: Site, people: Running, start_dag: Start, sql_rows: Rows
) -> None:
    path = choose(site, is_mailable="true")
    before = site.get(f"{path}/forecast", "OP")
    kept = site.post(f"{path}/ticks", shown=["c1", "c2", "c3", "c6"], ticked=["c2", "c6"])
    assert kept.status == 303
    assert '"c1" aria-label' in site.get(path, "OP").text
    stale = press(site, path, before)
    assert (stale.status, runs()) == (409, [])
    assert "it has changed since it was shown" in stale.text
    after = site.get(f"{path}/forecast", "OP")
    assert "2 of 4 are left out." in after.text
    assert "Request it for 2 contacts" in after.text
    assert press(site, path, after).status == 303
    late = site.post(f"{path}/ticks", shown=["c1"], ticked=["c1"])
    assert late.status == 409
    carry_on(DAG)
    rows = sql_rows("SELECT contact_id FROM crm_list_membership ORDER BY contact_id")
    assert [row["contact_id"] for row in rows] == ["c2", "c6"]


def test_all_are_left_out_or_taken_in_by_one_button(site: Site, people: Running) -> None:
    path = choose(site)
    site.post(f"{path}/ticks", everyone="out")
    assert "No contact is included: tick one at least." in site.get(f"{path}/forecast", "OP").text
    site.post(f"{path}/ticks", everyone="in")
    assert "Request it for 6 contacts" in site.get(f"{path}/forecast", "OP").text


def test_ticks_kept_by_the_script_make_the_forecast_anew(site: Site, people: Running) -> None:
    path = choose(site)
    kept = site.post(f"{path}/ticks", headers={"HX-Request": "true"}, shown=["c1"])
    assert (kept.status, kept.headers["HX-Trigger"]) == (204, "ticked")


def test_what_changed_between_the_page_and_the_run_is_told_and_obeyed(
    site: Site,
    people: Running,
    start_dag: Start,
    set_do_not_email: Callable[..., None],
) -> None:
    path = choose(site, contact_ids="c1\nc6")
    press(site, path, site.get(f"{path}/forecast", "OP"))
    set_do_not_email("c1", True)
    carry_on(DAG)
    body = site.get(path).text
    assert "The forecast no longer holds" in body
    assert "of 2 contacts 2 were to be carried and 0 refused" in body
    start_dag("constant_contact_list_memberships")
    assert 1 not in on_lists(people)["ann@example.com"]


def test_who_was_taken_off_since_is_left_as_they_are_and_counted(
    site: Site, people: Running, start_dag: Start, sql_rows: Rows
) -> None:
    path = choose(site, contact_ids="c1\nc6")
    press(site, path, site.get(f"{path}/forecast", "OP"))
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES ('c1', %s, 'remove')",
        NEWS,
    )
    carry_on(DAG)
    body = site.get(path).text
    assert "1 requests were written." in body
    assert "<strong>1 were left as they are</strong>" in body


def test_a_choice_is_requested_once_however_often_its_run_is_repeated(
    site: Site, people: Running, run_dag: Callable[..., Any], sql_rows: Rows
) -> None:
    path = choose(site, contact_ids="c1")
    press(site, path, site.get(f"{path}/forecast", "OP"))
    carry_on(DAG)
    sql_rows("UPDATE crm_list_membership SET status = 'done'")
    again = run_dag(DAG, choice_id=1)
    assert again.returned["bulk_memberships"]["requested"] == 1
    assert [row["status"] for row in sql_rows("SELECT status FROM crm_list_membership")] == ["done"]


def test_a_choice_that_nobody_wants_carried_is_not(
    site: Site, people: Running, run_dag: Callable[..., Any], sql_rows: Rows
) -> None:
    choose(site, contact_ids="c1")
    for choice_id in (1, 77):
        ran = run_dag(DAG, choice_id=choice_id)
        assert ran.state == "failed"
        assert f"{choice_id} is no choice that waits to be carried" in ran.log
    assert sql_rows("SELECT * FROM crm_list_membership") == []


def test_a_list_that_is_dead_is_not_taken(site: Site, people: Running) -> None:
    for dead in (OLD, "nonsense"):
        answer = site.post(f"{PAGE}/new", list_id=dead, action="add")
        assert answer.status == 503
        assert "is no list of Constant Contact" in answer.text
    assert site.get(f"{PAGE}/choices/1").status == 404
    assert site.get(f"{PAGE}/choices/1/forecast").status == 404


def test_a_viewer_looks_and_presses_nothing(site: Site, people: Running) -> None:
    path = choose(site)
    for each in (path, f"{path}/forecast"):
        assert "<button" not in site.get(each).text
    assert site.post(f"{path}/request", "VIEWER", edits="0").status == 403
    assert runs() == []


def test_many_are_looked_at_by_a_run_that_requests_nothing(
    site: Site, people: Running, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.people import wizard

    monkeypatch.setattr(wizard, "_MOST_LOOKED_AT", 3)
    path = choose(site)
    asked = site.get(f"{path}/forecast", "OP").text
    assert "Show what would become of 6 contacts" in asked
    assert "Request it" not in asked
    for _ in range(2):
        assert site.post(f"{path}/forecast").status == 303
    assert runs() == [("forecast_1_0", "op", {"choice_id": 1, "dry_run": True})]
    assert 'hx-trigger="every 3s"' in site.get(f"{path}/forecast", "OP").text
    assert carry_on(DAG) == {"bulk_memberships": "success"}
    shown = site.get(f"{path}/forecast", "OP")
    assert "Of 6 contacts <strong>2</strong> would be put on the list" in shown.text
    assert sql_rows("SELECT * FROM crm_list_membership") == []
    site.post(f"{path}/ticks", shown=["c1"])
    assert "Show what would become of 5 contacts" in site.get(f"{path}/forecast", "OP").text
    assert press(site, path, shown).status == 409


@pytest.mark.usefixtures("start_dag")
def test_before_any_list_is_known_the_wizard_leads_to_where_lists_are_synced(site: Site) -> None:
    shown = site.get(f"{PAGE}/new", "OP").text
    assert 'is known here yet: <a href="/constant-contact/#lists">' in shown
    assert 'id="lists"' in site.get("/constant-contact/").text
