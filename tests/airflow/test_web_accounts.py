"""The pages of two accounts: each shows what is its own, and acts on nothing else."""

import re

import pytest

from constant_contact.accounts import DEFAULT, Account, accounts_named
from simulator.server import Running
from tests.airflow.airflow_runs import Start, account_connection, carry_on
from tests.airflow.overview_page import EU_OVERVIEW, OVERVIEW, section, sync_row, text_of
from tests.airflow.site import Site
from tests.support import EU_CONN_ID, Add, Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id

ROOT = "/constant-contact"
EU = f"{ROOT}/accounts/eu"
MARKS = {ROOT: "Alpha", EU: "Beta"}
# One of each kind of page that shows rows.
PAGES = (
    "calls", "calls/1", "calls/csv", "opt-outs", "opt-outs/1", "holds/1", "memberships",
    "memberships/new", "memberships/choices/1", "memberships/choices/1/forecast",
    "why?contact_id=c1",
)  # fmt: skip


@pytest.fixture
def marked(eu: Running, sql_rows: Rows, eu_rows: Rows, add_crm_contact: Add) -> None:
    """Both accounts have rows of the same ids, each with a mark of its account."""
    add_crm_contact("c1", "ann@example.com")
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('c1', TRUE)")
    for rows, mark in ((sql_rows, MARKS[ROOT]), (eu_rows, MARKS[EU])):
        rows("UPDATE crm_opt_out_change SET status = 'failed', detail = %s", mark)
        rows(
            "INSERT INTO ctct_list (list_id, name, membership_count, mirrored_at)"
            " VALUES (%s, %s, 7, now())",
            list_id(1),
            mark,
        )
        rows(
            "INSERT INTO ctct_api_call (called_at, method, path, status, duration_ms)"
            " VALUES (now(), 'GET', %s, 200, 1)",
            f"/v3/{mark}",
        )
        rows("INSERT INTO ctct_hold (noun, detail) VALUES ('opt_outs', %s)", mark)
        rows(
            "INSERT INTO crm_list_membership (contact_id, list_id, action, status, detail)"
            " VALUES ('c1', %s, 'add', 'done', %s)",
            list_id(1),
            mark,
        )
        rows(
            "INSERT INTO ctct_choice (list_id, action, criteria, unknown, made_by)"
            " VALUES (%s, 'add', '{}', 0, 'op')",
            list_id(1),
        )


@pytest.mark.usefixtures("marked")
def test_each_page_shows_the_rows_of_its_account_and_none_of_anothers(site: Site) -> None:
    for root, mark in MARKS.items():
        (other,) = set(MARKS.values()) - {mark}
        for path in PAGES:
            answer = site.get(f"{root}/{path}", "OP")
            assert answer.status == 200, (root, path, answer.text)
            assert (mark in answer.text, other in answer.text) == (True, False), (root, path)


@pytest.mark.usefixtures("marked")
def test_no_link_of_an_accounts_page_leads_to_another_but_where_the_accounts_are_named(
    site: Site,
) -> None:
    for path in (*PAGES, "", "connection", "connection/credentials"):
        text = site.get(f"{EU}/{path}", "OP").text
        text = re.sub(r'<nav class="accounts".*?</nav>', "", text, flags=re.DOTALL)
        links = re.findall(rf'(?:href|action|hx-get|hx-post)="({ROOT}/[^"]*)"', text)
        strange = [link for link in links if not link.startswith((f"{EU}/", f"{ROOT}/static/"))]
        assert strange == [], path


def test_the_pages_of_the_only_account_name_none(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    text = site.get(OVERVIEW).text
    assert "<title>Overview · Constant Contact</title>" in text
    assert "Accounts" not in text
    assert "Account <strong>" not in text


@pytest.mark.usefixtures("eu")
def test_with_several_accounts_a_page_says_whose_it_is_and_leads_to_the_same_of_the_others(
    site: Site,
) -> None:
    for root, name in ((ROOT, "default"), (EU, "eu")):
        text = site.get(f"{root}/opt-outs").text
        assert f"<title>Opt-outs · {name} · Constant Contact</title>" in text
        assert f"Account <strong>{name}</strong>" in text
        nav = text[text.index('<nav class="accounts" aria-label="Accounts">') :]
        links = re.findall(r'<a href="([^"]+)" (aria-current="true")?>(\w+)</a>', nav)
        assert [(href, label, bool(current)) for href, current, label in links] == [
            (f"{ROOT}/opt-outs", "default", name == "default"),
            (f"{EU}/opt-outs", "eu", name == "eu"),
        ]
    assert f'<a href="{EU}/" >eu</a>' in site.get(f"{ROOT}/opt-outs/7").text


def test_the_overview_is_of_one_accounts_runs_calls_and_troubles(
    site: Site, eu: Running, simulator: Running, start_dag: Start, dags_on: None,
    connections: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    simulator.control.load(lists=[{"name": "One"}])
    eu.control.load(lists=[{"name": "One"}, {"name": "Two"}])
    assert start_dag("constant_contact_lists").state == "success"
    spent = account_connection(eu, login="eu-api-key", extra={"calls_per_day": "3"})
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", spent)
    for _ in range(2):
        assert start_dag("constant_contact_eu_lists").state == "success"
    assert start_dag("constant_contact_eu_lists").waits
    assert "read 1, active 1" in text_of(sync_row(site, "lists"))
    assert "read 2, active 2" in text_of(sync_row(site, "lists", overview=EU_OVERVIEW))
    assert "1 of 1,000,000 calls made" in section(site, "calls")
    assert "2 of 3 calls made" in section(site, "calls", overview=EU_OVERVIEW)
    assert "No task waits." in section(site, "waiting")
    assert "constant_contact_eu_lists" in section(site, "waiting", overview=EU_OVERVIEW)
    unauthorized = account_connection(eu, login="another-key", extra={"refresh_token": ""})
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", unauthorized)
    needs = section(site, "needs-a-person", overview=EU_OVERVIEW)
    assert f"Connection {EU_CONN_ID} is not authorized" in needs
    assert f'href="{EU}/connection"' in needs
    assert "Nothing waits for you." in section(site, "needs-a-person")


def test_pages_of_accounts_that_share_a_key_count_its_calls_in_the_pool_of_pages(
    site: Site, eu: Running, connections: pytest.MonkeyPatch, start_dag: Start, sql_rows: Rows
) -> None:
    eu.control.settings(client_id="demo-api-key")
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", account_connection(eu))
    assert start_dag("constant_contact_lists").state == "success"
    impatient = (
        "SELECT count(*) AS others FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name <> 'constant_contact pages' AND pid <> pg_backend_pid()"
    )
    before = sql_rows(impatient)
    for _ in range(3):
        assert "1 of 1,000,000 calls made" in section(site, "calls", overview=EU_OVERVIEW)
    assert sql_rows(impatient) == before


@pytest.mark.usefixtures("marked")
def test_a_tasks_tab_leads_to_the_calls_of_its_account(site: Site) -> None:
    for dag_id, root in (
        ("constant_contact_eu_lists", EU),
        ("constant_contact_lists", ROOT),
        ("a_dag_of_somebody", ROOT),
    ):
        asked = f"dag_id={dag_id}&run_id=r%2B1&task_id=t&map_index={{MAP_INDEX}}"
        answer = site.get(f"{ROOT}/task-calls?{asked}")
        leads_to = f"{root}/calls?dag_id={dag_id}&run_id=r%2B1&task_id=t"
        assert (answer.status, answer.headers["location"]) == (303, leads_to)


def test_a_file_of_calls_says_whose_they_are(site: Site, eu: Running) -> None:
    names = [site.get(f"{root}/calls/csv").headers["content-disposition"] for root in (ROOT, EU)]
    assert [name[:34] for name in names] == [
        'attachment; filename="api-calls-20', 'attachment; filename="api-calls-eu',
    ]  # fmt: skip


@pytest.mark.usefixtures("marked")
def test_a_change_that_is_tried_again_is_that_of_the_pages_account(
    site: Site, sql_rows: Rows, eu_rows: Rows
) -> None:
    changes = "SELECT change_id, status FROM crm_opt_out_change"
    answer = site.post(f"{EU}/opt-outs/1/retry")
    assert (answer.status, answer.headers["location"]) == (303, f"{EU}/opt-outs/1")
    assert eu_rows(changes) == [{"change_id": 1, "status": "pending"}]
    assert sql_rows(changes) == [{"change_id": 1, "status": "failed"}]


def test_the_connections_page_is_about_its_accounts_connection(
    site: Site, eu: Running, connections: pytest.MonkeyPatch
) -> None:
    eu.control.load(lists=[{"name": "One"}, {"name": "Two"}])
    for root, conn_id, lists in ((ROOT, "constant_contact_default", 0), (EU, EU_CONN_ID, 2)):
        text = text_of(site.get(f"{root}/connection", "OP").text)
        assert f"{conn_id}, in the environment" in text
        tested = site.post(f"{root}/connection/test", "OP").text
        assert f": {lists} lists." in text_of(tested)


@pytest.mark.parametrize(
    ("dag_id", "name"),
    [
        ("constant_contact_lists", "default"),
        ("constant_contact_opt_outs", "default"),
        ("constant_contact_opt_opt_outs", "opt"),
        ("constant_contact_opt_special", "opt"),
        ("constant_contact_eu_opt_outs", "eu"),
        ("constant_contact_eur_opt_outs", "default"),
        ("my_own", "default"),
    ],
)
def test_a_dag_is_an_accounts_by_its_whole_name(
    airflow: pytest.MonkeyPatch, dag_id: str, name: str
) -> None:
    from constant_contact.web.overview.syncs import account_of

    assert account_of(dag_id, accounts_named("opt, eu")).name == name


@pytest.fixture
def held_twice(
    simulator: Running, eu: Running, start_dag: Start, add_crm_contact: Add,
    set_do_not_email: Add, sql_rows: Rows, eu_rows: Rows,
) -> tuple[int, int]:  # fmt: skip
    """Ann said no at both accounts, then the CRM cleared the flag; the change held in each."""
    add_crm_contact("c1", "ann@example.com")
    for vendor, number in ((simulator, 1), (eu, 2)):
        vendor.control.load(
            lists=[{"list_id": list_id(1), "name": "News"}],
            contacts=[vendor_contact(number, "ann@example.com")],
        )
    for account in (DEFAULT, Account("eu")):
        start_dag(account.dag_id("lists"))
        start_dag(account.dag_id("contacts"), full=True)
    for flag in (True, False):
        set_do_not_email("c1", flag, "by telephone", by_contact=True)
        for account in (DEFAULT, Account("eu")):
            start_dag(account.dag_id("opt_outs"))
    held = "SELECT change_id FROM crm_opt_out_change WHERE status = 'held'"
    ((mine,), (theirs,)) = (rows(held) for rows in (sql_rows, eu_rows))
    return mine["change_id"], theirs["change_id"]


def test_a_confirmation_asked_for_at_one_account_changes_nothing_of_another(
    held_twice: tuple[int, int], site: Site, simulator: Running, eu: Running,
    sql_rows: Rows, eu_rows: Rows,
) -> None:  # fmt: skip
    _, theirs = held_twice
    sent = "SELECT * FROM ctct_confirmation"
    step = site.get(f"{EU}/opt-outs/{theirs}/confirmation", "OP").text
    assert contact_id(2) in step
    (once,) = re.findall(r'name="once" value="([^"]+)"', step)
    answer = site.post(f"{EU}/opt-outs/{theirs}/confirmation", once=once, list_id=[list_id(1)])
    assert (answer.status, answer.headers["location"]) == (303, f"{EU}/opt-outs/{theirs}")
    assert carry_on("constant_contact_opt_ins", account="eu") == {"opt_ins": "success"}
    asked = [vendor.control.truth()["resubscribe_emails_sent"] for vendor in (simulator, eu)]
    assert asked == [0, 1]
    assert "has sent its confirmation mail" in site.get(f"{EU}/opt-outs/{theirs}").text
    assert "constant_contact_eu_opt_ins, run" in site.get(f"{EU}/opt-outs/{theirs}").text
    assert (len(sql_rows(sent)), len(eu_rows(sent))) == (0, 1)


def test_a_hold_is_answered_by_the_account_whose_it_is(
    site: Site, eu: Running, connections: pytest.MonkeyPatch, start_dag: Start,
    add_crm_contact: Add, set_do_not_email: Add, eu_rows: Rows,
) -> None:  # fmt: skip
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__BREAKER_CONTACTS", "2")
    numbers = range(1, 4)
    eu.control.load(contacts=[vendor_contact(n, f"p{n}@example.com") for n in numbers])
    for number in numbers:
        add_crm_contact(f"c{number}", f"p{number}@example.com")
    start_dag("constant_contact_eu_contacts", full=True)
    for number in numbers:
        set_do_not_email(f"c{number}", True)
    for _ in range(2):
        start_dag("constant_contact_eu_opt_outs")
    carry_on("constant_contact_approvals", "ask", "approval", account="eu")
    assert "unsubscribe 3 contacts at once?" in site.get(f"{EU}/holds/1", "OP").text
    assert site.get(f"{ROOT}/holds/1", "OP").status == 404
    assert site.post(f"{ROOT}/holds/1/answer", choice="Reject").status == 404
    assert site.post(f"{EU}/holds/1/answer", choice="Approve").status == 303
    assert "Approve, by op" in site.get(f"{EU}/holds/1").text
    carry_on("constant_contact_approvals", "approval", "answer", account="eu")
    assert eu_rows("SELECT answer, answered_by FROM ctct_hold") == [
        {"answer": "approved", "answered_by": "op"}
    ]


def test_what_the_wizard_finds_and_requests_is_of_the_pages_account(
    site: Site, eu: Running, start_dag: Start, marked: None, sql_rows: Rows, eu_rows: Rows
) -> None:
    found = site.post(f"{EU}/memberships/new", list_id=list_id(1), action="add")
    path = str(found.headers["location"])
    assert path == f"{EU}/memberships/choices/2"
    forecast = site.get(f"{path}/forecast", "OP").text
    (edits,) = set(re.findall(r'name="edits" value="(\d+)"', forecast)) or {"0"}
    assert site.post(f"{path}/request", edits=edits).status == 303
    assert "constant_contact_eu_bulk_memberships, run choice_2" in site.get(path, "OP").text
    choices = "SELECT choice_id FROM ctct_choice WHERE submitted_by = 'op'"
    assert (sql_rows(choices), eu_rows(choices)) == ([], [{"choice_id": 2}])
