"""The page that says why: about one contact, in the words of the rules that decide."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts
from tests.airflow.overview_page import table
from tests.airflow.site import NOBODY, Site
from tests.airflow.why_page import ANN, WHY, answer_of, words
from tests.support import Add, Rows
from tests.sync.memberships.requests import list_id

pytestmark = pytest.mark.usefixtures("connections")


@pytest.fixture
def news(sql_rows: Rows) -> str:
    """A list called News."""
    sql_rows(
        "INSERT INTO ctct_list (list_id, name, mirrored_at) VALUES (%s, 'News', now())", list_id(1)
    )
    return list_id(1)


def test_a_crm_of_the_required_columns_alone_is_enough(
    site: Site, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com")
    sql_rows("ALTER TABLE crm_contact DROP COLUMN created_at, DROP COLUMN updated_at")
    assert "ann@example.com" in answer_of(site, contact_id="c1")


def test_somebody_linked_for_whom_nobody_asked(
    site: Site, add_crm_contact: Add, mirror: Add, news: str
) -> None:
    mirror()
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    said = answer_of(site, contact_id="c1", list_id=news)
    assert "The CRM has not requested that it is on this list." in said
    assert "Nothing keeps it from the list" in said


@pytest.mark.parametrize(
    ("in_crm", "differs"), [(" ANN@example.com", False), ("ann@other.example", True), (None, False)]
)
def test_an_address_that_changed_since_the_link_was_made_is_told(
    site: Site, add_crm_contact: Add, mirror: Add, in_crm: str | None, differs: bool
) -> None:
    mirror()
    add_crm_contact("c1", in_crm, constant_contact_id=ANN)
    assert ("The addresses differ" in answer_of(site, contact_id="c1")) is differs


@pytest.mark.parametrize(
    ("crm", "mirrored", "reason"),
    [
        ({"preferred_email": None}, None, "Has no email address."),
        ({"preferred_email": "ann"}, None, "The email address is malformed."),
        ({}, None, "It is not at Constant Contact yet: it would be created there"),
        ({}, {}, "waits to be linked"),
        (
            {"constant_contact_id": ANN, "do_not_email": True}, {},
            "Do Not Email is set in the CRM for this address.",
        ),
        (
            {"constant_contact_id": ANN},
            {"permission_to_send": "unsubscribed", "opt_out_source": "Contact"},
            "Has unsubscribed; Constant Contact does not put unsubscribed contacts on lists.",
        ),
        (
            {"constant_contact_id": ANN}, {"deleted_at": "2026-01-01T00:00:00Z"},
            "This contact was deleted at Constant Contact",
        ),
        ({"constant_contact_id": ANN}, None, "waits to be linked"),
        (
            {"constant_contact_id": ANN}, {"list_ids": [list_id(n) for n in range(101, 151)]},
            "Would be on more lists than the 50",
        ),
    ],
)  # fmt: skip
def test_each_reason_is_told_as_the_rules_have_it(
    site: Site,
    sql_rows: Rows,
    add_crm_contact: Add,
    mirror: Add,
    news: str,
    crm: dict[str, Any],
    mirrored: dict[str, Any] | None,
    reason: str,
) -> None:
    sql_rows(
        "INSERT INTO ctct_list (list_id, name, mirrored_at)"
        " SELECT '00000000-0000-4000-8001-' || lpad(n::text, 12, '0'), n::text, now()"
        " FROM generate_series(101, 150) AS n"
    )
    if mirrored is not None:
        mirror(**mirrored)
    crm = {"preferred_email": "ann@example.com"} | crm
    add_crm_contact("c1", crm.pop("preferred_email"), **crm)
    assert reason in answer_of(site, contact_id="c1", list_id=news)


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("pending", None),
        ("held", "3 contacts would be taken off lists within a day."),
        ("rejected", "The email address is malformed."),
        ("failed", "Tried several times without success."),
    ],
)
def test_what_became_of_a_request_is_told_with_its_detail(
    site: Site, sql_rows: Rows, add_crm_contact: Add, mirror: Add, news: str, status: str,
    detail: str | None,
) -> None:  # fmt: skip
    mirror()
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, status, detail)"
        " VALUES ('c1', %s, %s, %s)",
        news, status, detail,
    )  # fmt: skip
    said = answer_of(site, contact_id="c1", list_id=news)
    assert f"to be put on it : {status} {detail or ''}".strip() in said.replace("it:", "it :")
    assert "has not requested" not in said


def test_a_list_that_is_gone_and_one_that_never_was(
    site: Site, sql_rows: Rows, add_crm_contact: Add, news: str
) -> None:
    sql_rows("UPDATE ctct_list SET deleted_at = now()")
    add_crm_contact("c1", "ann@example.com")
    said = answer_of(site, contact_id="c1", list_id=news)
    assert "News (deleted)" in said
    assert "Now: The list was deleted at Constant Contact." in said
    unknown = answer_of(site, contact_id="c1", list_id="no-such-list")
    assert "Now: Constant Contact has no such list." in unknown


def test_somebody_who_is_on_the_list(
    site: Site, add_crm_contact: Add, mirror: Add, news: str
) -> None:
    mirror(list_ids=[news])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    said = answer_of(site, contact_id="c1", list_id=news)
    assert "It is on this list." in said
    assert "Now: " not in said


def test_both_sides_what_differs_and_what_was_decided(
    site: Site, sql_rows: Rows, add_crm_contact: Add, mirror: Add, set_do_not_email: Add, news: str
) -> None:
    mirror(list_ids=[news])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    set_do_not_email("c1", True, "asked <b>by</b> phone", by_contact=True)
    sql_rows(
        "INSERT INTO ctct_consent (change_id, decision, detail, permission_before)"
        " SELECT change_id, 'failed', 'was refused', 'implicit' FROM crm_opt_out_change"
    )
    sql_rows(
        "INSERT INTO crm_interaction (interaction_id, contact_id, constant_contact_id,"
        " activity_type, description, occurred_at)"
        " VALUES ('i1', 'c1', %s, 'open', 'Opened “Spring”', now())", ANN,
    )  # fmt: skip
    sql_rows(
        "INSERT INTO ctct_api_call (called_at, method, path, status, duration_ms)"
        " VALUES (now(), 'GET', %s, 200, 5), (now(), 'GET', '/v3/contacts/another', 200, 5)",
        f"/v3/contacts/{ANN}?include=list_memberships",
    )
    page = site.get(f"{WHY}?contact_id=c1").text
    said = words(page)
    assert "the opt-out is on its way" in said
    assert "News" in said
    assert "asked by the contact: asked &lt;b&gt;by&lt;/b&gt; phone" in said
    assert "failed by the rules (implicit → unknown)" in said
    assert "Opened “Spring”" in said
    assert f"GET /v3/contacts/{ANN}?include=list_memberships" in said
    assert "/v3/contacts/another" not in said


def test_the_timeline_tells_in_order_who_said_no_and_by_which_call_it_was_carried(
    site: Site, sql_rows: Rows, add_crm_contact: Add, mirror: Add, news: str
) -> None:
    mirror()
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    answer_of(site, contact_id="c1")
    sql_rows("UPDATE ctct_link SET linked_at = '2026-01-01 08:00Z'")
    sql_rows(
        "INSERT INTO ctct_objection (source, contact_id, objected_at, told_by, reason, lifted_at,"
        " lifted_by, evidence) VALUES ('asked', 'c1', '2026-01-02 08:00Z', 'sue', 'by phone',"
        " '2026-01-05 08:00Z', 'tom', 'signed form')"
    )
    sql_rows(
        "INSERT INTO crm_opt_out_change (change_id, contact_id, do_not_email, changed_at, status,"
        " changed_by, detail) VALUES (7, 'c1', TRUE, '2026-01-02 08:01Z', 'done', 'sue',"
        " 'Unsubscribed at Constant Contact.')"
    )
    for minute, decision in ((2, "unsubscribing"), (3, "unsubscribed")):
        sql_rows(
            "INSERT INTO ctct_consent (change_id, decision, decided_at, call_method, call_status,"
            " request_id) VALUES (7, %s, %s, 'PUT', 200, 'r-1')",
            decision, f"2026-01-02 08:0{minute}Z",
        )  # fmt: skip
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, status, detail, requested_at)"
        " VALUES ('c1', %s, 'rejected', 'Has unsubscribed.', '2026-01-03 08:00Z')",
        news,
    )
    page = site.get(f"{WHY}?contact_id=c1").text
    section = page[page.index('<section aria-labelledby="timeline">') :]
    assert [[cell for cell in row if cell][1:] for row in table(section)] == [
        ["Objection", "Objection lifted: the contact, told by the CRM.", "tom: signed form"],
        ["Membership", "rejected Was to be put on “News”. Has unsubscribed.", "-"],
        ["Decision", "unsubscribed by the rules", "PUT 200, request r-1"],
        ["Decision", "unsubscribing by the rules", "PUT 200, request r-1"],
        ["Do Not Email", "done Do Not Email was set. Unsubscribed at Constant Contact.", "sue"],
        ["Objection", "Objection: the contact, told by the CRM.", "sue: by phone"],
        ["Link", f"Linked to {ANN}.", "-"],
    ]
    assert 'href="/constant-contact/why?contact_id=c1" data-airflow>Open for printing<' in page


def test_an_address_finds_all_who_share_it_and_is_in_no_link(
    site: Site, crm: Database, add_crm_contact: Add
) -> None:
    add_crm_contact("c 1+", "ann@example.com", first_name="Ann")
    add_crm_contact("c2", "ANN@example.com ", first_name="Bob")
    add_crm_contact("c3", "cat@example.com")
    see_contacts(crm)
    page = site.post(WHY, "VIEWER", wanted=" Ann@Example.com").text
    assert re.findall(r'href="[^"]*why\?([^"]+)"', page) == ["contact_id=c+1%2B", "contact_id=c2"]
    assert site.get(f"{WHY}?contact_id=c+1%2B").status == 200
    nobody = site.post(WHY, "VIEWER", wanted="nobody@example.com").text
    assert "The CRM has no contact with this id or address" in nobody


def test_a_contact_is_found_by_its_id_or_how_its_names_begin(
    site: Site, crm: Database, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com", first_name="Ann", last_name="Lee")
    add_crm_contact("c2", "bob@example.com", first_name="Lee", last_name="Annex")
    add_crm_contact("c3", "cat@example.com", first_name="100%", last_name="x" * 5000)
    see_contacts(crm)

    def found(wanted: str, path: str = WHY) -> list[str]:
        answer = site.post(path, "VIEWER", wanted=wanted)
        assert answer.status == 200, answer.text
        return re.findall(r'why\?contact_id=(\w+)"', answer.text)

    for path in (WHY, f"{WHY}/suggestions"):
        assert sorted(found("ann", path)) == sorted(found("ANN le", path)) == ["c1", "c2"]
        assert found("annex lee", path) == ["c2"]
        assert found("100%", path) == ["c3"]
        assert found("%", path) == found("_nn", path) == []
    assert found("", f"{WHY}/suggestions") == []
    assert "ann@example.com" in site.post(WHY, "VIEWER", wanted="c1").text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("van Dijk", ["c1"]),
        ("Anna van", ["c1"]),
        ("van dijk  anna", ["c1"]),
        ("Van Dijk, A", ["c1"]),
        ("Mary Ann De Silva", ["c2"]),
        ("mary ann", ["c2"]),
        ("De Silva, Mary Ann", ["c2"]),
        ("Mary De", ["c2"]),
        ("Mary Silva", []),
        ("Smith, Jr", ["c3"]),
        ("Ada M. Smith", ["c3"]),
        ("Älg", ["c4"]),
        ("İnci", ["c4"]),
        (",", []),
    ],
)
def test_a_name_with_a_blank_is_found_in_any_order(
    site: Site, crm: Database, add_crm_contact: Add, wanted: str, found: list[str]
) -> None:
    names = [
        ("Anna", "van Dijk"), ("Mary Ann", "De Silva"), ("Ada", "Smith, Jr."), ("İnci", "Älg"),
        ("Annabel", "Dijkstra"),
    ]  # fmt: skip
    for number, (first, last) in enumerate(names, 1):
        add_crm_contact(f"c{number}", None, first_name=first, last_name=last)
    see_contacts(crm)
    shown = site.post(WHY, "VIEWER", wanted=wanted).text
    assert re.findall(r'why\?contact_id=(\w+)"', shown) == found


def test_one_letter_suggests_no_contact(site: Site, crm: Database, add_crm_contact: Add) -> None:
    add_crm_contact("c1", "ann@example.com", first_name="Ann")
    see_contacts(crm)
    assert "c1" not in site.post(f"{WHY}/suggestions", "VIEWER", wanted=" a ").text
    assert "c1" in site.post(f"{WHY}/suggestions", "VIEWER", wanted="an").text
    assert "c1" in site.post(WHY, "VIEWER", wanted="a").text


def test_a_contact_added_since_the_last_look_is_found_by_its_id(
    site: Site, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c 2", "bob@example.com")
    assert "ann@example.com" in site.post(WHY, "VIEWER", wanted="c1").text
    assert "bob@example.com" in site.post(WHY, "VIEWER", wanted=" c 2").text
    sql_rows("ALTER TABLE crm_contact RENAME TO contacts_that_moved")
    assert "ann@example.com" in site.post(WHY, "VIEWER", wanted="c1").text
    assert "could not be asked just now" in site.post(WHY, "VIEWER", wanted="c3").text


def test_odd_contacts_have_a_page_too(site: Site, add_crm_contact: Add, news: str) -> None:
    odd = {"c/1": "", "c'2": "a@b@c", "ü%": "x" * 90 + "@example.com", "{x}": " "}
    for number, (contact, email) in enumerate(odd.items()):
        add_crm_contact(contact, email, constant_contact_id=None if number % 2 else "%_\\gone")
        for fields in ({}, {"list_id": news}, {"list_id": "\0'"}):
            assert site.get(f"{WHY}?{urlencode({'contact_id': contact} | fields)}").status == 200


def test_unknown_contacts_nobody_and_a_crm_that_is_down(
    site: Site, connections: pytest.MonkeyPatch
) -> None:
    assert site.get(f"{WHY}?contact_id=none%00").status == 404
    assert "no contact with the id none." in site.get(f"{WHY}?contact_id=none").text
    assert site.get(WHY, NOBODY).status == 401
    assert site.post(WHY, NOBODY, wanted="ann@example.com").status == 401
    away = '{"conn_type": "postgres", "host": "127.0.0.1", "port": 9}'
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", away)
    assert "the CRM database does not answer" in site.get(WHY).text


def test_the_page_shows_the_contact_as_the_crm_has_it_now(
    site: Site, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com")
    assert "ann@example.com" in answer_of(site, contact_id="c1")
    sql_rows("UPDATE crm_contact SET preferred_email = 'new@example.com'")
    assert "new@example.com" in answer_of(site, contact_id="c1")
    sql_rows("DELETE FROM crm_contact")
    assert site.get(f"{WHY}?contact_id=c1").status == 404


def test_a_look_that_fails_shows_what_was_seen_and_says_so(
    site: Site, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com")
    assert "could not be asked" not in answer_of(site, contact_id="c1")
    sql_rows("ALTER TABLE crm_contact RENAME TO contacts_that_moved")
    said = answer_of(site, contact_id="c1")
    assert "The CRM could not be asked just now" in said
    assert "ann@example.com" in said
