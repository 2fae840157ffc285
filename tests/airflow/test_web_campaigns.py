"""The pages of campaigns: what each did, on both sides, and who did it."""

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from constant_contact.api.vendor import TRACKERS
from constant_contact.store.database import Database
from simulator.server import Running
from tests.airflow.airflow_runs import Start
from tests.airflow.overview_page import table, text_of
from tests.airflow.site import Site
from tests.support import Rows, contact_id, vendor_contact

CAMPAIGNS = "/constant-contact/campaigns"
MAY, JUNE = (f"00000000-0000-4000-8800-00000000000{number}" for number in (1, 2))
# Columns of types that came after the first six, of which no event is made up here.
OTHERS = ["0"] * (len(TRACKERS) - 6)


def sent(campaign_id: str, name: str, month: int, **fields: Any) -> dict[str, Any]:
    """A campaign of one activity, whose id differs from the campaign's in one digit."""
    at = f"2026-0{month}-01T10:00:00.000Z"
    activity = {
        "role": "primary_email",
        "campaign_activity_id": campaign_id.replace("8800", "9000"),
        "sent_at": at,
    }
    return {
        "campaign_id": campaign_id, "name": name, "last_sent_date": at,
        "campaign_activities": [activity],
    } | fields  # fmt: skip


def event(campaign_id: str, kind: str, number: int, at: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind, "campaign_activity_id": campaign_id.replace("8800", "9000"),
        "contact_id": contact_id(number), "created_time": at,
    } | fields  # fmt: skip


@pytest.fixture
def account(
    simulator: Running,
    run_jobs: Callable[..., None],
    add_crm_contact: Callable[..., None],
) -> Running:
    """Two campaigns, read: May was sent to three contacts, June to one; Ann is in the CRM twice."""
    link = {"url_id": "7", "link_url": "https://example.com/a"}
    addresses = ("ann@example.com", "bob@example.com", "cal@example.com")
    simulator.control.load(
        contacts=[vendor_contact(number, each) for number, each in enumerate(addresses, 1)],
        campaigns=[sent(MAY, "May News", 5), sent(JUNE, "June <b>News</b>", 6)],
        events=[
            *(event(MAY, "sends", number, "2026-05-01T10:00:00.000Z") for number in (1, 2, 3)),
            event(MAY, "opens", 1, "2026-05-02T08:00:00.000Z"),
            event(MAY, "opens", 1, "2026-05-03T08:00:00.000Z"),
            # a program's, seconds after the sending
            event(MAY, "opens", 2, "2026-05-01T10:00:03.000Z"),
            event(MAY, "clicks", 1, "2026-05-02T08:01:00.000Z", **link),
            event(MAY, "clicks", 1, "2026-06-20T08:01:00.000Z", **link),
            event(MAY, "bounces", 3, "2026-05-01T10:00:05.000Z", bounce_code="B"),
            event(JUNE, "sends", 1, "2026-06-01T10:00:00.000Z"),
        ],
    )
    add_crm_contact("C1", "ann@example.com", first_name="Ann", last_name="Lee")
    add_crm_contact("C2", "ann@example.com", first_name="Al")
    run_jobs("contacts", "links", "campaigns", "activities", "interactions", "completeness")
    return simulator


def listed(site: Site, query: str = "") -> list[list[str]]:
    """The cells of each campaign of the list."""
    answer = site.get(f"{CAMPAIGNS}{query}")
    assert answer.status == 200, answer.text
    body = answer.text[answer.text.index("<tbody>") : answer.text.index("</tbody>")]
    return table(body)


def names(site: Site, query: str = "") -> list[str]:
    return [row[0].split()[0] for row in listed(site, query)]


def link_to(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a [^>]*?href="([^"]+)"[^>]*>{words}', text)
    assert found, words
    return unescape(found[1])


@pytest.mark.usefixtures("account")
def test_each_campaign_stands_with_what_it_did_and_whether_the_counts_agree(site: Site) -> None:
    june, may = listed(site)
    assert june[0].startswith("June <b>News</b>")
    assert may[2:] == [
        "agree", "3", "2 1 automatic", "100.0%", "1", "50.0%", "1", "0",
    ]  # fmt: skip
    shown = site.get(CAMPAIGNS).text
    assert "<b>News" not in shown
    assert "All 2 campaigns 4 2 1 automatic" in text_of(shown)
    page = text_of(site.get(f"{CAMPAIGNS}/{MAY}").text)
    assert "Counts on both sides agree" in page
    assert "Opens 2 1 probably automatic 2" in page
    assert "https://example.com/a 2 All links 2" in page
    assert "primary email 00000000-0000-4000-9000-000000000001 Clicks read 2 2" in page


@pytest.mark.usefixtures("account")
def test_a_summary_that_lags_behind_is_told(site: Site, sql_rows: Rows) -> None:
    lags = "Constant Contact's summary lags behind its reports, which have more."
    assert lags not in text_of(site.get(f"{CAMPAIGNS}/{MAY}").text)
    sql_rows("UPDATE ctct_campaign_count SET vendor_count = 2 WHERE activity_type = 'send'")
    assert text_of(site.get(f"{CAMPAIGNS}/{MAY}").text).count(f"agree {lags}") == 1


@pytest.mark.usefixtures("account")
def test_the_days_after_the_sending_are_drawn_and_later_ones_counted_together(site: Site) -> None:
    shown = site.get(f"{CAMPAIGNS}/{MAY}").text
    days = table(shown[: shown.index("</tbody>", shown.index("Events of the first"))])
    assert days[0] == ["01 May", "1", "0", "1", "0", "0", *OTHERS]
    assert days[1] == ["02 May", "1", "1", "0", "0", "0", *OTHERS]
    assert days[-1] == ["later", "0", "1", "0", "0", "0", *OTHERS]
    assert len(days) == 31


@pytest.mark.usefixtures("account")
def test_a_proof_before_the_sending_moves_no_day_of_it(site: Site, sql_rows: Rows) -> None:
    sql_rows(
        "INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)"
        " SELECT stream_id, 1, '2026-03-01 10:00Z', 'tester', '' FROM ctct_engagement_stream"
        " WHERE activity_type IN ('open', 'click') AND campaign_activity_id LIKE '%1'"
    )

    def drawn() -> list[list[str]]:
        shown = site.get(f"{CAMPAIGNS}/{MAY}").text
        return table(shown[: shown.index("</tbody>", shown.index("Events of the first"))])

    days = drawn()
    assert days[:3] == [
        ["earlier", "1", "1", "0", "0", "0", *OTHERS],
        ["01 May", "1", "0", "1", "0", "0", *OTHERS],
        ["02 May", "1", "1", "0", "0", "0", *OTHERS],
    ]
    assert (days[-1][0], len(days)) == ("later", 32)
    # the sends of many campaigns are not read back to the beginning
    sql_rows(
        "DELETE FROM ctct_engagement USING ctct_engagement_stream AS stream"
        " WHERE ctct_engagement.stream_id = stream.stream_id AND stream.activity_type = 'send'"
    )
    assert drawn() == days


@pytest.mark.usefixtures("account")
def test_a_campaign_that_is_sent_again_is_drawn_from_its_first_sending(
    site: Site, sql_rows: Rows
) -> None:
    sql_rows("UPDATE ctct_campaign SET last_sent_at = '2026-05-09 10:00Z' WHERE name LIKE 'May%'")
    shown = site.get(f"{CAMPAIGNS}/{MAY}").text
    days = table(shown[: shown.index("</tbody>", shown.index("Events of the first"))])
    assert days[0] == ["01 May", "1", "0", "1", "0", "0", *OTHERS]


@pytest.mark.usefixtures("account")
def test_a_list_of_campaigns_is_sorted_and_filtered_by_its_address(site: Site) -> None:
    assert names(site) == names(site, "?sort=-sent_at") == ["June", "May"]
    assert names(site, "?sort=-opens") == names(site, "?sort=sent_at") == ["May", "June"]
    assert names(site, "?search=may%20n") == ["May"]
    assert names(site, "?state=agree") == ["June", "May"]
    shown = site.get(f"{CAMPAIGNS}?search=news&sort=-sends").text
    assert 'aria-sort="descending"' in shown
    assert link_to(shown, "Sends") == f"{CAMPAIGNS}?search=news&sort=sends"
    assert link_to(shown, "Opens") == f"{CAMPAIGNS}?search=news&sort=-opens"
    nothing = site.get(f"{CAMPAIGNS}?state=differ").text
    assert "No campaign is like this." in nothing
    assert "Show all campaigns" in nothing


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort=password", "sort must be one of name, sent_at"),
        ("state=odd", "state"),
        ("page=0", "page"),
        ("search=ann@example.com", "no email address may be in a URL"),
        ("search=ann%20or%20ann@", "no email address may be in a URL"),
        ("search=@example.com", "no email address may be in a URL"),
        ("search=%22ann%20lee%22@example.com", "no email address may be in a URL"),
    ],
)
def test_what_an_address_asks_for_wrongly_is_told(
    site: Site, connections: Any, query: str, said: str
) -> None:
    answer = site.get(f"{CAMPAIGNS}?{query}")
    assert (answer.status, said in answer.text) == (422, True), answer.text


def test_a_campaign_with_an_at_sign_in_its_name_is_found_by_it(
    site: Site, connections: Any, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO ctct_campaign (campaign_id, name, mirrored_at)"
        " VALUES ('c1', 'Lunch @ noon', now()), ('c2', 'Lunch', now())"
    )
    assert names(site, "?search=lunch+%40+n") == ["Lunch"]
    assert names(site, "?search=+%40+") == ["Lunch"]
    assert names(site, "?search=lunch") == ["Lunch", "Lunch"]


def test_pages_have_fifty_campaigns_and_tell_how_many_there_are(
    site: Site, connections: Any, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO ctct_campaign (campaign_id, name, last_sent_at, mirrored_at)"
        " SELECT 'c' || n, n || ' News', now() - make_interval(days => n), now()"
        " FROM generate_series(1, 120) AS n"
    )
    first = site.get(f"{CAMPAIGNS}?search=news").text
    assert "1 to 50 of 120 campaigns" in first
    assert "previous" not in first
    second = link_to(first, "next").removeprefix(CAMPAIGNS)
    assert names(site, second) == [str(number) for number in range(51, 101)]
    assert "101 to 120 of 120" in site.get(f"{CAMPAIGNS}?search=news&page=3").text
    beyond = site.get(f"{CAMPAIGNS}?page=9")
    assert (beyond.status, "No campaign is like this" in beyond.text) == (200, True)


def test_a_campaign_that_differs_says_why_and_what_to_do(
    site: Site, account: Running, start_dag: Start, sql_rows: Rows
) -> None:
    sql_rows("DELETE FROM ctct_engagement WHERE bounce_code = 'B'")
    sql_rows("UPDATE ctct_campaign_count SET due_count = vendor_count, noted_at = now()")
    sql_rows("UPDATE ctct_campaign SET last_sent_at = last_sent_at - interval '1 day'")
    assert start_dag("constant_contact_activities").state == "success"
    assert names(site, "?state=differ") == ["May"]
    (row,) = listed(site, "?state=differ")
    assert row[8] == "0 of 1"
    page = text_of(site.get(f"{CAMPAIGNS}/{MAY}").text)
    assert re.search(r"Bounces 0 1 \S+ \S* ?\S* ?0 differ Why is not known: trigger", page), page


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"type_code": 57}, "it is an A/B test, of which the API reports nothing"),
        ({"current_status": "Done"}, "it is an automated email, of which the API reports nothing"),
        ({"current_status": "Draft"}, "it is not sent yet"),
        ({"current_status": "Removed"}, "it was deleted at Constant Contact"),
        ({}, "the summary report does not have it"),
    ],
)
def test_a_campaign_without_a_report_says_why(
    site: Site, connections: Any, sql_rows: Rows, columns: dict[str, Any], said: str
) -> None:
    columns = {"campaign_id": "c 1"} | columns
    marks = ", ".join(["%s"] * len(columns))
    sql_rows(
        f"INSERT INTO ctct_campaign ({', '.join(columns)}, mirrored_at) VALUES ({marks}, now())",
        *columns.values(),
    )
    (row,) = listed(site, "?state=not+reported")
    assert said in row[2]
    answer = site.get(link_to(site.get(CAMPAIGNS).text, "c 1"))
    assert (answer.status, said in answer.text) == (200, True)


@pytest.mark.usefixtures("account")
def test_who_did_it_is_shown_with_every_contact_of_the_crm_and_a_contacts_events_together(
    site: Site,
) -> None:
    shown = site.get(f"{CAMPAIGNS}/{MAY}/contacts?activity_type=open").text
    rows = table(shown)
    assert [row[1] for row in rows] == [
        "Ann Lee C1 Al C2", "Ann Lee C1 Al C2", f"not in the CRM: {contact_id(2)}",
    ]  # fmt: skip
    assert "probably automatic" in rows[2][2]
    assert "3 events, by contact" in shown
    assert "/constant-contact/why?contact_id=C1" in shown
    assert "example.com" not in text_of(shown)


@pytest.mark.usefixtures("account")
def test_events_beyond_a_page_are_each_shown_once(site: Site, sql_rows: Rows) -> None:
    sql_rows(
        "INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)"
        " SELECT stream_id, 1, '2026-06-02 10:00Z'::timestamptz + (n / 40) * interval '1 minute',"
        " 'x' || n, '' FROM ctct_engagement_stream, generate_series(1, 119) AS n"
        " WHERE activity_type = 'send' AND campaign_activity_id LIKE '%%2'"
    )
    path, seen = f"{CAMPAIGNS}/{JUNE}/contacts?activity_type=send", []
    for _ in range(3):
        shown = site.get(path).text
        seen += [row[1] for row in table(shown)]
        if "next →" in shown:
            path = link_to(shown, "next →")
    assert len(seen) == len(set(seen)) == 120
    assert len(table(site.get(link_to(shown, "← previous")).text)) == 50
    lines = site.get(f"{CAMPAIGNS}/{JUNE}/contacts/csv?activity_type=send").text.splitlines()
    # Ann is in the CRM twice
    assert len(lines) == 1 + 121


@pytest.mark.usefixtures("account")
def test_both_tables_are_files_too(site: Site) -> None:
    answer = site.get(f"{CAMPAIGNS}/csv?search=may")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["name"], row["opens"], row["automatic"]) == ("May News", "2", "1")
    assert row["vendor_sends"] == "3"
    who = site.get(f"{CAMPAIGNS}/{MAY}/contacts/csv?activity_type=bounce")
    (bounced,) = csv.DictReader(io.StringIO(who.text))
    assert bounced["constant_contact_id"] == contact_id(3)
    assert "does not exist" in bounced["description"]


@pytest.mark.usefixtures("account")
def test_a_link_or_a_reason_shows_no_address_on_the_pages_and_in_the_file(
    site: Site, sql_rows: Rows
) -> None:
    sql_rows(
        "UPDATE ctct_engagement SET link_url = 'https://example.com/a?to=ann%40example.com',"
        " opt_out_reason = 'write to ann@example.org' WHERE link_url IS NOT NULL"
    )
    who = f"{CAMPAIGNS}/{MAY}/contacts"
    for path in (f"{CAMPAIGNS}/{MAY}", who, f"{who}/csv"):
        text = site.get(f"{path}?activity_type=click").text
        assert "https://example.com/a?to=" in text
        assert "ann@" not in text, path
        assert "ann%40" not in text, path


@pytest.mark.usefixtures("account")
def test_the_file_has_names_for_those_who_may_choose_contacts_by_them(site: Site) -> None:
    path = f"{CAMPAIGNS}/{MAY}/contacts/csv?activity_type=click"
    full = csv.DictReader(io.StringIO(site.get(path, "OP").text))
    assert [row["name"] for row in full] == ["Ann Lee", "Al"] * 2
    plain = site.get(path, "VIEWER").text
    assert "C1" in plain
    assert "name" not in plain.splitlines()[0]
    assert "Ann" not in plain


def test_an_engagement_type_is_on_the_pages_once_it_is_a_tracker() -> None:
    from constant_contact.api.vendor import Tracker
    from constant_contact.web.campaigns.words import EVENTS, event_names

    survey = Tracker("survey", "surveys", "em_surveys")
    assert event_names((*TRACKERS, survey)) == EVENTS | {"survey": "Surveys"}
    six = ["Sends", "Opens", "Clicks", "Bounces", "Forwards", "Opt-outs"]
    assert list(EVENTS.values())[:6] == six


@pytest.mark.usefixtures("account")
def test_a_further_type_of_engagement_has_its_counts_chart_and_contacts(
    site: Site, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from constant_contact.web.campaigns.words import EVENTS

    unknown = site.get(f"{CAMPAIGNS}/{MAY}/contacts?activity_type=survey")
    assert (unknown.status, "must be one of send, open, click" in unknown.text) == (422, True)
    monkeypatch.setitem(EVENTS, "survey", "Surveys")
    sql_rows(
        "INSERT INTO ctct_activity_type (activity_type, sentence) VALUES ('survey', 'Answered %s')"
    )
    try:
        sql_rows(
            "INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type,"
            " reported_count) SELECT campaign_activity_id, 'survey', 1 FROM ctct_campaign_activity"
        )
        sql_rows(
            "INSERT INTO ctct_engagement (stream_id, ordinal, occurred_at, contact_id, url_id)"
            " SELECT stream_id, 1, '2026-05-02 10:00Z', %s, '' FROM ctct_engagement_stream"
            " WHERE activity_type = 'survey'",
            contact_id(1),
        )
        page = site.get(f"{CAMPAIGNS}/{MAY}")
        assert (page.status, "Surveys" in page.text) == (200, True), page.text
        assert ">surveys<" in page.text
        who = site.get(f"{CAMPAIGNS}/{MAY}/contacts?activity_type=survey")
        assert "Answered “May News”" in text_of(who.text)
    finally:
        sql_rows("DELETE FROM ctct_engagement_stream WHERE activity_type = 'survey'")
        sql_rows("DELETE FROM ctct_activity_type WHERE activity_type = 'survey'")


def test_a_file_that_is_read_slowly_holds_no_connection(crm: Database, sql_rows: Rows) -> None:
    from constant_contact.web.campaigns.campaigns import CampaignFilter, _every

    sql_rows("INSERT INTO ctct_campaign (campaign_id, mirrored_at) VALUES ('c', now())")
    chunks = _every(crm, CampaignFilter())
    assert [row["campaign_id"] for row in next(chunks)] == ["c"]
    held = sql_rows(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND state LIKE 'idle in%%transaction%%'"
    )
    assert held == []


def test_a_campaign_that_is_not_known_is_told_as_such(site: Site, connections: Any) -> None:
    for path in ("", "/contacts", "/contacts/csv"):
        answer = site.get(f"{CAMPAIGNS}/none{path}")
        assert (answer.status, "No campaign none is known here" in answer.text) == (404, True)
    assert "No campaign is known here yet" in site.get(CAMPAIGNS).text
