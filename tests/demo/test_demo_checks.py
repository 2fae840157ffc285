"""The demo's checks say so when something is wrong: each is shown a fault made for it."""

import pandas as pd
import pytest

from local.demo import account, checks
from local.demo.dag_report import DagReport
from local.demo.evidence import Vendor, counts
from local.demo.expected import Expected, Permission
from local.demo.people import CrmContact
from tests.demo.small_demo import SmallDemo


def test_a_night_without_a_fault_is_right_and_each_fault_is_found(demo: SmallDemo) -> None:
    assert not demo.wrong()

    (first, second) = list(demo.expected.links)[:2]
    links = demo.expected.links
    demo.run(
        "UPDATE crm_contact SET constant_contact_id = "
        f"'{links[second]}' WHERE contact_id = '{first}'"
    )
    assert demo.wrong() == {"links"}
    assert first in demo.found()["links"].difference
    demo.run(
        f"UPDATE crm_contact SET constant_contact_id = '{links[first]}'"
        f" WHERE contact_id = '{first}'"
    )

    demo.run("UPDATE crm_contact SET first_name = 'copied' WHERE contact_id = 'CRM-00001'")
    assert demo.wrong() == {"own_columns"}
    name = next(each.first_name for each in demo.contacts if each.contact_id == "CRM-00001")
    demo.connection.execute(
        "UPDATE crm_contact SET first_name = %s WHERE contact_id = 'CRM-00001'", [name]
    )

    demo.run("UPDATE crm_opt_out_change SET status = 'failed' WHERE change_id = 1")
    assert demo.wrong() == {"outbox"}
    demo.run("UPDATE crm_opt_out_change SET status = 'done' WHERE change_id = 1")

    demo.run("UPDATE ctct_list SET membership_count = membership_count + 1")
    assert demo.wrong() == {"lists"}
    demo.run("UPDATE ctct_list SET membership_count = membership_count - 1")
    assert not demo.wrong()


def test_a_lost_and_a_doubled_interaction_are_found(demo: SmallDemo) -> None:
    one = "(SELECT max(interaction_id) FROM crm_interaction)"
    demo.run(f"CREATE TABLE kept AS SELECT * FROM crm_interaction WHERE interaction_id = {one}")
    demo.run(f"DELETE FROM crm_interaction WHERE interaction_id = {one}")
    assert demo.wrong() == {"interactions"}
    assert "1 missing" in demo.found()["interactions"].difference
    demo.run("INSERT INTO crm_interaction SELECT * FROM kept")
    assert not demo.wrong()
    demo.run("UPDATE kept SET interaction_id = 'another'")
    demo.run("INSERT INTO crm_interaction SELECT * FROM kept")
    assert "1 too many" in demo.found()["interactions"].difference

    demo.run("DELETE FROM ctct_engagement WHERE event_id = 1")
    assert "ledger" in demo.wrong()


def test_somebody_mailed_against_their_will_is_found(demo: SmallDemo) -> None:
    flagged = next(
        demo.expected.links[contact.contact_id]
        for contact in demo.contacts
        if contact.do_not_email and contact.contact_id in demo.expected.links
    )
    demo.control.resubscribe(flagged)
    assert {"permissions", "flags", "mirror"} <= demo.wrong()
    assert flagged in demo.found()["permissions"].difference


def test_an_optout_on_the_wrong_word_is_found(demo: SmallDemo) -> None:
    contact_id = next(
        each
        for each, permission in demo.permissions.items()
        if permission == Permission("unsubscribed", "Account")
    )
    demo.control.unsubscribe(contact_id, source="Contact")
    assert "permissions" in demo.wrong()
    assert "flags" not in demo.wrong()


def test_a_name_overwritten_at_the_vendor_is_found_without_telling_it(demo: SmallDemo) -> None:
    contact_id = next(iter(demo.permissions))
    demo.control.update_contact(contact_id, first_name="Overwritten", list_memberships=[])
    assert "kept" in demo.wrong()
    sentence = demo.found()["kept"].difference
    assert contact_id in sentence
    assert "Overwritten" not in sentence


def test_a_request_without_its_answer_is_found(demo: SmallDemo) -> None:
    refused = "WHERE detail LIKE 'Has unsubscribed%'"
    demo.run(f"CREATE TABLE kept AS SELECT * FROM crm_list_membership {refused}")
    one = "WHERE contact_id = (SELECT min(contact_id) FROM kept)"
    demo.run(f"UPDATE crm_list_membership SET detail = NULL {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"UPDATE crm_list_membership SET detail = 'The list was deleted.' {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"UPDATE crm_list_membership SET detail = 'Has unsubscribed.', status = 'done' {one}")
    assert demo.wrong() == {"requests"}
    demo.run(f"DELETE FROM crm_list_membership {one}")
    assert demo.wrong() == {"requests"}


def test_somebody_on_a_wrong_list_is_found(demo: SmallDemo) -> None:
    on_some = [each for each, lists in demo.carried.lists.items() if lists]
    on_one_less = sorted(demo.carried.lists[on_some[0]])[1:]
    demo.control.update_contact(on_some[0], list_memberships=on_one_less)
    assert demo.wrong() == {"members"}
    assert on_some[0] in demo.found()["members"].difference


def test_a_new_contact_that_is_not_as_it_must_be_is_found(demo: SmallDemo) -> None:
    known = {each["contact_id"] for each in demo.before}
    new = [each for each in demo.control.truth_contacts() if each["contact_id"] not in known]
    jobs = [job["kind"] for job in demo.control.truth()["bulk_activities"]]
    assert len(new) == len(demo.carried.new) == 14
    assert jobs.count("contacts_json_import") == 1
    (out,) = (each for each in new if each["permission"] == "unsubscribed")
    named = next(each for each in new if each["first_name"])
    demo.control.update_contact(named["contact_id"], first_name="Overwritten")
    assert demo.wrong() == {"new"}
    sentence = demo.found()["new"].difference
    assert "CRM-" in sentence
    assert "@" not in sentence
    demo.control.update_contact(named["contact_id"], first_name=named["first_name"])
    assert not demo.wrong()
    demo.control.load(contacts=[{"email_address": {"address": "nobody@example.com"}}])
    assert {"new"} <= demo.wrong()
    demo.control.resubscribe(out["contact_id"])
    assert {"new", "permissions", "flags"} <= demo.wrong()


def test_the_account_is_the_same_after_writing_it_down_and_loading_it(demo: SmallDemo) -> None:
    written = account.write_down(demo.control, demo.calendar.campaigns)
    there = Vendor.asked(demo.control)
    demo.control.reset()
    account.load_again(demo.control, written)
    again = Vendor.asked(demo.control)
    sentence = ("contact_id", "email", "first_name", "permission", "opt_out_source", "opt_out_date",
            "lists", "deleted", "updated_at", "extras")  # fmt: skip
    assert [[each[name] for name in sentence] for each in again.contacts] == [
        [each[name] for name in sentence] for each in there.contacts
    ]
    assert again.events.equals(there.events)
    assert again.summary["lists"] == there.summary["lists"]


def test_anything_that_comes_of_a_repetition_is_found(demo: SmallDemo) -> None:
    before = counts(demo.connection)
    quiet = DagReport("again", "links", "", "success", 0, {"links": {"linked": 0}})
    assert all(check.is_right for check in checks.nothing_new(before, before, [quiet]))
    demo.run("INSERT INTO ctct_list (list_id, mirrored_at) VALUES ('x', now())")
    loud = DagReport("again", "links", "", "success", 0, {"links": {"linked": 1}}, writes=1)
    found = checks.nothing_new(before, counts(demo.connection), [loud])
    assert not any(check.is_right for check in found)


@pytest.mark.parametrize(
    "said", ["Anna.Ivanova7@Example.com", "email=anna%40example.org", "secret-of-the-demo"]
)
def test_an_address_or_a_secret_in_a_log_is_found(said: str) -> None:
    clean = pd.DataFrame([{"path": "/contacts", "error_message": None}], dtype=object)
    dirty = pd.DataFrame([{"path": "/contacts", "error_message": said}], dtype=object)
    secrets = ["secret-of-the-demo"]
    assert checks.privacy(clean, "12 contacts read", secrets).is_right
    assert not checks.privacy(clean, f"read {said}", secrets).is_right
    found = checks.privacy(dirty, "", secrets)
    assert not found.is_right
    assert said not in found.difference


@pytest.mark.parametrize(
    "changed",
    [
        {"api_calls": 9},
        {"throttled_count": 1},
        {"max_calls_in_one_second": 21},
    ],
)
def test_calls_that_are_lost_or_too_fast_are_found(changed: dict[str, int]) -> None:
    logged = pd.DataFrame({"path": ["/v3/contacts"] * 8 + ["/oauth2/default/v1/token"]})
    vendor = {"api_calls": 8, "throttled_count": 0, "max_calls_in_one_second": 20}
    assert checks.calls(logged, vendor, 8, 20).is_right
    assert checks.calls(logged, vendor, None, 20).is_right
    assert not checks.calls(logged, vendor, 7, 20).is_right
    assert not checks.calls(logged, vendor | changed, 8, 20).is_right


def test_policy_violations_and_revivals_are_found() -> None:
    good = dict.fromkeys(
        ("policy_violations", "revivals", "names_overwritten", "resubscribe_emails_sent"), 0
    )
    nobody = pd.DataFrame()
    assert checks.will(Vendor(good, [], nobody)).is_right
    for name in good:
        assert not checks.will(Vendor(good | {name: 1}, [], nobody)).is_right


def test_expected_links_follow_a_living_contact_and_leave_a_deleted_one() -> None:
    contact = CrmContact("C", None, None, "\u00a0ANNA@example.com ", None)
    anna = {"contact_id": "1", "email": "anna@example.com", "deleted": False}
    expected = Expected()
    expected.link([contact], [anna])
    assert expected.links == {"C": "1"}
    expected.link([contact], [anna | {"email": "other@example.com"}])
    assert expected.links == {"C": "1"}
    expected.link([contact], [anna | {"deleted": True}])
    assert expected.links == {}
    assert expected.histories == {"C": "1"}
    expected.link([contact], [anna | {"deleted": True}, anna | {"contact_id": "2"}])
    assert expected.links == expected.histories == {"C": "2"}


def test_a_check_that_finds_more_or_less_than_the_crm_was_made_with_is_wrong() -> None:
    made_with = dict.fromkeys(
        ("contacts_addresses", "contacts_flags", "shared_addresses"), "differs"
    )
    for found, is_right in (
        (made_with, True),
        (made_with | {"token": "refused"}, False),
        ({}, False),
    ):
        report = DagReport("before", "constant_contact_check", "r", "success", 1.0)
        report.tasks["check"] = {"ok": 60, "not_tried": 5, "found": found}
        assert checks.check(report).is_right is is_right
