"""The pages about opt-outs: what became of each change, and what a person does about it."""

import re
from collections.abc import Callable

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Start, carry_on
from tests.airflow.overview_page import table
from tests.airflow.site import Site
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id

PAGE = "/constant-contact/opt-outs"
OPT_INS = "constant_contact_opt_ins"
ANN = contact_id(1)


@pytest.fixture
def held(
    simulator: Running,
    run_jobs: Callable[..., None],
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> int:
    """Ann asked to be left alone, then the CRM cleared the flag; returns the held change."""
    simulator.control.load(
        lists=[{"list_id": list_id(1), "name": "News & <b>more</b>"}],
        contacts=[vendor_contact(1, "ann@example.com")],
    )
    run_jobs("lists", "contacts", "links", "completeness")
    add_crm_contact(
        "c1", "ann@example.com", first_name="<script>x</script>", constant_contact_id=ANN
    )
    set_do_not_email("c1", True, "asked <i>by telephone</i>", by_contact=True)
    run_jobs("opt-outs")
    set_do_not_email("c1", False)
    run_jobs("opt-outs")
    (row,) = sql_rows("SELECT change_id FROM crm_opt_out_change WHERE status = 'held'")
    return int(row["change_id"])


def once(text: str) -> str:
    shown = re.search(r'name="once" value="([^"]+)"', text)
    assert shown
    return shown[1]


def mails(simulator: Running) -> int:
    return int(simulator.control.truth()["resubscribe_emails_sent"])


def runs() -> list[tuple[str, str]]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=OPT_INS)
        return [(run.run_id, run.triggering_user_name) for run in found]


def test_an_empty_outbox_says_so(site: Site, connections: pytest.MonkeyPatch) -> None:
    assert "Do Not Email was not set or cleared in the CRM yet" in site.get(PAGE).text
    assert "No change is like this." in site.get(f"{PAGE}?status=held").text
    assert site.get(f"{PAGE}/1").status == 404


def test_a_crm_that_is_away_shows_as_such(site: Site, connections: pytest.MonkeyPatch) -> None:
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2"}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    answer = site.get(PAGE)
    assert answer.status == 503
    assert "the CRM database does not answer" in answer.text
    assert "hunter2" not in answer.text


def test_each_change_tells_what_was_asked_and_what_became_of_it(site: Site, held: int) -> None:
    body = site.get(PAGE).text
    assert "<script>x" not in body
    assert "<i>by telephone" not in body
    assert "asked &lt;i&gt;by telephone&lt;/i&gt;" in body
    assert "Unsubscribed at Constant Contact." in body
    assert "Only the contact can undo that" in body
    assert "Only the contact can undo that" not in site.get(f"{PAGE}?status=done").text
    assert 'done <span class="count">1</span>' in body
    assert site.get(f"{PAGE}?status=nonsense").status == 422


def test_pages_of_changes_meet_without_gap_or_overlap(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
        " SELECT 'p' || n, TRUE, 'done' FROM generate_series(1, 120) n"
    )
    path, seen = f"{PAGE}?status=done", []
    while path:
        body = site.get(path).text
        seen += re.findall(r"<td>(p\d+)</td>", body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"p{number}" for number in range(120, 0, -1)]


def test_changes_are_filtered_and_sorted_by_their_address(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_link (contact_id, first_name) VALUES ('a', 'Zoe'), ('b', 'Ann')")
    sql_rows(
        "INSERT INTO crm_opt_out_change"
        " (contact_id, do_not_email, requested_by_contact, changed_by, processed_at)"
        " VALUES ('a', TRUE, TRUE, 'jo', '2026-01-01Z'), ('b', TRUE, NULL, 'al', '2026-01-03Z'),"
        " ('c', FALSE, FALSE, NULL, NULL)"
    )

    def shown(query: str) -> list[str]:
        answer = site.get(f"{PAGE}?{query}")
        assert answer.status == 200, answer.text
        return [row[1].split()[-1] for row in table(answer.text)]

    assert shown("flag=clear") == ["c"]
    assert shown("flag=set") == ["b", "a"]
    assert shown("wish=contact") == ["a"]
    assert shown("wish=account") == ["c", "b"]
    assert shown("flag=set&wish=account&status=pending") == ["b"]
    assert shown("") == shown("sort=-change_id") == ["c", "b", "a"]
    assert shown("sort=change_id") == ["a", "b", "c"]
    assert shown("sort=name") == ["b", "a", "c"]
    assert shown("sort=-processed_at") == ["b", "a", "c"]
    assert shown("sort=changed_by") == ["b", "a", "c"]
    body = site.get(f"{PAGE}?flag=set&status=pending&sort=name").text
    assert f'href="{PAGE}?status=pending&amp;flag=set&amp;sort=-name"' in body
    assert f'href="{PAGE}?status=held&amp;flag=set&amp;sort=name"' in body
    for query in ("flag=odd", "sort=reason", "before=[1.5]", "after=7"):
        assert site.get(f"{PAGE}?{query}").status == 422


def test_the_mail_is_sent_only_after_a_step_that_says_to_whom_and_that_it_is_once_ever(
    site: Site, held: int, simulator: Running
) -> None:
    assert f"{PAGE}/{held}/confirmation" in site.get(f"{PAGE}/{held}", "OP").text
    step = site.get(f"{PAGE}/{held}/confirmation", "OP").text
    assert "ann@example.com" in step
    assert "Once ever." in step
    assert "News &amp; &lt;b&gt;more&lt;/b&gt;" in step
    assert site.post(f"{PAGE}/{held}/confirmation", once=once(step)).status == 422
    fields = {"once": once(step), "list_id": [list_id(1)]}
    for _ in range(2):
        answer = site.post(f"{PAGE}/{held}/confirmation", **fields)
        assert (answer.status, answer.headers["location"]) == (303, f"{PAGE}/{held}")
    assert [by for _, by in runs()] == ["op"]
    assert mails(simulator) == 0
    assert carry_on(OPT_INS) == {"opt_ins": "success"}
    assert mails(simulator) == 1
    body = site.get(f"{PAGE}/{held}", "OP").text
    assert "Constant Contact has sent its confirmation mail." in body
    assert "confirmation asked" in body
    assert f"{PAGE}/{held}/confirmation" not in body
    again = site.get(f"{PAGE}/{held}/confirmation", "OP")
    assert again.status == 409
    assert "Constant Contact sends it once ever" in again.text
    assert site.post(f"{PAGE}/{held}/confirmation", **fields | {"once": "0" * 8}).status == 409
    assert len(runs()) == 1


def test_who_is_flagged_again_is_not_asked(
    site: Site, held: int, sql_rows: Rows, set_do_not_email: Callable[..., None]
) -> None:
    step = site.get(f"{PAGE}/{held}/confirmation", "OP").text
    set_do_not_email("c1", True)
    answer = site.post(f"{PAGE}/{held}/confirmation", once=once(step), list_id=[list_id(1)])
    assert (answer.status, runs()) == (409, [])


def test_a_list_that_is_gone_is_not_joined(site: Site, held: int) -> None:
    step = site.get(f"{PAGE}/{held}/confirmation", "OP").text
    answer = site.post(f"{PAGE}/{held}/confirmation", once=once(step), list_id=[list_id(9)])
    assert (answer.status, runs()) == (409, [])


def test_a_dismissed_wish_is_done_and_says_by_whom(
    site: Site, held: int, simulator: Running
) -> None:
    shown = site.get(f"{PAGE}/{held}", "OP").text
    assert site.post(f"{PAGE}/{held}/dismissal", once=once(shown)).status == 303
    waiting = site.get(f"{PAGE}/{held}", "OP").text
    assert 'hx-trigger="every 3s"' in waiting
    assert "/dismissal" not in waiting
    assert carry_on(OPT_INS) == {"opt_ins": "success"}
    body = site.get(f"{PAGE}/{held}").text
    assert "Dismissed by a person" in body
    assert "<td>op</td>" in body
    assert mails(simulator) == 0


def test_a_viewer_sees_no_buttons(site: Site, held: int) -> None:
    body = site.get(f"{PAGE}/{held}").text
    assert "<form" not in body
    assert "/confirmation" not in body
    assert site.get(f"{PAGE}/{held}/confirmation").status == 403


@pytest.mark.parametrize("newer", [None, True, False])
def test_a_failed_change_is_tried_again_unless_a_newer_one_counts(
    site: Site,
    held: int,
    sql_rows: Rows,
    set_do_not_email: Callable[..., None],
    start_dag: Start,
    newer: bool | None,
) -> None:
    sql_rows("UPDATE crm_opt_out_change SET status = 'failed' WHERE change_id = %s", held)
    assert f"{PAGE}/{held}/retry" in site.get(f"{PAGE}/{held}", "OP").text
    if newer is not None:
        sql_rows(
            "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status)"
            " VALUES ('c1', %s, 'done')",
            newer,
        )
    answer = site.post(f"{PAGE}/{held}/retry")
    (row,) = sql_rows("SELECT status FROM crm_opt_out_change WHERE change_id = %s", held)
    if newer is None:
        assert (answer.status, row["status"]) == (303, "pending")
        # The consent rules look at it again: only Ann can undo her opt-out.
        start_dag("constant_contact_opt_outs")
        (row,) = sql_rows("SELECT status FROM crm_opt_out_change WHERE change_id = %s", held)
        assert row["status"] == "held"
        assert "retried" in site.get(f"{PAGE}/{held}").text
    else:
        assert (answer.status, row["status"]) == (409, "failed")
        assert "a newer change of the same contact counts" in answer.text


@pytest.mark.parametrize("status", ["pending", "held", "done", "superseded"])
def test_only_a_failed_change_is_tried_again(
    site: Site, connections: pytest.MonkeyPatch, sql_rows: Rows, status: str
) -> None:
    sql_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, status) VALUES ('c', TRUE, %s)",
        status,
    )
    assert site.post(f"{PAGE}/1/retry").status == 409
    assert sql_rows("SELECT status FROM crm_opt_out_change") == [{"status": status}]
