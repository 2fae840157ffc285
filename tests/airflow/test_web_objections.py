"""The page Why?: which objections stand, what a person lifts, and what else keeps a contact out."""

import pytest

from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.objections import update_register
from tests.airflow.site import Site
from tests.airflow.why_page import ANN, WHY, answer_of
from tests.support import Add, Rows

pytestmark = pytest.mark.usefixtures("connections")


def test_a_contact_nobody_objects_to_may_be_emailed(site: Site, add_crm_contact: Add) -> None:
    add_crm_contact("c1", "ann@example.com")
    assert "May be emailed. No objection stands." in answer_of(site, contact_id="c1")


def test_the_objections_that_stand_are_told_with_the_gates_answer(
    site: Site, crm: Database, add_crm_contact: Add, mirror: Add, set_do_not_email: Add
) -> None:
    mirror(permission_to_send="unsubscribed", opt_out_source="Contact", opt_out_reason="too many")
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    add_crm_contact("c2", "ANN@example.com")
    set_do_not_email("c2", True, "said <b>no</b>")
    see_contacts(crm)
    with crm.transaction() as connection:
        update_register(connection)
    said = answer_of(site, contact_id="c1")
    assert "Must not be emailed. The contact unsubscribed at Constant Contact." in said
    assert "the contact, at Constant Contact" in said
    assert "too many" in said
    assert "only by the contact, at Constant Contact" in said
    assert "Do Not Email in the CRM (contact c2)" in said
    assert "said &lt;b&gt;no&lt;/b&gt;" in said
    assert "by clearing Do Not Email in the CRM" in said


@pytest.fixture
def asked(crm: Database, sql_rows: Rows, add_crm_contact: Add, set_do_not_email: Add) -> int:
    """c1 asked not to be emailed, and the flag was cleared since; returns the objection."""
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    see_contacts(crm)
    with crm.transaction() as connection:
        update_register(connection)
    (row,) = sql_rows("SELECT objection_id FROM ctct_objection WHERE source = 'asked'")
    return int(row["objection_id"])


def test_a_person_lifts_an_objection_for_a_reason_which_the_register_keeps(
    site: Site, sql_rows: Rows, asked: int
) -> None:
    fields = {"contact_id": "c1", "objection_id": str(asked)}
    assert f'value="{asked}">Lift' in site.get(f"{WHY}?contact_id=c1", "OP").text
    assert site.post(f"{WHY}/lift", **fields, evidence=" ").status == 422
    answer = site.post(f"{WHY}/lift", **fields, evidence="<i>wrong</i> contact")
    assert (answer.status, answer.headers["location"]) == (303, f"{WHY}?contact_id=c1")
    (row,) = sql_rows("SELECT lifted_by, evidence FROM ctct_objection WHERE source = 'asked'")
    assert row == {"lifted_by": "op", "evidence": "<i>wrong</i> contact"}
    said = answer_of(site, contact_id="c1")
    assert "May be emailed. No objection stands." in said
    assert "by op: &lt;i&gt;wrong&lt;/i&gt; contact" in said
    again = site.post(f"{WHY}/lift", **fields, evidence="once more")
    assert again.status == 409
    assert "it was lifted before" in again.text


def test_who_may_not_decide_or_comes_from_elsewhere_lifts_nothing(
    site: Site, sql_rows: Rows, asked: int
) -> None:
    assert "/why/lift" not in site.get(f"{WHY}?contact_id=c1").text
    fields = {"contact_id": "c1", "objection_id": str(asked), "evidence": "because"}
    assert site.post(f"{WHY}/lift", "VIEWER", **fields).status == 403
    assert site.post(f"{WHY}/lift", form_token="forged", **fields).status == 403
    assert sql_rows("SELECT lifted_at FROM ctct_objection WHERE source = 'asked'") == [
        {"lifted_at": None}
    ]


@pytest.mark.parametrize("source", ["vendor_contact", "click", "erasure"])
def test_what_only_the_contact_takes_back_and_an_erasure_no_person_lifts(
    site: Site, sql_rows: Rows, add_crm_contact: Add, source: str
) -> None:
    add_crm_contact("c1", "ann@example.com")
    sql_rows(
        "INSERT INTO ctct_objection (source, contact_id, objected_at) VALUES (%s, 'c1', now())",
        source,
    )
    assert "/why/lift" not in site.get(f"{WHY}?contact_id=c1", "OP").text
    fields = {"contact_id": "c1", "objection_id": "1", "evidence": "because"}
    assert site.post(f"{WHY}/lift", **fields).status == 409
    assert sql_rows("SELECT lifted_at FROM ctct_objection") == [{"lifted_at": None}]


def test_a_flag_that_is_set_is_cleared_in_the_crm_and_not_here(
    site: Site, crm: Database, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", "ann@example.com", do_not_email=True)
    see_contacts(crm)
    with crm.transaction() as connection:
        update_register(connection)
    assert "/why/lift" not in site.get(f"{WHY}?contact_id=c1", "OP").text
    (row,) = sql_rows("SELECT objection_id FROM ctct_objection")
    fields = {"contact_id": "c1", "objection_id": str(row["objection_id"]), "evidence": "because"}
    assert site.post(f"{WHY}/lift", **fields).status == 409


def test_the_accounts_own_opt_out_that_a_person_lifted_is_not_heard_again(
    site: Site, crm: Database, sql_rows: Rows, add_crm_contact: Add, mirror: Add
) -> None:
    mirror(
        permission_to_send="unsubscribed",
        opt_out_source="Account",
        opt_out_date="2026-01-01T00:00:00Z",
    )
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    see_contacts(crm)

    def standing() -> int:
        with crm.transaction() as connection:
            update_register(connection)
        return len(sql_rows("SELECT source FROM ctct_objection WHERE lifted_at IS NULL"))

    assert standing() == 1
    fields = {"contact_id": "c1", "objection_id": "1", "evidence": "a list was cleaned up"}
    assert site.post(f"{WHY}/lift", **fields).status == 303
    assert standing() == 0
    sql_rows("UPDATE ctct_contact SET opt_out_date = '2026-02-01T00:00:00Z'")
    assert standing() == 1


@pytest.mark.parametrize(
    ("flag", "decision", "also", "reason"),
    [
        (False, "unsubscribed", "", "The next comparison takes our opt-out back"),
        (None, "unsubscribed", "", "Do Not Email is not false but unknown"),
        (False, "unchanged", "", "That opt-out is not ours"),
        (False, "unsubscribed", "INSERT INTO ctct_restore (settled_by) VALUES ('ann')",
         "The CRM was restored since our opt-out"),
    ],
)  # fmt: skip
def test_what_keeps_a_contact_out_that_nobody_objects_to(
    site: Site, add_crm_contact: Add, mirror: Add, sql_rows: Rows, flag: bool | None,
    decision: str, also: str, reason: str,
) -> None:  # fmt: skip
    mirror(permission_to_send="unsubscribed", opt_out_source="Account")
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN, do_not_email=flag)
    before = "unsubscribed" if decision == "unchanged" else "implicit"
    sql_rows(
        "INSERT INTO ctct_consent (decision, constant_contact_id, permission_before,"
        " permission_after) VALUES (%s, %s, %s, 'unsubscribed')",
        decision, ANN, before,
    )  # fmt: skip
    if also:
        sql_rows(also)
    assert reason in answer_of(site, contact_id="c1")
